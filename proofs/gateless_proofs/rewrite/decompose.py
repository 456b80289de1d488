"""Operators that ezkl does not take, or takes only in one form, written with those it does."""

from __future__ import annotations

import math

import numpy as np
from onnx import TensorProto

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.graph import Emitter, Graph, Node
from gateless_proofs.rewrite.nodes import replace_nodes, scalar

_NARROW = (TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT16)


def _mish(emit: Emitter, node: Node) -> bool:
    """x * tanh(ln(1 + e^x)), and tanh(ln(1 + e)) = 1 - 2 / ((1 + e)^2 + 1)."""
    value = node.inputs[0]
    emit("Mul", [value, emit("Tanh", [emit("Softplus", [value])])], node.output)
    return True


def _gelu(emit: Emitter, node: Node) -> bool:
    value = node.inputs[0]
    if node.attributes.get("approximate", "none") == "tanh":
        cube = emit("Mul", [emit("Mul", [value, value]), value])
        inner = emit("Add", [value, emit("Mul", [cube, emit.const(0.044715)])])
        curve = emit("Tanh", [emit("Mul", [inner, emit.const(math.sqrt(2.0 / math.pi))])])
    else:
        curve = emit("Erf", [emit("Mul", [value, emit.const(1.0 / math.sqrt(2.0))])])
    half = emit("Mul", [value, emit.const(0.5)])
    emit("Mul", [half, emit("Add", [curve, emit.const([1.0])])], node.output)
    return True


def _softsign(emit: Emitter, node: Node) -> bool:
    """x / (1 + |x|)."""
    value = node.inputs[0]
    below = emit("Add", [emit("Abs", [value]), emit.const([1.0])])
    emit("Mul", [value, emit("Reciprocal", [below])], node.output)
    return True


def _softplus(emit: Emitter, node: Node) -> bool:
    """relu(x) + ln(1 + e^-|x|): both tables stay small whatever x is."""
    value = node.inputs[0]
    fall = emit("Exp", [emit("Neg", [emit("Abs", [value])])])
    rest = emit("Log", [emit("Add", [fall, emit.const([1.0])])])
    emit("Add", [emit("Relu", [value]), rest], node.output)
    return True


def _thresholded(emit: Emitter, node: Node) -> bool:
    alpha = float(node.attributes.get("alpha", 1.0))
    value = node.inputs[0]
    above = emit("Cast", [emit("Greater", [value, emit.const([alpha])])], to=TensorProto.FLOAT)
    emit("Mul", [value, above], node.output)
    return True


def _shrink(emit: Emitter, node: Node) -> bool:
    """relu-like on both sides of a dead zone."""
    bias = float(node.attributes.get("bias", 0.0))
    limit = float(node.attributes.get("lambd", 0.5))
    value = node.inputs[0]
    over = emit("Cast", [emit("Greater", [value, emit.const([limit])])], to=TensorProto.FLOAT)
    under = emit("Cast", [emit("Less", [value, emit.const([-limit])])], to=TensorProto.FLOAT)
    kept = emit("Mul", [value, emit("Add", [over, under])])
    if not bias:
        emit("Identity", [kept], node.output)
        return True
    moved = emit("Mul", [emit("Sub", [under, over]), emit.const(bias)])
    emit("Add", [kept, moved], node.output)
    return True


def _sum(emit: Emitter, node: Node) -> bool:
    """Sum and Mean of any number of tensors."""
    value = node.inputs[0]
    for other in node.inputs[1:]:
        value = emit("Add", [value, other])
    if node.op == "Mean":
        value = emit("Mul", [value, emit.const(1.0 / len(node.inputs))])
    emit("Identity", [value], node.output)
    return True


def _reduce(emit: Emitter, node: Node) -> bool:
    """Reductions by sums of squares, absolute values, exponentials."""
    value, op = node.inputs[0], node.op
    before = {"ReduceL1": "Abs", "ReduceLogSumExp": "Exp"}.get(op)
    if before:
        value = emit(before, [value])
    elif op in ("ReduceL2", "ReduceSumSquare"):
        value = emit("Mul", [value, value])
    axes = node.attributes.get("axes")
    inputs = [value] + ([emit.const(list(axes), np.int64)] if axes else [])
    keep = int(node.attributes.get("keepdims", 1))
    after = {"ReduceL2": "Sqrt", "ReduceLogSum": "Log", "ReduceLogSumExp": "Log"}.get(op)
    total = emit("ReduceSum", inputs, "" if after else node.output, keepdims=keep)
    if after:
        emit(after, [total], node.output)
    return True


def _norm(emit: Emitter, node: Node) -> bool:
    """Instance norms: mean and variance over the pixels of each channel."""
    graph = emit.graph
    shape = graph.shape(node.inputs[0])
    scale, bias = graph.value(node.inputs[1]), graph.value(node.inputs[2])
    if shape is None or scale is None or bias is None:
        return False
    axes = list(range(2, len(shape)))
    wide = (-1, *([1] * len(axes)))
    mean = emit("ReduceMean", [node.inputs[0]], axes=axes, keepdims=1)
    centred = emit("Sub", [node.inputs[0], mean])
    square = emit("Mul", [centred, centred])
    variance = emit("ReduceMean", [square], axes=axes, keepdims=1)
    epsilon = emit.const([float(node.attributes.get("epsilon", 1e-5))])
    inverse = emit("Reciprocal", [emit("Sqrt", [emit("Add", [variance, epsilon])])])
    scaled = emit("Mul", [emit("Mul", [centred, inverse]), emit.const(scale.reshape(wide))])
    emit("Add", [scaled, emit.const(bias.reshape(wide))], node.output)
    return True


def _divide(emit: Emitter, node: Node) -> bool:
    """A quotient of two tensors as a product with the reciprocals of the smaller one."""
    graph = emit.graph
    below = graph.value(node.inputs[1])
    if not graph.is_float(node.inputs[1]) or not graph.is_float(node.inputs[0]):
        return False
    if below is not None:
        if not np.all(below):
            return False
        inverse = emit.const(1.0 / below.astype(np.float64))
    else:
        inverse = emit("Reciprocal", [node.inputs[1]])
    emit("Mul", [node.inputs[0], inverse], node.output)
    return True


def _power(emit: Emitter, node: Node) -> bool:
    """Small whole powers as products."""
    exponent = scalar(emit.graph, node.inputs[1])
    if exponent not in (1.0, 2.0, 3.0, 4.0) or not emit.graph.is_float(node.inputs[0]):
        return False
    value = node.inputs[0]
    square = emit("Mul", [value, value]) if exponent > 1 else value
    if exponent == 3.0:
        square = emit("Mul", [square, value])
    elif exponent == 4.0:
        square = emit("Mul", [square, square])
    emit("Identity", [square], node.output)
    return True


def _top_k(emit: Emitter, node: Node) -> bool:
    """ezkl gives the values or the places, so each gets a node."""
    used = emit.graph.uses()
    if len(node.outputs) < 2 or not all(used.get(name) for name in node.outputs):
        return False
    for place, name in enumerate(node.outputs):
        outputs = ["", ""]
        outputs[place] = name
        if not place:
            outputs.pop()
        else:
            outputs[0] = emit.graph.fresh("values")
        emit.nodes.append(Node("TopK", list(node.inputs), outputs, dict(node.attributes)))
    return True


def _wide_product(emit: Emitter, node: Node) -> bool:
    """onnxruntime multiplies matrices of 32-bit integers and up only."""
    graph = emit.graph
    dtype = graph.dtype(node.inputs[0])
    if dtype not in _NARROW:
        return False
    inputs = [emit("Cast", [name], to=TensorProto.INT32) for name in node.inputs]
    emit("Cast", [emit("MatMul", inputs)], node.output, to=dtype)
    return True


def _apply_units(graph: Graph, _context: RewriteContext) -> bool:
    rules = {
        "Mish": _mish,
        "Gelu": _gelu,
        "Softsign": _softsign,
        "ThresholdedRelu": _thresholded,
        "Shrink": _shrink,
        "Sum": _sum,
        "Mean": _sum,
        "ReduceL1": _reduce,
        "ReduceL2": _reduce,
        "ReduceLogSum": _reduce,
        "ReduceLogSumExp": _reduce,
        "ReduceSumSquare": _reduce,
        "InstanceNormalization": _norm,
        "TopK": _top_k,
    }
    changed = replace_nodes(graph, rules)
    return replace_nodes(graph, {"Softplus": _softplus}) or changed


def _apply_quotients(graph: Graph, _context: RewriteContext) -> bool:
    return replace_nodes(graph, {"Div": _divide, "Pow": _power})


def _apply_integers(graph: Graph, _context: RewriteContext) -> bool:
    return replace_nodes(graph, {"MatMul": _wide_product})


UNITS = Pass(
    "known-units",
    "conformance",
    1e-5,
    "Gelu, Mish, Softplus, norms, shrinks and reductions by the operators that ezkl has",
    _apply_units,
)
WIDEN_INTEGERS = Pass(
    "widen-integers",
    "conformance",
    0.0,
    "products of 8- and 16-bit matrices in 32 bits, as onnxruntime wants them",
    _apply_integers,
)
PRODUCTS = Pass(
    "products",
    "cost",
    1e-5,
    "quotients as products with reciprocals, small powers as products",
    _apply_quotients,
)
