"""Convolutions as a Gather of their windows and one matrix product.

A Gather by constant places costs no rows, and other passes see a product of matrices. Dilations,
groups, missing strides and automatic padding, which ezkl does not take, disappear on the way.
"""

from __future__ import annotations

import numpy as np

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.graph import Array, Emitter, Graph, Node
from gateless_proofs.rewrite.nodes import add_constant, flattened, replace_nodes, taken
from gateless_proofs.rewrite.windows import Windows, sliding, transposed


def _conv(emit: Emitter, node: Node) -> bool:
    graph = emit.graph
    shape, weights = graph.shape(node.inputs[0]), graph.value(node.inputs[1])
    if shape is None or weights is None:
        return False
    windows = sliding(node, shape[2:], weights.shape[2:])
    groups = int(node.attributes.get("group", 1))
    outputs = weights.shape[0]
    # [groups, inputs per group * taps, outputs per group]
    matrix = weights.reshape(groups, outputs // groups, -1).transpose(0, 2, 1)
    return _lower(emit, node, shape, windows, matrix)


def _conv_transpose(emit: Emitter, node: Node) -> bool:
    graph = emit.graph
    shape, weights = graph.shape(node.inputs[0]), graph.value(node.inputs[1])
    if shape is None or weights is None:
        return False
    windows = transposed(node, shape[2:], weights.shape[2:])
    groups = int(node.attributes.get("group", 1))
    inputs, per_group = weights.shape[0] // groups, weights.shape[1]
    split = weights.reshape(groups, inputs, per_group, -1).transpose(0, 1, 3, 2)
    matrix = split.reshape(groups, -1, per_group)
    return _lower(emit, node, shape, windows, matrix)


def _lower(
    emit: Emitter, node: Node, shape: tuple[int, ...], windows: Windows, matrix: Array
) -> bool:
    """Windows of the flat image times the kernel's matrix."""
    rows, channels = shape[0], shape[1]
    groups, _, per_group = matrix.shape
    pixels = int(np.prod(shape[2:]))
    flat = flattened(emit, node.inputs[0], shape)
    positions, taps = windows.places.shape
    per = channels // groups
    places = np.full((groups, positions, per, taps), channels * pixels, np.int64)
    inside = windows.places >= 0
    for group in range(groups):
        for channel in range(per):
            base = (group * per + channel) * pixels
            places[group, :, channel, :] = np.where(
                inside, windows.places + base, channels * pixels
            )
    if not inside.all():
        flat = emit("Pad", [flat, emit.const([0, 0, 0, 1], np.int64)])
    stored = node.operand(2)
    bias = emit.graph.value(stored) if stored else None
    outputs = groups * per_group
    if groups == 1:
        window = taken(emit, flat, places.reshape(positions, per * taps))
        result = emit("MatMul", [window, emit.const(matrix[0])])
        result = _biased(emit, result, stored, bias, (outputs,))
        result = emit("Transpose", [result], perm=[0, 2, 1])
    else:
        window = taken(emit, flat, places.reshape(groups, positions, per * taps))
        result = emit("MatMul", [window, emit.const(matrix)])
        result = _biased(emit, result, stored, bias, (groups, 1, per_group))
        result = emit("Transpose", [result], perm=[0, 1, 3, 2])
    emit.reshape(result, [rows, outputs, *windows.output], node.output)
    return True


def _biased(
    emit: Emitter, value: str, name: str, bias: Array | None, shape: tuple[int, ...]
) -> str:
    if not name:
        return value
    if bias is None:
        return emit("Add", [value, emit.reshape(name, shape)])
    return add_constant(emit, value, bias.reshape(shape))


def _apply(graph: Graph, _context: RewriteContext) -> bool:
    return replace_nodes(graph, {"Conv": _conv, "ConvTranspose": _conv_transpose})


def _explicit(emit: Emitter, node: Node) -> bool:
    """Strides, pads and kernels without gaps, as ezkl's own convolution wants them."""
    graph = emit.graph
    shape, weights = graph.shape(node.inputs[0]), graph.value(node.inputs[1])
    if shape is None or weights is None:
        return False
    rank = len(shape) - 2
    dilations = [int(step) for step in node.attributes.get("dilations") or [1] * rank]
    missing = not node.attributes.get("strides")
    if not missing and all(step == 1 for step in dilations):
        return False
    kernel = weights.shape[2:]
    extent = [(size - 1) * step + 1 for size, step in zip(kernel, dilations, strict=True)]
    dense = np.zeros((*weights.shape[:2], *extent), weights.dtype)
    dense[(slice(None), slice(None), *(slice(None, None, step) for step in dilations))] = weights
    attributes = dict(node.attributes)
    attributes.update(dilations=[1] * rank, kernel_shape=extent)
    attributes["strides"] = node.attributes.get("strides") or [1] * rank
    inputs = [node.inputs[0], emit.const(dense), *node.inputs[2:]]
    emit(node.op, inputs, node.output, **attributes)
    return True


def _apply_explicit(graph: Graph, _context: RewriteContext) -> bool:
    return replace_nodes(graph, {"Conv": _explicit, "ConvTranspose": _explicit})


EXPLICIT_CONV = Pass(
    "explicit-conv",
    "conformance",
    1e-5,
    "writes out the strides of convolutions and fills the gaps of dilated kernels with zeros",
    _apply_explicit,
)
CONV_MATMUL = Pass(
    "conv-matmul",
    "cost",
    1e-5,
    "convolutions as a Gather of their windows and a matrix product",
    _apply,
)
