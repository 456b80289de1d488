"""Small graphs for the rewriting tests: one for each pass, and random ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from gateless_proofs.rewrite.graph import Graph
from onnx import TensorProto, helper, numpy_helper

F32 = TensorProto.FLOAT


class Sketch:
    """Collects nodes; every call names its output."""

    def __init__(self, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, Any] = {}

    def __call__(self, op: str, *inputs: Any, out: str = "", domain: str = "", **attributes: Any):
        names = [value if isinstance(value, str) else self.hold(value) for value in inputs]
        name = out or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, names, [name], domain=domain, **attributes))
        return name

    def hold(self, values: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights[name] = np.asarray(values)
        return name

    def normal(self, *shape: int) -> np.ndarray:
        return self.random.normal(0, 1, shape).astype(np.float32)

    def model(
        self,
        inputs: dict[str, Sequence[Any]],
        outputs: Sequence[str],
        *,
        opset: int = 17,
        dtype: int = F32,
        out_dtypes: Sequence[int] | None = None,
        domains: Sequence[str] = (),
    ) -> onnx.ModelProto:
        kinds = out_dtypes or [F32] * len(outputs)
        graph = helper.make_graph(
            self.nodes,
            "sketch",
            [helper.make_tensor_value_info(n, dtype, list(s)) for n, s in inputs.items()],
            [
                helper.make_tensor_value_info(n, k, None)
                for n, k in zip(outputs, kinds, strict=True)
            ],
            [numpy_helper.from_array(a, n) for n, a in self.weights.items()],
        )
        imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 3) for d in domains)]
        return helper.make_model(graph, opset_imports=imports, ir_version=8)


def inputs_of(model: onnx.ModelProto, seed: int, spread: float = 2.0) -> list[np.ndarray]:
    """One random input for each of the model's, open dimensions bound to 1."""
    random = np.random.default_rng(seed)
    found = []
    for value in Graph.parse(model).inputs:
        shape = [dim if isinstance(dim, int) else 1 for dim in value.shape]
        found.append(random.normal(0, spread, shape))
    return found


def filled(model: onnx.ModelProto, number: float) -> list[np.ndarray]:
    """The same number everywhere."""
    return [np.full(array.shape, number) for array in inputs_of(model, 0)]


def unary(op: str, *more: Any, opset: int = 17, **attributes: Any) -> onnx.ModelProto:
    sketch = Sketch()
    sketch(op, "x", *more, out="y", **attributes)
    return sketch.model({"x": [1, 6]}, ["y"], opset=opset)


def conv(**attributes: Any) -> onnx.ModelProto:
    sketch = Sketch(1)
    groups = attributes.get("group", 1)
    kernel = sketch.normal(4, 4 // groups, 3, 2)
    sketch("Conv", "x", kernel, sketch.normal(4), out="y", **attributes)
    return sketch.model({"x": ["n", 4, 7, 6]}, ["y"])


def conv_transpose(**attributes: Any) -> onnx.ModelProto:
    sketch = Sketch(2)
    groups = attributes.get("group", 1)
    kernel = sketch.normal(4, 6 // groups, 3, 2)
    sketch("ConvTranspose", "x", kernel, sketch.normal(6), out="y", **attributes)
    return sketch.model({"x": [1, 4, 5, 4]}, ["y"])


def pool(op: str, **attributes: Any) -> onnx.ModelProto:
    sketch = Sketch(3)
    relu = sketch("Relu", "x")
    sketch(op, relu, out="y", **attributes)
    return sketch.model({"x": [1, 2, 7, 5]}, ["y"])


def normed_conv() -> onnx.ModelProto:
    sketch = Sketch(4)
    inner = sketch("Conv", "x", sketch.normal(3, 2, 2, 2), sketch.normal(3), strides=[1, 1])
    positive = np.abs(sketch.normal(3)) + 0.5
    parts = (sketch.normal(3), sketch.normal(3), sketch.normal(3), positive)
    normal = sketch("BatchNormalization", inner, *parts)
    sketch("Mul", normal, sketch.normal(1, 3, 1, 1), out="y")
    return sketch.model({"x": [1, 2, 4, 4]}, ["y"])


def gemm() -> onnx.ModelProto:
    sketch = Sketch(5)
    hidden = sketch("Gemm", "x", sketch.normal(4, 5), sketch.normal(4), transB=1, alpha=0.5)
    sketch("Gemm", sketch("Relu", hidden), sketch.normal(4, 2), sketch.normal(2), beta=2.0, out="y")
    return sketch.model({"x": [1, 5]}, ["y"])


def linear_chain() -> onnx.ModelProto:
    """Affine from end to end, as forecasting models are."""
    sketch = Sketch(6)
    wide = sketch("MatMul", "x", sketch.normal(4, 32))
    wide = sketch("Add", wide, sketch.normal(32))
    again = sketch("MatMul", sketch("Reshape", wide, np.array([1, 32])), sketch.normal(32, 3))
    sketch("Add", again, sketch("MatMul", wide, sketch.normal(32, 3)), out="y")
    return sketch.model({"x": [1, 4]}, ["y"])


def recurrent(op: str, **attributes: Any) -> onnx.ModelProto:
    sketch = Sketch(7)
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[op]
    both = 2 if attributes.get("direction") == "bidirectional" else 1
    weights = (sketch.normal(both, gates * 3, 4), sketch.normal(both, gates * 3, 3))
    sketch(
        op, "x", *weights, sketch.normal(both, 2 * gates * 3), out="y", hidden_size=3, **attributes
    )
    return sketch.model({"x": [5, 1, 4]}, ["y"])


def layer_norm() -> onnx.ModelProto:
    sketch = Sketch(8)
    sketch("LayerNormalization", "x", sketch.normal(6), sketch.normal(6), out="y", axis=-1)
    return sketch.model({"x": [1, 4, 6]}, ["y"])


def quotient() -> onnx.ModelProto:
    sketch = Sketch(9)
    square = sketch("Pow", "x", np.array(2.0, np.float32))
    below = sketch("Sqrt", sketch("Add", square, np.array([1.0], np.float32)))
    half = sketch("Div", "x", np.array([2.5], np.float32))
    sketch("Div", half, below, out="y")
    return sketch.model({"x": [1, 6]}, ["y"])


def small_integers() -> onnx.ModelProto:
    """Products of 8-bit integers, which onnxruntime refuses."""
    sketch = Sketch(10)
    above = sketch("Cast", sketch("Greater", "x", np.zeros(4, np.float32)), to=TensorProto.INT8)
    product = sketch("MatMul", above, np.array([[1, 2], [0, 1], [3, 0], [1, 1]], np.int8))
    sketch("Cast", product, out="y", to=F32)
    return sketch.model({"x": [1, 4]}, ["y"])


def exported_tree() -> onnx.ModelProto:
    """A tree as exporters write one: answers, matches of paths, the place of the match, its value.

    Two trees share a comparison.
    """
    sketch = Sketch(11)
    outputs = []
    for features, limits in (([0, 1, 2], [0.5, -0.25, 1.0]), ([0, 3], [0.5, 0.0])):
        taken = sketch("Gather", "x", np.array(features), axis=1)
        answers = sketch("Less", taken, np.array(limits, np.float32))
        numbers = sketch("Cast", answers, to=F32)
        # leaf 0: yes; leaf 1: no, yes; the last: all no
        count = len(features)
        paths = np.zeros((count, count + 1), np.float32)
        wanted = np.ones(count + 1, np.float32)
        for leaf in range(count + 1):
            for place in range(min(leaf, count)):
                paths[place, leaf] = -1
            if leaf < count:
                paths[leaf, leaf] = 1
        wanted[-1] = 0
        score = sketch("MatMul", numbers, paths)
        hit = sketch("Cast", sketch("Equal", score, wanted), to=TensorProto.INT32)
        index = sketch("ArgMax", hit, axis=1, keepdims=0)
        outputs.append(sketch("Gather", sketch.normal(count + 1, 2), index, axis=0))
    sketch("Add", outputs[0], outputs[1], out="y")
    return sketch.model({"x": [1, 4]}, ["y"])


def tree_ensemble() -> onnx.ModelProto:
    sketch = Sketch(12)
    sketch(
        "TreeEnsembleRegressor",
        "x",
        out="y",
        domain="ai.onnx.ml",
        n_targets=1,
        base_values=[0.5],
        nodes_treeids=[0, 0, 0, 0, 0, 1, 1, 1],
        nodes_nodeids=[0, 1, 2, 3, 4, 0, 1, 2],
        nodes_featureids=[0, 1, 0, 0, 0, 2, 0, 0],
        nodes_values=[0.5, -0.5, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        nodes_modes=[
            *("BRANCH_LEQ", "BRANCH_GT", "LEAF", "LEAF", "LEAF"),
            *("BRANCH_LT", "LEAF", "LEAF"),
        ],
        nodes_truenodeids=[1, 3, 0, 0, 0, 1, 0, 0],
        nodes_falsenodeids=[2, 4, 0, 0, 0, 2, 0, 0],
        target_treeids=[0, 0, 0, 1, 1],
        target_nodeids=[2, 3, 4, 1, 2],
        target_ids=[0, 0, 0, 0, 0],
        target_weights=[1.0, 2.0, -3.0, 0.25, 4.0],
    )
    return sketch.model({"x": [1, 3]}, ["y"], domains=["ai.onnx.ml"])


def quantised() -> onnx.ModelProto:
    """A layer between a quantisation and a dequantisation."""
    sketch = Sketch(13)
    scale, zero = np.array(0.05, np.float32), np.array(128, np.uint8)
    taken = sketch("QuantizeLinear", "x", scale, zero)
    weights = np.random.default_rng(0).integers(-127, 127, (6, 4)).astype(np.int8)
    sums = sketch("MatMulInteger", taken, weights, zero, np.array(0, np.int8))
    real = sketch("Mul", sketch("Cast", sums, to=F32), np.array(0.05 * 0.01, np.float32))
    out = np.array(0.1, np.float32)
    held = sketch("QuantizeLinear", real, out, zero)
    sketch("DequantizeLinear", held, out, zero, out="y")
    return sketch.model({"x": [1, 6]}, ["y"])


def loop() -> onnx.ModelProto:
    """x = x * 2 + 1, three times, under a condition that holds."""
    body = helper.make_graph(
        [
            helper.make_node("Mul", ["s", "two"], ["d"]),
            helper.make_node("Add", ["d", "one"], ["e"]),
            helper.make_node("Identity", ["c"], ["cc"]),
            helper.make_node("Identity", ["e"], ["each"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("s", F32, [1, 6]),
        ],
        [
            helper.make_tensor_value_info("cc", TensorProto.BOOL, []),
            helper.make_tensor_value_info("e", F32, [1, 6]),
            helper.make_tensor_value_info("each", F32, [1, 6]),
        ],
        [numpy_helper.from_array(np.array([2.0], np.float32), "two")],
    )
    sketch = Sketch(14)
    sketch.weights["one"] = np.array([1.0], np.float32)
    sketch.weights["turns"] = np.array(3)
    sketch.weights["yes"] = np.array(True)
    sketch.nodes.append(helper.make_node("Loop", ["turns", "yes", "x"], ["last", "all"], body=body))
    sketch("Add", "last", sketch("ReduceSum", "all", np.array([0]), keepdims=0), out="y")
    return sketch.model({"x": [1, 6]}, ["y"])


#: for each pass a graph that it must change
EXAMPLES: dict[str, list[onnx.ModelProto]] = {
    "inline-control": [loop()],
    "tree-paths": [tree_ensemble()],
    "quantised-floats": [quantised()],
    "widen-integers": [small_integers()],
    "unroll-recurrent": [
        recurrent("RNN"),
        recurrent("GRU"),
        recurrent("GRU", linear_before_reset=1),
        recurrent("LSTM", direction="bidirectional"),
        recurrent("LSTM", direction="reverse"),
    ],
    "known-units": [
        unary("Mish", opset=18),
        unary("Gelu", opset=20),
        unary("Gelu", opset=20, approximate="tanh"),
        unary("Softplus"),
        unary("Softsign"),
        unary("ReduceL2", axes=[1]),
    ],
    "explicit-conv": [conv(), conv(dilations=[2, 1]), conv_transpose(dilations=[1, 2])],
    "decision-trees": [exported_tree()],
    "same-comparisons": [exported_tree()],
    "norm-parts": [layer_norm()],
    "products": [quotient()],
    "root-tables": [quotient()],
    "relu-after-pool": [pool("MaxPool", kernel_shape=[2, 2], strides=[2, 2])],
    "fold-channels": [normed_conv()],
    "merge-linear": [linear_chain()],
    "gemm-matmul": [gemm()],
    "conv-matmul": [
        conv(),
        conv(strides=[2, 2], pads=[1, 0, 1, 1]),
        conv(auto_pad="SAME_UPPER", strides=[2, 1]),
        conv(group=2, dilations=[2, 2]),
        conv(group=4),
        conv_transpose(strides=[2, 2]),
        conv_transpose(strides=[2, 1], pads=[1, 0, 0, 1], output_padding=[1, 0], group=2),
    ],
    "mean-sums": [
        pool("AveragePool", kernel_shape=[2, 2], strides=[2, 2]),
        pool("AveragePool", kernel_shape=[3, 2], pads=[1, 1, 1, 1]),
        pool("AveragePool", kernel_shape=[3, 2], pads=[1, 1, 1, 1], count_include_pad=1),
        pool("AveragePool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        pool("GlobalAveragePool"),
    ],
    "max-pairwise": [
        pool("MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
        pool("MaxPool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1, strides=[2, 2]),
        pool("GlobalMaxPool"),
        unary("ReduceMax", axes=[1]),
        unary("ReduceMin", axes=[1], keepdims=0),
    ],
    "clip-relu": [
        unary("Clip", np.array(-0.5, np.float32), np.array(1.5, np.float32)),
        unary("Clip", "", np.array(1.5, np.float32)),
        unary("Max", np.arange(6, dtype=np.float32)),
        unary("Min", np.arange(6, dtype=np.float32), np.ones(6, np.float32)),
    ],
    "leaky-relu": [
        unary("LeakyRelu", alpha=0.2),
        unary("PRelu", np.linspace(-1, 1, 6).astype(np.float32)),
    ],
    "exponential-units": [unary("Elu", alpha=0.7), unary("Selu"), unary("Celu", alpha=2.0)],
    "hard-relu": [unary("HardSigmoid"), unary("HardSwish")],
    "relu-abs": [unary("Relu"), gemm()],
}
