"""A batch gives every row what it gets alone."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from gateless_proofs.rewrite import RewriteContext, default_passes, rewrite
from gateless_proofs.rewrite.evaluate import Runner
from gateless_proofs.rewrite.graph import Graph
from rewrite_models import EXAMPLES, Sketch, conv, gemm, inputs_of, layer_norm, pool

ROWS = 4


def fixed_reshape() -> onnx.ModelProto:
    """Exported for one row: shapes written out."""
    sketch = Sketch(1)
    flat = sketch("Reshape", "x", np.array([1, 6]))
    sketch("MatMul", flat, sketch.normal(6, 3), out="y")
    return sketch.model({"x": [1, 2, 3]}, ["y"])


def across_rows() -> onnx.ModelProto:
    """Sums over the leading dimension: rows would mix if it were merely widened."""
    sketch = Sketch(2)
    total = sketch("ReduceSum", "x", np.array([0]), keepdims=1)
    sketch("MatMul", total, sketch.normal(3, 2), out="y")
    return sketch.model({"x": [1, 3]}, ["y"])


def without_leading() -> onnx.ModelProto:
    """No dimension for rows at all."""
    sketch = Sketch(3)
    sketch("MatMul", "x", sketch.normal(3, 2), out="y")
    return sketch.model({"x": [3]}, ["y"])


def two_inputs() -> onnx.ModelProto:
    sketch = Sketch(4)
    left = sketch("MatMul", "a", sketch.normal(3, 4))
    sketch("Tanh", sketch("Add", left, "b"), out="y")
    sketch("Relu", "b", out="z")
    return sketch.model({"a": ["n", 3], "b": ["n", 4]}, ["y", "z"])


MODELS = {
    "gemm": gemm(),
    "conv": conv(strides=[2, 2]),
    "pool": pool("MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
    "layer-norm": layer_norm(),
    "fixed-reshape": fixed_reshape(),
    "across-rows": across_rows(),
    "without-leading": without_leading(),
    "two-inputs": two_inputs(),
    "tree": EXAMPLES["decision-trees"][0],
    "lstm": EXAMPLES["unroll-recurrent"][3],
}


@pytest.mark.parametrize("name", list(MODELS))
@pytest.mark.parametrize("all_passes", [False, True], ids=["plain", "all-passes"])
def test_rows_of_a_batch(name: str, all_passes: bool) -> None:
    model = MODELS[name]
    rest = default_passes(model)[1:] if all_passes else ()
    passes = ("static", "batch", *rest)
    context = RewriteContext(batch_size=ROWS)
    batch = rewrite(model, passes, context)
    assert rewrite(model, passes, context).SerializeToString() == batch.SerializeToString()
    single = rewrite(model, ("static",))
    names = [value.name for value in Graph.parse(single).inputs]
    rows = [[a.astype(np.float32) for a in inputs_of(model, seed)] for seed in range(ROWS)]
    alone = [Runner(single).run(dict(zip(names, row, strict=True))) for row in rows]
    shapes = {value.name: value.static_shape for value in Graph.parse(batch).inputs}
    joined = {
        name: np.stack([row[place] for row in rows]).reshape(shapes[name])
        for place, name in enumerate(names)
    }
    together = Runner(batch).run(joined)
    for place, output in enumerate(together):
        for row, got in enumerate(output.reshape(ROWS, -1)):
            np.testing.assert_allclose(
                got, alone[row][place].reshape(-1), rtol=1e-4, atol=1e-4, err_msg=name
            )


def test_batch_of_one_is_the_model() -> None:
    context = RewriteContext(batch_size=1)
    assert rewrite(gemm(), ("static", "batch"), context) == rewrite(gemm(), ("static",))
