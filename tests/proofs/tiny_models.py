"""Small ONNX files for the tests, written by hand so that every one is understood."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    weights: dict[str, Any] | None = None,
    opset: int = 17,
) -> Path:
    """Writes a model without any check, so that broken ones can be written too."""
    stored = [
        value if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(value, name)
        for name, value in (weights or {}).items()
    ]
    graph = helper.make_graph(list(nodes), "graph", list(inputs), list(outputs), stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    path.write_bytes(model.SerializeToString())
    return path


def floats(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    """A float tensor as graph input or output."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def weights_of(sizes: Sequence[int], seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weight and bias of each dense layer."""
    generator = np.random.default_rng(seed)
    return [
        (
            (generator.normal(size=(rows, columns)) * 0.4).astype(np.float32),
            (generator.normal(size=columns) * 0.2).astype(np.float32),
        )
        for rows, columns in itertools.pairwise(sizes)
    ]


def dense(
    path: Path,
    sizes: Sequence[int],
    *,
    activation: str = "Relu",
    seed: int = 0,
    mirrored: bool = False,
) -> Path:
    """Dense layers with an activation between them; the batch dimension is symbolic.

    ``mirrored`` reverses the order of the outputs: another model with the very same numbers.
    """
    nodes, weights, value = [], {}, "x"
    layers = weights_of(sizes, seed)
    if mirrored:
        weight, bias = layers[-1]
        layers[-1] = (np.ascontiguousarray(weight[:, ::-1]), bias[::-1].copy())
    for index, (weight, bias) in enumerate(layers):
        weights[f"w{index}"], weights[f"b{index}"] = weight, bias
        last = index == len(layers) - 1
        out = "y" if last else f"h{index}"
        nodes.append(helper.make_node("Gemm", [value, f"w{index}", f"b{index}"], [out]))
        value = out
        if not last:
            nodes.append(helper.make_node(activation, [out], [f"a{index}"]))
            value = f"a{index}"
    return save(
        path, nodes, [floats("x", "batch", sizes[0])], [floats("y", "batch", sizes[-1])], weights
    )


def one_node(
    path: Path,
    operator: str,
    *,
    shape: Sequence[int | str] = (1, 4),
    weights: dict[str, Any] | None = None,
    opset: int = 17,
    domain: str = "",
    **attributes: Any,
) -> Path:
    """A model of a single operator on ``x`` and the given constants."""
    node = helper.make_node(operator, ["x", *(weights or {})], ["y"], domain=domain, **attributes)
    return save(path, [node], [floats("x", *shape)], [floats("y", *shape)], weights, opset)


def bomb(path: Path) -> Path:
    """About a hundred bytes that ask for 8 GB: the size of a constant is itself a constant."""
    nodes = [
        helper.make_node("ConstantOfShape", ["s"], ["c"]),
        helper.make_node("Add", ["x", "c"], ["y"]),
    ]
    return save(path, nodes, [floats("x", 1)], [floats("y", "n")], {"s": np.array([2**31])})


def hidden_bomb(path: Path) -> Path:
    """The same, but the size is computed from the input: no check can know it."""
    nodes = [
        helper.make_node("Mul", ["x", "s"], ["big"]),
        helper.make_node("Cast", ["big"], ["size"], to=TensorProto.INT64),
        helper.make_node("ConstantOfShape", ["size"], ["c"]),
        helper.make_node("Add", ["x", "c"], ["y"]),
    ]
    scale = {"s": np.array([2.0**31], np.float32)}
    return save(path, nodes, [floats("x", 1)], [floats("y", "n")], scale)


def endless(path: Path) -> Path:
    """A loop that adds 1 to its input for ever: 2**63 - 1 times."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["goes_on"]),
            helper.make_node("Add", ["sum", "one"], ["more"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("place", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            floats("sum", 1, 4),
        ],
        [helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []), floats("more", 1, 4)],
        [numpy_helper.from_array(np.ones((1, 4), np.float32), "one")],
    )
    node = helper.make_node("Loop", ["times", "always", "x"], ["y"], body=body)
    constants = {"times": np.array(2**63 - 1), "always": np.array(True)}
    return save(path, [node], [floats("x", 1, 4)], [floats("y", 1, 4)], constants)


def slow(path: Path) -> Path:
    """Within every bound on its size, and too long: a hundred thousand products of matrices."""
    size = 3000
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["total"]),
        helper.make_node("Expand", ["total", "s"], ["v0"]),
    ]
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["goes_on"]),
            helper.make_node("MatMul", ["m", "m"], ["product"]),
            helper.make_node("Tanh", ["product"], ["more"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("place", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            floats("m", size, size),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            floats("more", size, size),
        ],
    )
    nodes.append(helper.make_node("Loop", ["times", "always", "v0"], ["last"], body=body))
    nodes.append(helper.make_node("ReduceSum", ["last"], ["y"]))
    constants = {
        "s": np.array([size, size]),
        "times": np.array(100_000),
        "always": np.array(True),
    }
    return save(path, nodes, [floats("x", 1, 4)], [floats("y", 1, 1)], constants)


def run_of(model: Path) -> dict[str, Any]:
    """The request that runs a model of four inputs once."""
    return {"model": str(model), "shapes": [[1, 4]], "samples": [[[0.0] * 4]]}
