"""Writes operators of any opset in the form of opset 17, which all other passes read.

Opsets 13 and 18 moved attributes to inputs (axes, pads, split); older operators had other defaults.
"""

from __future__ import annotations

import numpy as np
from gateless.core.errors import ModelError

from gateless_proofs.rewrite.graph import OPSET, Emitter, Graph, Node

_REDUCTIONS = frozenset(
    (
        *("ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2"),
        *("ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"),
    )
)
_MOVED_TO_INPUT = {
    # operator: (opset, attribute, place of the input)
    "Squeeze": (13, "axes", 1),
    "Unsqueeze": (13, "axes", 1),
    "ReduceSum": (13, "axes", 1),
    "Split": (13, "split", 1),
    "Pad": (11, "pads", 1),
    "TopK": (10, "k", 1),
    "Tile": (6, "repeats", 1),
    "Reshape": (5, "shape", 1),
}


def to_canonical_opset(graph: Graph) -> None:
    """Rewrites every node to opset 17; needs shapes only for Softmax of old opsets."""
    version = graph.opsets.get("", OPSET)
    emit = Emitter(graph)
    for node in graph.nodes:
        if node.domain:
            emit.nodes.append(node)
            continue
        _move_attributes(emit, node, version)
        if not _replace(emit, graph, node, version):
            emit.nodes.append(node)
    graph.nodes = emit.nodes
    graph.opsets[""] = OPSET


def _move_attributes(emit: Emitter, node: Node, version: int) -> None:
    moved = _MOVED_TO_INPUT.get(node.op)
    if moved is not None and version < moved[0]:
        _, name, place = moved
        values = node.attributes.pop(name, None)
        if node.op == "Pad" and values is None:
            values = node.attributes.pop("paddings", None)
        if values is not None:
            _set_operand(node, place, emit.const(np.atleast_1d(values), np.int64))
    if node.op in _REDUCTIONS and version >= 18 and len(node.inputs) > 1:
        axes = emit.graph.value(node.inputs[1]) if node.inputs[1] else None
        if node.inputs[1] and axes is None:
            raise ModelError(
                "unsupported-operator",
                f"{node.op} with axes that are computed cannot be put into a circuit",
                hint="export the model with constant axes",
                operator=node.op,
            )
        node.inputs = node.inputs[:1]
        _set_axes(emit, node, axes)
    elif node.op == "Pad" and version < 11:
        value = node.attributes.pop("value", 0.0)
        if value:
            _set_operand(node, 2, emit.const(value))
    elif node.op == "Pad" and version >= 18 and node.operand(3):
        _expand_pad_axes(emit, node)
    elif node.op == "Clip" and version < 11:
        for place, name in ((1, "min"), (2, "max")):
            limit = node.attributes.pop(name, None)
            if limit is not None and abs(limit) < 3.4e38:
                _set_operand(node, place, emit.const(limit))
    elif node.op == "Split" and version >= 18:
        node.attributes.pop("num_outputs", None)
    elif node.op == "Dropout":
        node.inputs = node.inputs[:1]
        node.attributes = {}
    if node.op in ("Add", "Sub", "Mul", "Div", "Pow", "Gemm", "PRelu") and version < 7:
        node.attributes.pop("broadcast", None)
        node.attributes.pop("axis", None)
    for obsolete in ("consumed_inputs", "spatial"):
        node.attributes.pop(obsolete, None)


def _set_axes(emit: Emitter, node: Node, axes: np.ndarray | None) -> None:
    empty = axes is None or axes.size == 0
    if node.attributes.pop("noop_with_empty_axes", 0) and empty:
        node.op, node.attributes = "Identity", {}
    elif not empty and axes is not None:
        node.attributes["axes"] = [int(axis) for axis in axes]


def _expand_pad_axes(emit: Emitter, node: Node) -> None:
    graph = emit.graph
    axes, pads = graph.value(node.inputs[3]), graph.value(node.inputs[1])
    shape = graph.shape(node.inputs[0])
    if axes is None or pads is None or shape is None:
        raise ModelError(
            "unsupported-operator",
            "Pad with computed axes cannot be put into a circuit",
            hint="export the model with constant pads",
            operator="Pad",
        )
    full = np.zeros(2 * len(shape), np.int64)
    for place, axis in enumerate(int(axis) % len(shape) for axis in axes):
        full[axis] = pads[place]
        full[axis + len(shape)] = pads[place + len(axes)]
    node.inputs = [node.inputs[0], emit.const(full, np.int64), node.operand(2)]
    if not node.inputs[2]:
        node.inputs.pop()


def _set_operand(node: Node, place: int, name: str) -> None:
    while len(node.inputs) <= place:
        node.inputs.append("")
    node.inputs[place] = name


def _replace(emit: Emitter, graph: Graph, node: Node, version: int) -> bool:
    """Emits another form of a node; returns whether it did."""
    if node.op in ("Softmax", "LogSoftmax", "Hardmax") and version < 13:
        return _old_softmax(emit, graph, node)
    if node.op == "Upsample":
        _upsample(emit, node)
        return True
    if node.op == "Slice" and version < 10:
        _old_slice(emit, node)
    elif node.op == "BatchNormalization":
        node.outputs = node.outputs[:1]
        node.attributes = {"epsilon": node.attributes.get("epsilon", 1e-5)}
    elif node.op == "Dropout" and len(node.outputs) > 1:
        node.outputs = node.outputs[:1]
    elif node.op == "Scatter":
        node.op = "ScatterElements"
    elif node.op == "Resize" and version < 11:
        scales = node.inputs[1]
        node.inputs = [node.inputs[0], "", scales]
        node.attributes.update(coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    elif node.op == "GroupNormalization":
        return _group_norm(emit, graph, node, version)
    return False


def _old_softmax(emit: Emitter, graph: Graph, node: Node) -> bool:
    """Before opset 13 all dimensions from the axis on were one."""
    axis = int(node.attributes.get("axis", 1))
    shape = graph.shape(node.inputs[0])
    if shape is None:
        raise ModelError(
            "unbound-dimension",
            f"the shape of {node.inputs[0]!r}, an input of {node.op}, is not known",
            hint="export the model with static shapes",
        )
    axis %= len(shape)
    node.attributes["axis"] = len(shape) - 1
    if axis == len(shape) - 1:
        return False
    flat = [int(np.prod(shape[:axis])), int(np.prod(shape[axis:]))]
    inner = emit(node.op, [emit.reshape(node.inputs[0], flat)], axis=1)
    emit.reshape(inner, shape, node.output)
    return True


def _group_norm(emit: Emitter, graph: Graph, node: Node, version: int) -> bool:
    """Normalises groups of channels; scale and bias are per group before opset 21."""
    shape = graph.shape(node.inputs[0])
    scale, bias = graph.value(node.inputs[1]), graph.value(node.inputs[2])
    if shape is None or scale is None or bias is None:
        raise ModelError(
            "unsupported-operator",
            "GroupNormalization with computed scales cannot be put into a circuit",
            hint="export the model with constant scales",
            operator="GroupNormalization",
        )
    groups = int(node.attributes["num_groups"])
    if version < 21:
        scale, bias = (np.repeat(values, shape[1] // groups) for values in (scale, bias))
    ones, zeros = emit.const(np.ones(groups)), emit.const(np.zeros(groups))
    grouped = emit.reshape(node.inputs[0], [shape[0], groups, -1])
    epsilon = float(node.attributes.get("epsilon", 1e-5))
    normal = emit("InstanceNormalization", [grouped, ones, zeros], epsilon=epsilon)
    wide = (-1, *([1] * (len(shape) - 2)))
    scaled = emit("Mul", [emit.reshape(normal, shape), emit.const(scale.reshape(wide))])
    emit("Add", [scaled, emit.const(bias.reshape(wide))], node.output)
    return True


def _upsample(emit: Emitter, node: Node) -> None:
    scales = node.operand(1) or emit.const(node.attributes["scales"])
    mode = node.attributes.get("mode", "nearest")
    emit(
        "Resize",
        [node.inputs[0], "", scales],
        node.output,
        mode=mode,
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _old_slice(emit: Emitter, node: Node) -> None:
    starts, ends = node.attributes.pop("starts"), node.attributes.pop("ends")
    axes = node.attributes.pop("axes", None) or list(range(len(starts)))
    node.inputs = [
        node.inputs[0],
        *(emit.const(list(values), np.int64) for values in (starts, ends, axes)),
    ]
