"""Layer norms in parts, and roots by table."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.graph import Emitter, Graph, Node
from gateless_proofs.rewrite.nodes import replace_nodes


def _layer_norm(emit: Emitter, node: Node) -> bool:
    """(x - mean) / sqrt(variance + eps) * scale + bias over the last axes."""
    graph = emit.graph
    shape = graph.shape(node.inputs[0])
    if shape is None or len([name for name in node.outputs if name]) > 1:
        return False
    axis = int(node.attributes.get("axis", -1)) % len(shape)
    axes = list(range(axis, len(shape)))
    mean = emit("ReduceMean", [node.inputs[0]], axes=axes, keepdims=1)
    centred = emit("Sub", [node.inputs[0], mean])
    square = emit("Mul", [centred, centred])
    variance = emit("ReduceMean", [square], axes=axes, keepdims=1)
    epsilon = emit.const([float(node.attributes.get("epsilon", 1e-5))])
    root = emit("Sqrt", [emit("Add", [variance, epsilon])])
    result = emit("Mul", [centred, emit("Reciprocal", [root])])
    for op, name in (("Mul", node.operand(1)), ("Add", node.operand(2))):
        stored = graph.value(name) if name else None
        if not name or (stored is not None and (stored == (op == "Mul")).all()):
            continue
        result = emit(op, [result, name])
    emit("Identity", [result], node.output)
    return True


def _apply_norms(graph: Graph, _context: RewriteContext) -> bool:
    return replace_nodes(graph, {"LayerNormalization": _layer_norm})


def _apply_roots(graph: Graph, _context: RewriteContext) -> bool:
    """x^0.5 and x^-0.5: ezkl looks powers up that are not whole, and searches roots otherwise."""
    producers, uses = graph.producers(), graph.uses()
    changed = False
    for node in graph.nodes:
        if node.domain or not node.inputs or graph.dtype(node.output) != TensorProto.FLOAT:
            continue
        before = producers.get(node.inputs[0])
        if node.op == "Reciprocal" and before is not None and before.op in ("Sqrt", "Pow"):
            exponent = graph.value(before.operand(1)) if before.op == "Pow" else None
            if before.op == "Pow" and (exponent is None or exponent.reshape(-1).tolist() != [0.5]):
                continue
            if uses.get(before.output, 0) != 1:
                continue
            power, source = -0.5, before.inputs[0]
        elif node.op == "Sqrt":
            power, source = 0.5, node.inputs[0]
        else:
            continue
        node.op, node.attributes = "Pow", {}
        node.inputs = [source, graph.constant(power, np.float32)]
        changed = True
    return changed


NORM_PARTS = Pass(
    "norm-parts",
    "cost",
    1e-4,
    "layer norms as means, squares and one reciprocal root per row",
    _apply_norms,
)
ROOT_TABLES = Pass(
    "root-tables",
    "cost",
    1e-5,
    "roots and reciprocal roots as looked-up powers",
    _apply_roots,
)
