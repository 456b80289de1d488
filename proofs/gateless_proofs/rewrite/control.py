"""Branches and loops whose course is fixed by constants, laid out in line."""

from __future__ import annotations

import numpy as np
import onnx

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.graph import Emitter, Graph, Node, Value, captured
from gateless_proofs.rewrite.nodes import replace_nodes, scalar
from gateless_proofs.rewrite.opsets import to_canonical_opset

#: a loop of more turns than this would not fit a circuit
_MAX_TURNS = 4096


def inline(emit: Emitter, body: onnx.GraphProto, given: list[str]) -> list[str]:
    """Writes a subgraph's nodes with fresh names; returns the names of its outputs.

    Args:
        given: names of the values that its inputs stand for, in order.
    """
    graph = emit.graph
    inner = Graph.parse_graph(body, {**graph.opsets, "": graph.written_in})
    to_canonical_opset(inner)
    names = dict(zip((value.name for value in inner.inputs), given, strict=True))
    for name, array in inner.constants.items():
        names[name] = graph.fresh("inner")
        graph.constants[names[name]] = array
    for node in inner.nodes:
        outputs = []
        for name in node.outputs:
            names[name] = graph.fresh("inner") if name else ""
            outputs.append(names[name])
        copy = Node(node.op, [], outputs, dict(node.attributes), node.domain)
        copy.inputs = [names.get(name, name) for name in node.inputs]
        for name in captured(copy):
            if name in names:
                _rename_capture(copy, name, names[name])
        emit.nodes.append(copy)
    return [names.get(value.name, value.name) for value in inner.outputs]


def _rename_capture(node: Node, old: str, new: str) -> None:
    holder = Graph([], [Value("", 0, ())], [node], {}, {})
    holder.rename_uses(old, new)


def _if(emit: Emitter, node: Node) -> bool:
    condition = scalar(emit.graph, node.inputs[0])
    if condition is None:
        return False
    branch = node.attributes["then_branch" if condition else "else_branch"]
    for output, made in zip(node.outputs, inline(emit, branch, []), strict=True):
        if output:
            emit("Identity", [made], output)
    return True


def _loop(emit: Emitter, node: Node) -> bool:
    graph = emit.graph
    turns = scalar(graph, node.operand(0)) if node.operand(0) else None
    start = scalar(graph, node.operand(1)) if node.operand(1) else 1.0
    body: onnx.GraphProto = node.attributes["body"]
    if turns is None or start is None or not _always_goes_on(body) or turns > _MAX_TURNS:
        return False
    count = int(turns) if start else 0
    carried = list(node.inputs[2:])
    scanned: list[list[str]] = [[] for _ in range(len(node.outputs) - len(carried))]
    if not count and any(node.outputs[len(carried) :]):
        return False

    for turn in range(count):
        given = [emit.const(turn, np.int64), emit.const(True, np.bool_), *carried]
        made = inline(emit, body, given)
        carried = made[1 : 1 + len(carried)]
        for pieces, name in zip(scanned, made[1 + len(carried) :], strict=True):
            pieces.append(emit("Unsqueeze", [name, emit.const([0], np.int64)]))
    for output, name in zip(node.outputs, carried, strict=False):
        if output:
            emit("Identity", [name], output)
    for output, pieces in zip(node.outputs[len(carried) :], scanned, strict=True):
        if output:
            emit("Concat", pieces, output, axis=0)
    return True


def _always_goes_on(body: onnx.GraphProto) -> bool:
    """Whether a loop's body hands its condition on or says yes."""
    name = body.output[0].name
    aliases = {body.input[1].name}
    for node in body.node:
        if node.op_type == "Identity" and node.input[0] in aliases:
            aliases.add(node.output[0])
    if name in aliases:
        return True
    number = scalar(Graph.parse_graph(body, {"": 17}), name)
    return number is not None and bool(number)


def _scan(emit: Emitter, node: Node) -> bool:

    graph = emit.graph
    body: onnx.GraphProto = node.attributes["body"]
    count = int(node.attributes["num_scan_inputs"])
    states = list(node.inputs[: len(node.inputs) - count])
    sources = node.inputs[len(node.inputs) - count :]
    axes = node.attributes.get("scan_input_axes") or [0] * count
    back = node.attributes.get("scan_input_directions") or [0] * count
    results = len(node.outputs) - len(states)
    out_axes = node.attributes.get("scan_output_axes") or [0] * results
    out_back = node.attributes.get("scan_output_directions") or [0] * results
    first = graph.shape(sources[0])
    if first is None or len(body.input) != len(node.inputs) or not node.inputs[0]:
        return False
    length = first[axes[0]]
    if not 0 < length <= _MAX_TURNS:
        return False
    pieces: list[list[str]] = [[] for _ in range(results)]
    for turn in range(length):
        given = list(states)
        for name, axis, reverse in zip(sources, axes, back, strict=True):
            place = length - 1 - turn if reverse else turn
            given.append(emit("Gather", [name, emit.const(place, np.int64)], axis=int(axis)))
        made = inline(emit, body, given)
        states = made[: len(states)]
        for store, name, axis in zip(pieces, made[len(states) :], out_axes, strict=True):
            store.append(emit("Unsqueeze", [name, emit.const([int(axis)], np.int64)]))
    for output, name in zip(node.outputs, states, strict=False):
        if output:
            emit("Identity", [name], output)
    for place, output in enumerate(node.outputs[len(states) :]):
        if output:
            parts = pieces[place][::-1] if out_back[place] else pieces[place]
            emit("Concat", parts, output, axis=int(out_axes[place]))
    return True


def _apply(graph: Graph, _context: RewriteContext) -> bool:
    changed = False
    while replace_nodes(graph, {"If": _if, "Loop": _loop, "Scan": _scan}):
        changed = True
    return changed


INLINE_CONTROL = Pass(
    "inline-control",
    "conformance",
    0.0,
    "branches on constants and loops of constant length, in line",
    _apply,
)
