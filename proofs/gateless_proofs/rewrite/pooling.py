"""Pools as gathers, pairwise maxima and sums."""

from __future__ import annotations

import numpy as np

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.graph import Array, Emitter, Graph, Node
from gateless_proofs.rewrite.nodes import flattened, rectified, replace_nodes, taken
from gateless_proofs.rewrite.windows import sliding


def _max_pool(emit: Emitter, node: Node) -> bool:
    graph = emit.graph
    shape = graph.shape(node.inputs[0])
    used = len([name for name in node.outputs if name])
    if shape is None or used > 1 or not graph.is_float(node.inputs[0]):
        return False
    windows = sliding(node, shape[2:], node.attributes["kernel_shape"])
    _channel_maxima(emit, node, shape, windows.places, windows.output)
    return True


def _global_max(emit: Emitter, node: Node) -> bool:
    shape = emit.graph.shape(node.inputs[0])
    if shape is None or not emit.graph.is_float(node.inputs[0]):
        return False
    pixels = int(np.prod(shape[2:]))
    places = np.arange(pixels)[None]
    _channel_maxima(emit, node, shape, places, (1,) * (len(shape) - 2))
    return True


def _channel_maxima(
    emit: Emitter, node: Node, shape: tuple[int, ...], places: Array, output: tuple[int, ...]
) -> None:
    channels, pixels = shape[1], int(np.prod(shape[2:]))
    sets = [
        [channel * pixels + int(place) for place in window if place >= 0]
        for channel in range(channels)
        for window in places
    ]
    flat = flattened(emit, node.inputs[0], shape)
    result = maxima(emit, flat, channels * pixels, sets)
    emit.reshape(result, [shape[0], channels, *output], node.output)


def maxima(emit: Emitter, flat: str, width: int, sets: list[list[int]]) -> str:
    """The largest of each set of columns of a flat [rows, width] tensor, by rounds of pairs.

    Pairs that several sets share, as overlapping windows do, are compared once.
    """
    while any(len(entries) > 1 for entries in sets):
        pairs: dict[tuple[int, int], int] = {}
        following: list[list[int]] = []
        for entries in sets:
            merged = []
            for left, right in zip(entries[::2], entries[1::2], strict=False):
                merged.append(pairs.setdefault((left, right), width + len(pairs)))
            following.append(merged + ([entries[-1]] if len(entries) % 2 else []))
        first = taken(emit, flat, np.array([left for left, _ in pairs]))
        second = taken(emit, flat, np.array([right for _, right in pairs]))
        larger = emit("Add", [first, rectified(emit, emit("Sub", [second, first]))])
        flat = emit("Concat", [flat, larger], axis=1)
        width += len(pairs)
        sets = following
    return taken(emit, flat, np.array([entries[0] for entries in sets]))


def _reduce_max(emit: Emitter, node: Node) -> bool:
    """ReduceMax and ReduceMin; the least is the negated largest of the negated."""
    graph = emit.graph
    shape = graph.shape(node.inputs[0])
    if shape is None or not graph.is_float(node.inputs[0]) or not shape:
        return False
    axes = sorted(axis % len(shape) for axis in node.attributes.get("axes") or range(len(shape)))
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    moved = np.arange(int(np.prod(shape))).reshape(shape).transpose([*kept, *axes])
    sets = moved.reshape(int(np.prod([shape[axis] for axis in kept])), -1)
    if sets.shape[1] < 2:
        return False
    size = int(np.prod(shape))
    flat = emit.reshape(node.inputs[0], [1, size])
    if node.op == "ReduceMin":
        flat = emit("Neg", [flat])
    result = maxima(emit, flat, size, [[int(place) for place in row] for row in sets])
    if node.op == "ReduceMin":
        result = emit("Neg", [result])
    keep = bool(node.attributes.get("keepdims", 1))
    final = [1 if axis in axes else size for axis, size in enumerate(shape)]
    if not keep:
        final = [shape[axis] for axis in kept]
    emit.reshape(result, final, node.output)
    return True


def _average_pool(emit: Emitter, node: Node) -> bool:
    shape = emit.graph.shape(node.inputs[0])
    if shape is None:
        return False
    windows = sliding(node, shape[2:], node.attributes["kernel_shape"])
    inside = windows.places >= 0
    padded = bool(node.attributes.get("count_include_pad", 0))
    counts = (windows.counted if padded else inside).sum(axis=1)
    _means(emit, node, shape, windows.places, counts, windows.output)
    return True


def _global_average(emit: Emitter, node: Node) -> bool:
    shape = emit.graph.shape(node.inputs[0])
    if shape is None:
        return False
    pixels = int(np.prod(shape[2:]))
    ones = (1,) * (len(shape) - 2)
    _means(emit, node, shape, np.arange(pixels)[None], np.array([pixels]), ones)
    return True


def _means(
    emit: Emitter,
    node: Node,
    shape: tuple[int, ...],
    windows: Array,
    counts: Array,
    output: tuple[int, ...],
) -> None:
    """Sums of windows, times one over the count: free in a circuit where that is a power of 2."""
    rows, channels, pixels = shape[0], shape[1], int(np.prod(shape[2:]))
    flat = flattened(emit, node.inputs[0], shape)
    base = np.arange(channels)[:, None, None] * pixels
    places = np.where(windows >= 0, windows + base, channels * pixels)
    if (windows < 0).any():
        flat = emit("Pad", [flat, emit.const([0, 0, 0, 1], np.int64)])
    window = taken(emit, flat, places.reshape(-1, windows.shape[1]))
    axes = emit.const([2], np.int64)
    total = emit("ReduceSum", [window, axes], keepdims=0)
    factors = 1.0 / np.tile(counts, channels)
    if (factors == factors[0]).all():
        mean = emit("Mul", [total, emit.const(factors[0])])
    else:
        mean = emit("Mul", [total, emit.const(factors[None])])
    emit.reshape(mean, [rows, channels, *output], node.output)


def _apply_max(graph: Graph, _context: RewriteContext) -> bool:
    rules = {"MaxPool": _max_pool, "GlobalMaxPool": _global_max}
    rules |= {"ReduceMax": _reduce_max, "ReduceMin": _reduce_max}
    return replace_nodes(graph, rules)


def _apply_mean(graph: Graph, _context: RewriteContext) -> bool:
    return replace_nodes(
        graph, {"AveragePool": _average_pool, "GlobalAveragePool": _global_average}
    )


def _apply_relu_order(graph: Graph, _context: RewriteContext) -> bool:
    """max(relu(x)) = relu(max(x)): fewer values are rectified after the pool than before it."""
    producers, uses = graph.producers(), graph.uses()
    changed = False
    for place, node in enumerate(graph.nodes):
        relu = producers.get(node.inputs[0]) if node.inputs else None
        if node.op not in ("MaxPool", "GlobalMaxPool") or relu is None or relu.op != "Relu":
            continue
        if uses.get(relu.output, 0) != 1 or len([name for name in node.outputs if name]) > 1:
            continue
        pooled = graph.fresh("pooled")
        final = node.output
        node.inputs[0], node.outputs[0] = relu.inputs[0], pooled
        graph.nodes.insert(place + 1, Node("Relu", [pooled], [final]))
        graph.nodes.remove(relu)
        changed = True
        return _apply_relu_order(graph, _context) or changed
    return changed


RELU_AFTER_POOL = Pass(
    "relu-after-pool",
    "cost",
    0.0,
    "rectifies after a maximum pool rather than before it",
    _apply_relu_order,
)
MAX_PAIRWISE = Pass(
    "max-pairwise",
    "cost",
    1e-5,
    "maximum pools and reductions as rounds of pairwise a + relu(b - a)",
    _apply_max,
)
MEAN_SUMS = Pass(
    "mean-sums",
    "cost",
    1e-5,
    "average pools as sums of gathered windows times one over the count",
    _apply_mean,
)
