"""A pass computes the same, changes what it is for, leaves the rest and repeats to the byte."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from gateless.core.errors import ModelError
from gateless_proofs.rewrite import (
    PASSES,
    RewriteContext,
    default_passes,
    equivalent,
    rewrite,
    tolerance_of,
)
from rewrite_models import EXAMPLES, Sketch, conv, filled, gemm, inputs_of, pool, unary

CASES = [(name, model) for name, models in EXAMPLES.items() for model in models]
IDS = [f"{name}-{place}" for name, models in EXAMPLES.items() for place in range(len(models))]
EXTREMES = (0.0, 1.0, -1.0, 50.0, -50.0, 1000.0, -1000.0)


def operators(model: onnx.ModelProto) -> set[str]:
    return {node.op_type for node in model.graph.node}


def test_every_pass_has_an_example() -> None:
    assert set(EXAMPLES) == set(PASSES) - {"static", "batch", "dense-words"}


@pytest.mark.parametrize(("name", "model"), CASES, ids=IDS)
def test_pass_is_equivalent(name: str, model: onnx.ModelProto) -> None:
    passes = ("static", name)
    report = equivalent(
        model,
        rewrite(model, passes),
        [inputs_of(model, seed) for seed in range(20)],
        [filled(model, number) for number in EXTREMES],
        tolerance=tolerance_of(passes),
    )
    assert report.equivalent, report
    assert report.compared >= 20


@pytest.mark.parametrize(("name", "model"), CASES, ids=IDS)
def test_pass_changes_its_examples_and_repeats(name: str, model: onnx.ModelProto) -> None:
    plain = rewrite(model, ("static",)).SerializeToString()
    first = rewrite(model, ("static", name)).SerializeToString()
    assert first != plain
    assert rewrite(model, ("static", name)).SerializeToString() == first
    assert name in default_passes(model)


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_pass_leaves_what_does_not_concern_it(name: str) -> None:
    sketch = Sketch()
    sketch("Tanh", sketch("MatMul", "x", sketch.normal(3, 2)), out="y")
    model = sketch.model({"x": [1, 3]}, ["y"])
    plain = rewrite(model, ("static",))
    assert rewrite(model, ("static", name)) == plain
    assert default_passes(model) == ("static",)


@pytest.mark.parametrize(("name", "model"), CASES, ids=IDS)
def test_all_passes_together_are_equivalent(name: str, model: onnx.ModelProto) -> None:
    passes = default_passes(model)
    assert name in passes
    report = equivalent(
        model,
        rewrite(model, passes),
        [inputs_of(model, seed) for seed in range(20)],
        tolerance=tolerance_of(passes),
    )
    assert report.equivalent, report


def test_no_pass_at_all_returns_the_model() -> None:
    model = gemm()
    assert rewrite(model, ()) == model


def test_the_model_given_is_not_changed() -> None:
    model = conv()
    before = model.SerializeToString()
    rewrite(model, default_passes(model))
    assert model.SerializeToString() == before


def test_unknown_pass_is_named() -> None:
    with pytest.raises(ModelError) as caught:
        rewrite(gemm(), ("static", "magic"))
    assert caught.value.code == "unknown-pass"
    assert "magic" in caught.value.message


@pytest.mark.parametrize("passes", [("relu-abs", "static"), ("gemm-matmul", "batch")])
def test_order_that_cannot_be_replayed(passes: tuple[str, ...]) -> None:
    with pytest.raises(ModelError) as caught:
        rewrite(gemm(), passes, RewriteContext(batch_size=2))
    assert caught.value.code == "pass-order"


def test_wrong_models_are_seen() -> None:
    """The judge itself: a model with another weight is not equivalent."""
    model = gemm()
    other = onnx.ModelProto()
    other.CopyFrom(model)
    weights = np.frombuffer(other.graph.initializer[0].raw_data, np.float32).copy()
    weights[0] += 0.01
    other.graph.initializer[0].raw_data = weights.tobytes()
    samples = [inputs_of(model, seed) for seed in range(5)]
    assert not equivalent(model, other, samples, tolerance=1e-5).equivalent
    assert equivalent(model, model, samples, tolerance=0.0).equivalent


def test_convolutions_and_pools_leave_no_window_operator() -> None:
    for model in (conv(strides=[1, 1]), pool("MaxPool", kernel_shape=[2, 2])):
        rest = operators(rewrite(model, default_passes(model)))
        assert not rest & {"Conv", "MaxPool", "Relu"}
        assert "Gather" in rest


def test_shared_pairs_of_overlapping_windows_are_compared_once() -> None:
    model = unary("ReduceMax", axes=[1])
    overlapping = pool("MaxPool", kernel_shape=[2, 2], strides=[1, 1])
    rewritten = rewrite(overlapping, ("static", "max-pairwise"))
    gathers = [node for node in rewritten.graph.node if node.op_type == "Gather"]
    weights = {tensor.name: tensor for tensor in rewritten.graph.initializer}
    compared = sum(weights[node.input[1]].dims[0] for node in gathers[:-1]) // 2
    # 2 channels of 7 x 4 horizontal pairs, then 6 x 4 vertical ones
    assert compared == 2 * (7 * 4 + 6 * 4)
    assert operators(rewrite(model, ("static", "max-pairwise"))) >= {"Gather", "Relu"}


def test_doubles_become_singles() -> None:
    sketch = Sketch()
    weights = np.random.default_rng(0).normal(size=(3, 2))
    sketch("MatMul", "x", weights, out="y")
    model = sketch.model({"x": [1, 3]}, ["y"], dtype=11, out_dtypes=[11])
    rewritten = rewrite(model, ("static",))
    assert rewritten.graph.input[0].type.tensor_type.elem_type == 1
    samples = [inputs_of(model, seed) for seed in range(5)]
    assert equivalent(model, rewritten, samples, tolerance=1e-6).equivalent


def test_shapes_that_are_computed_are_folded() -> None:
    sketch = Sketch()
    shape = sketch("Shape", "x")
    first = sketch("Gather", shape, np.array(0), axis=0)
    target = sketch("Concat", sketch("Unsqueeze", first, np.array([0])), np.array([-1]), axis=0)
    sketch("Tanh", sketch("Reshape", "x", target), out="y")
    model = sketch.model({"x": ["n", 2, 3]}, ["y"])
    rewritten = rewrite(model, ("static",))
    assert operators(rewritten) == {"Reshape", "Tanh"}
    assert [dim.dim_value for dim in rewritten.graph.output[0].type.tensor_type.shape.dim] == [1, 6]


def test_one_value_as_two_outputs_keeps_two_nodes() -> None:
    sketch = Sketch()
    sketch("Tanh", "x", out="y")
    sketch("Reshape", "y", np.array([3]), out="z")
    model = sketch.model({"x": [1, 3]}, ["y", "z"])
    rewritten = rewrite(model, ("static",))
    assert "Gather" in operators(rewritten)
    assert [value.name for value in rewritten.graph.output] == ["y", "z"]
    samples = [inputs_of(model, seed) for seed in range(3)]
    assert equivalent(model, rewritten, samples, tolerance=0.0).equivalent


def test_output_without_input_is_refused() -> None:
    sketch = Sketch()
    sketch("Shape", "x", out="y")
    model = sketch.model({"x": [1, 3]}, ["y"], out_dtypes=[7])
    with pytest.raises(ModelError) as caught:
        rewrite(model, ("static",))
    assert caught.value.code == "output-constant"
