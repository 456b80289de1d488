"""Models that somebody could publish to harm whoever runs them. None is run outside a worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tiny_models import endless, floats, one_node, save

Maker = Callable[[Path], Path]
HUGE = 1 << 40


def _chain(nodes: Sequence[onnx.NodeProto], weights: dict[str, Any], opset: int = 17) -> Maker:
    return lambda path: save(path, nodes, [floats("x", 1, 4)], [floats("y", None)], weights, opset)


def _node(operator: str, weights: dict[str, Any], **options: Any) -> Maker:
    return lambda path: one_node(path, operator, weights=weights, **options)


def computed_constant(path: Path) -> Path:
    """The size is the product of two constants."""
    nodes = [
        helper.make_node("Mul", ["s", "s"], ["big"]),
        helper.make_node("ConstantOfShape", ["big"], ["c"]),
        helper.make_node("Add", ["x", "c"], ["y"]),
    ]
    return save(path, nodes, [floats("x", 1)], [floats("y", "n")], {"s": np.array([1 << 16])})


def doubled(path: Path) -> Path:
    """Forty times twice as long, starting with four numbers."""
    nodes = [
        helper.make_node("Concat", [f"v{turn}"] * 2, [f"v{turn + 1}"], axis=1) for turn in range(40)
    ]
    nodes[0].input[:] = ["x", "x"]
    nodes.append(helper.make_node("Identity", ["v40"], ["y"]))
    return save(path, nodes, [floats("x", 1, 4)], [floats("y", 1, "n")])


def outer_products(path: Path) -> Path:
    """Each product is as large as the square of the one before."""
    nodes = []
    for turn in range(5):
        nodes.append(helper.make_node("Reshape", [f"v{turn}", "column"], [f"c{turn}"]))
        nodes.append(helper.make_node("Reshape", [f"v{turn}", "row"], [f"r{turn}"]))
        nodes.append(helper.make_node("MatMul", [f"c{turn}", f"r{turn}"], [f"v{turn + 1}"]))
    for node in nodes[:2]:
        node.input[0] = "x"
    nodes.append(helper.make_node("Identity", ["v5"], ["y"]))
    constants = {"column": np.array([-1, 1]), "row": np.array([1, -1])}
    return save(path, nodes, [floats("x", 1, 4)], [floats("y", "n", "n")], constants)


def lying_shapes(path: Path) -> Path:
    """The file says that a tensor of a trillion elements has four."""
    nodes = [
        helper.make_node("Mul", ["s", "s"], ["big"]),
        helper.make_node("Expand", ["x", "big"], ["wide"]),
        helper.make_node("ReduceSum", ["wide"], ["y"]),
    ]
    save(path, nodes, [floats("x", 1, 4)], [floats("y", 1, 1)], {"s": np.array([1 << 20, 1])})
    model = onnx.load(path)
    model.graph.value_info.append(floats("wide", 1, 4))
    path.write_bytes(model.SerializeToString())
    return path


def many_large_values(path: Path) -> Path:
    """None is too large, all together take 64 GB."""
    nodes = [helper.make_node("Expand", ["x", "s"], ["v0"])]
    nodes += [helper.make_node("Relu", [f"v{turn}"], [f"v{turn + 1}"]) for turn in range(500)]
    nodes.append(helper.make_node("ReduceSum", ["v500"], ["y"]))
    shape = {"s": np.array([1 << 23, 4])}
    return save(path, nodes, [floats("x", 1, 4)], [floats("y", 1, 1)], shape)


def sparse_bomb(path: Path) -> Path:
    """One number that says it stands in a matrix of a trillion."""
    one_node(path, "MatMul", weights={"w": np.ones((4, 4), np.float32)})
    model = onnx.load(path)
    del model.graph.initializer[:]
    values = numpy_helper.from_array(np.ones(1, np.float32), "w")
    places = numpy_helper.from_array(np.array([0]), "w_places")
    sparse = helper.make_sparse_tensor(values, places, [1 << 20, 1 << 20])
    model.graph.sparse_initializer.append(sparse)
    path.write_bytes(model.SerializeToString())
    return path


def negative_dimension(path: Path) -> Path:
    tensor = numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    tensor.dims[:] = [-4, -4]
    return one_node(path, "MatMul", weights={"w": tensor})


def overflowing_dimensions(path: Path) -> Path:
    """The product of these is 0 in 64 bits."""
    tensor = numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    tensor.dims[:] = [1 << 32, 1 << 32]
    return one_node(path, "MatMul", weights={"w": tensor})


def computed_turns(path: Path) -> Path:
    """A loop whose number of turns the input decides."""
    endless(path)
    model = onnx.load(path)
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["largest"], keepdims=0),
        helper.make_node("Cast", ["largest"], ["turns"], to=TensorProto.INT64),
    ]
    model.graph.node[0].input[0] = "turns"
    loop = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *loop])
    path.write_bytes(model.SerializeToString())
    return path


def while_true(path: Path) -> Path:
    """A loop without a number of turns, as long as a condition holds."""
    endless(path)
    model = onnx.load(path)
    model.graph.node[0].input[0] = ""
    path.write_bytes(model.SerializeToString())
    return path


def laughs(path: Path) -> Path:
    """Ten functions, each of which calls the one before it ten times: ten billion steps."""
    one_node(path, "F9", domain="own")
    model = onnx.load(path)
    model.opset_import.append(helper.make_opsetid("own", 1))
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    for level in range(10):
        operator, domain = ("Relu", "") if level == 0 else (f"F{level - 1}", "own")
        names = ["x", *(f"v{turn}" for turn in range(9)), "y"]
        body = [
            helper.make_node(operator, [names[turn]], [names[turn + 1]], domain=domain)
            for turn in range(10)
        ]
        model.functions.append(
            helper.make_function("own", f"F{level}", ["x"], ["y"], body, imports)
        )
    path.write_bytes(model.SerializeToString())
    return path


def calls_itself(path: Path) -> Path:
    one_node(path, "F", domain="own")
    model = onnx.load(path)
    model.opset_import.append(helper.make_opsetid("own", 1))
    body = [helper.make_node("F", ["x"], ["y"], domain="own")]
    imports = [helper.make_opsetid("own", 1)]
    model.functions.append(helper.make_function("own", "F", ["x"], ["y"], body, imports))
    path.write_bytes(model.SerializeToString())
    return path


def nested(path: Path, depth: int = 24) -> Path:
    """Branches within branches."""
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["z"])], "innermost", [], [floats("z", 1, 4)]
    )
    for level in range(depth):
        out = "y" if level == depth - 1 else "z"
        node = helper.make_node("If", ["c"], [out], then_branch=graph, else_branch=graph)
        # one branch only, or the file would double with each level
        node.attribute[1].g.CopyFrom(
            helper.make_graph(
                [helper.make_node("Identity", ["x"], ["z"])], "other", [], [floats("z", 1, 4)]
            )
        )
        graph = helper.make_graph([node], f"level{level}", [], [floats(out, 1, 4)])
    condition = {"c": np.array(True)}
    return save(path, list(graph.node), [floats("x", 1, 4)], [floats("y", 1, 4)], condition)


def deeper_than_protobuf(path: Path) -> Path:
    """Graph within attribute within node within graph, a thousand times."""
    graph = b""
    for _ in range(1000):
        graph = _field(1, _field(5, _field(6, graph)))
    path.write_bytes(b"\x08\x08" + _field(8, b"\x10\x11") + _field(7, graph))
    return path


def external(location: str) -> onnx.TensorProto:
    tensor = numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "64")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return tensor


def external_file(location: str) -> Maker:
    return lambda path: one_node(path, "MatMul", weights={"w": external(location)})


def external_without_saying_so(path: Path) -> Path:
    """Names a file, but not that its data are there."""
    tensor = external("secret")
    tensor.ClearField("data_location")
    return one_node(path, "MatMul", weights={"w": tensor})


def external_in_sparse(path: Path) -> Path:
    sparse_bomb(path)
    model = onnx.load(path)
    sparse = model.graph.sparse_initializer[0]
    sparse.dims[:] = [4, 4]
    sparse.values.CopyFrom(external("secret"))
    path.write_bytes(model.SerializeToString())
    return path


def external_in_default_attribute(path: Path) -> Path:
    """In what a function takes where its caller says nothing."""
    laughs(path)
    model = onnx.load(path)
    model.functions[0].attribute_proto.append(helper.make_attribute("w", external("secret")))
    path.write_bytes(model.SerializeToString())
    return path


def training(path: Path) -> Path:
    one_node(path, "Relu")
    model = onnx.load(path)
    model.training_info.add().algorithm.initializer.append(external("secret"))
    path.write_bytes(model.SerializeToString())
    return path


def pickled(path: Path) -> Path:
    """Runs a program where it is loaded by pickle, as some other formats are."""
    path.write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    return path


def zipped(path: Path) -> Path:
    path.write_bytes(b"PK\x03\x04" + bytes(1000))
    return path


def empty_nodes(path: Path) -> Path:
    """A million operators of two bytes each, far larger in memory."""
    nodes = _field(1, b"") * 1_000_000
    path.write_bytes(b"\x08\x08" + _field(8, b"\x10\x11") + _field(7, nodes))
    return path


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field as protobuf spells it."""
    length, size = len(content), b""
    while True:
        size += bytes([length & 0x7F | (0x80 if length > 0x7F else 0)])
        length >>= 7
        if not length:
            return bytes([number << 3 | 2]) + size + content


#: name -> maker and the code with which it is refused before it is run
REFUSED: dict[str, tuple[Maker, str]] = {
    "expand": (_node("Expand", {"s": np.array([HUGE, 4])}), "tensor-too-large"),
    "tile": (_node("Tile", {"s": np.array([HUGE, 1])}), "tensor-too-large"),
    "pad": (_node("Pad", {"s": np.array([0, HUGE, 0, 0])}), "tensor-too-large"),
    "computed-constant": (computed_constant, "tensor-too-large"),
    "resize-scales": (
        _chain(
            [helper.make_node("Resize", ["x", "", "s"], ["y"], mode="nearest")],
            {"s": np.array([1, 2.0**30], np.float32)},
        ),
        "tensor-too-large",
    ),
    "resize-sizes": (
        _chain(
            [helper.make_node("Resize", ["x", "", "", "s"], ["y"], mode="nearest")],
            {"s": np.array([1, HUGE])},
        ),
        "tensor-too-large",
    ),
    "one-hot": (
        _chain(
            [
                helper.make_node("ArgMax", ["x"], ["i"], axis=1),
                helper.make_node("OneHot", ["i", "depth", "values"], ["y"]),
            ],
            {"depth": np.array(HUGE), "values": np.array([0, 1], np.float32)},
        ),
        "tensor-too-large",
    ),
    "range": (
        _chain(
            [helper.make_node("Range", ["zero", "end", "one"], ["y"])],
            {"zero": np.array(0), "end": np.array(HUGE), "one": np.array(1)},
        ),
        "tensor-too-large",
    ),
    "transposed-convolution": (
        _node(
            "ConvTranspose",
            {"w": np.ones((1, 1, 2), np.float32)},
            shape=(1, 1, 1 << 15),
            strides=[1 << 15],
        ),
        "tensor-too-large",
    ),
    "einsum": (
        _chain(
            [
                helper.make_node("Einsum", ["w", "w"], ["v"], equation="a,b->ab"),
                helper.make_node("Add", ["v", "x"], ["y"]),
            ],
            {"w": np.ones(1 << 14, np.float32)},
        ),
        "tensor-too-large",
    ),
    "doubled": (doubled, "tensor-too-large"),
    "outer-products": (outer_products, "tensor-too-large"),
    "lying-shapes": (lying_shapes, "tensor-too-large"),
    "sparse": (sparse_bomb, "tensor-too-large"),
    "many-large-values": (many_large_values, "model-too-large"),
    "negative-dimension": (negative_dimension, "invalid-model"),
    "overflowing-dimensions": (overflowing_dimensions, "tensor-too-large"),
    "endless-loop": (endless, "model-too-complex"),
    "while-true": (while_true, "unbounded-loop"),
    "computed-turns": (computed_turns, "unbounded-loop"),
    "laughs": (laughs, "model-too-complex"),
    "calls-itself": (calls_itself, "invalid-model"),
    "nested": (nested, "model-too-complex"),
    "deeper-than-protobuf": (deeper_than_protobuf, "not-onnx"),
    "custom-operator": (_node("Evil", {}, domain="evil.example"), "unsupported-operator"),
    "vendor-operator": (_node("FusedGemm", {}, domain="com.microsoft"), "unsupported-operator"),
    "unknown-operator": (_node("Evil", {}), "unsupported-operator"),
    "text-operator": (
        _node("RegexFullMatch", {}, pattern="(a+)+", opset=20),
        "unsupported-operator",
    ),
    "external-absolute": (external_file("/etc/passwd"), "external-data"),
    "external-above": (external_file("../../secret"), "external-data"),
    "external-beside": (external_file("secret"), "external-data"),
    "external-url": (external_file("http://169.254.169.254/latest/"), "external-data"),
    "external-unsaid": (external_without_saying_so, "external-data"),
    "external-sparse": (external_in_sparse, "external-data"),
    "external-default": (external_in_default_attribute, "external-data"),
    "training": (training, "invalid-model"),
    "pickle": (pickled, "not-onnx"),
    "zip": (zipped, "not-onnx"),
    "empty-nodes": (empty_nodes, "model-too-complex"),
}
