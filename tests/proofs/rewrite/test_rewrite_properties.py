"""Random small graphs: rewriting never changes what a model computes, nor gives other bytes."""

from __future__ import annotations

import numpy as np
import onnx
from gateless_proofs.rewrite import default_passes, equivalent, rewrite, tolerance_of
from hypothesis import given, settings
from hypothesis import strategies as st
from rewrite_models import Sketch, filled, inputs_of

ELEMENTWISE = (
    "Relu",
    "Sigmoid",
    "Tanh",
    "Elu",
    "LeakyRelu",
    "HardSigmoid",
    "HardSwish",
    "Neg",
    "Abs",
)


@st.composite
def dense_models(draw: st.DrawFn) -> onnx.ModelProto:
    """Chains of linear layers, activations, sums and shapes."""
    sketch = Sketch(draw(st.integers(0, 1 << 20)))
    width = draw(st.integers(1, 6))
    start, value = width, "x"
    for _ in range(draw(st.integers(1, 7))):
        kind = draw(
            st.sampled_from(["linear", "gemm", "unit", "clip", "residual", "shape", "scale"])
        )
        if kind == "linear":
            wide = draw(st.integers(1, 6))
            value = sketch("MatMul", value, sketch.normal(width, wide))
            width = wide
        elif kind == "gemm":
            wide = draw(st.integers(1, 6))
            value = sketch("Gemm", value, sketch.normal(width, wide), sketch.normal(wide))
            width = wide
        elif kind == "unit":
            value = sketch(draw(st.sampled_from(ELEMENTWISE)), value)
        elif kind == "clip":
            low = draw(st.floats(-2, 0, width=32))
            value = sketch("Clip", value, np.float32(low), np.float32(low + 1))
        elif kind == "residual":
            other = sketch("Tanh", value)
            value = sketch(draw(st.sampled_from(["Add", "Sub", "Max", "Min"])), value, other)
        elif kind == "shape":
            value = sketch("Reshape", value, np.array([1, 1, width]))
            value = sketch("Identity", sketch("Squeeze", value, np.array([1])))
        else:
            value = sketch("Mul", value, sketch.normal(1, width))
    sketch("Identity", value, out="y")
    return sketch.model({"x": [1, start]}, ["y"])


@st.composite
def image_models(draw: st.DrawFn) -> onnx.ModelProto:
    """A convolution of any geometry, a unit and a pool."""
    sketch = Sketch(draw(st.integers(0, 1 << 20)))
    channels, groups = draw(st.sampled_from([(1, 1), (2, 1), (2, 2), (4, 2)]))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    size = draw(st.tuples(st.integers(5, 8), st.integers(5, 8)))
    attributes = {
        "group": groups,
        "strides": list(draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))),
        "dilations": list(draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))),
        "pads": list(draw(st.tuples(*(st.integers(0, 1) for _ in range(4))))),
    }
    weights = sketch.normal(groups * 2, channels // groups, *kernel)
    value = sketch("Conv", "x", weights, sketch.normal(groups * 2), **attributes)
    value = sketch(draw(st.sampled_from(["Relu", "Tanh", "Abs"])), value)
    pooled = draw(st.sampled_from(["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"]))
    more = {} if pooled.startswith("Global") else {"kernel_shape": [1, 1], "strides": [2, 1]}
    sketch(pooled, value, out="y", **more)
    return sketch.model({"x": ["n", channels, *size]}, ["y"])


@given(st.one_of(dense_models(), image_models()), st.integers(0, 1 << 20))
@settings(max_examples=120, deadline=None)
def test_random_graphs_keep_their_meaning(model: onnx.ModelProto, seed: int) -> None:
    passes = default_passes(model)
    rewritten = rewrite(model, passes)
    assert rewrite(model, passes).SerializeToString() == rewritten.SerializeToString()
    onnx.checker.check_model(rewritten)
    report = equivalent(
        model,
        rewritten,
        [inputs_of(model, seed + place) for place in range(4)],
        [filled(model, number) for number in (0.0, 30.0, -30.0)],
        # chains multiply the rounding of single precision
        tolerance=max(tolerance_of(passes), 1e-4),
    )
    assert report.equivalent, report


@given(st.one_of(dense_models(), image_models()))
@settings(max_examples=40, deadline=None)
def test_rewriting_twice_finds_nothing_new(model: onnx.ModelProto) -> None:
    """What a pass wrote is in the form that it writes."""
    passes = default_passes(model)
    once = rewrite(model, passes)
    again = [name for name in default_passes(once) if name not in ("static", "relu-abs")]
    assert not set(again) & {"conv-matmul", "mean-sums", "gemm-matmul", "clip-relu", "leaky-relu"}
