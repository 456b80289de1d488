"""Batches: the model takes several rows at once, and every row comes out as if it were alone.

Binding the leading dimension to the number of rows is tried first; it is cheapest and right for
most models. It counts only where running rows one by one gives the same outputs. Otherwise the
graph is laid out once per row.
"""

from __future__ import annotations

import numpy as np
import onnx
from gateless.core.errors import ModelError

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.evaluate import Runner, as_fed, infer
from gateless_proofs.rewrite.graph import Array, Emitter, Graph, Node, Value, captured
from gateless_proofs.rewrite.static import make_static, settle

#: rows computed alone and in a batch may differ by the order in which floats are added
TOLERANCE = 1e-5
_SEED = 0x6A7E


def batched(model: onnx.ModelProto, single: Graph, rows: int) -> Graph:
    """The model over ``rows`` rows.

    Args:
        model: the original.
        single: the same model for one row, as :func:`make_static` gives it.
        rows: at least 2.
    """
    wide = _bound(model, rows)
    if wide is not None and same_rows(single, wide, rows):
        return wide
    return unrolled(single, rows)


def _bound(model: onnx.ModelProto, rows: int) -> Graph | None:
    """The model with its leading dimensions bound, or None where that is not possible."""
    graph = Graph.parse(model)
    for value in graph.inputs:
        if not value.shape:
            return None
        if value.shape[0] == 1:
            value.shape = (rows, *value.shape[1:])
        elif isinstance(value.shape[0], int):
            return None
    _widen_reshapes(graph, rows)
    try:
        make_static(graph, rows)
    except ModelError:
        return None
    return graph if all(value.name in graph.shapes for value in graph.outputs) else None


def _widen_reshapes(graph: Graph, rows: int) -> None:
    """A Reshape to [1, ...] was exported for one row."""
    for node in graph.nodes:
        if node.op not in ("Reshape", "Expand") or len(node.inputs) < 2:
            continue
        shape = graph.value(node.inputs[1])
        if shape is not None and shape.size > 1 and shape[0] == 1:
            node.inputs[1] = graph.constant([rows, *shape[1:]], np.int64)


def same_rows(single: Graph, wide: Graph, rows: int) -> bool:
    """Whether rows run one by one give what the batch gives, on random and extreme rows."""
    one, many = Runner(single.to_model()), Runner(wide.to_model())
    random = np.random.default_rng(_SEED)
    for spread in (1.0, 100.0):
        feeds: list[dict[str, Array]] = []
        for _ in range(rows):
            feeds.append(
                {
                    v.name: as_fed(v.dtype, np.abs(random.normal(0, spread, v.static_shape)))
                    if v.dtype not in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
                    else as_fed(v.dtype, random.normal(0, spread, v.static_shape))
                    for v in single.inputs
                }
            )
        together = {v.name: np.concatenate([feed[v.name] for feed in feeds]) for v in single.inputs}
        try:
            alone = [one.run(feed) for feed in feeds]
            joined = many.run(together)
        except Exception:  # rows that do not run, such as indices out of range
            return False
        for place, output in enumerate(joined):
            if output.size != sum(row[place].size for row in alone):
                return False
            split = output.reshape(rows, -1).astype(np.float64)
            for row, expected in zip(split, alone, strict=True):
                reach = max(1.0, float(np.abs(expected[place]).max(initial=0.0)))
                gap = np.abs(row - expected[place].reshape(-1).astype(np.float64))
                if not (gap <= TOLERANCE * reach).all():
                    return False
    return True


def unrolled(single: Graph, rows: int) -> Graph:
    """One copy of the graph per row, between a Gather of the row and a Concat of the outputs."""
    graph = single.copy()
    emit = Emitter(graph)
    pieces: list[list[str]] = [[] for _ in graph.outputs]
    for row in range(rows):
        names: dict[str, str] = {}
        for value in single.inputs:
            index = emit.const([row], np.int64)
            taken = emit("Gather", [value.name, index], axis=0)
            shape = value.static_shape
            names[value.name] = (
                taken if shape and shape[0] == 1 else emit.reshape(taken, list(shape))
            )
        for node in single.nodes:
            if captured(node):
                raise ModelError(
                    "unsupported-operator",
                    f"operator {node.op} cannot be put into a batch",
                    hint="export the model without branches and loops",
                    operator=node.op,
                )
            outputs = []
            for name in node.outputs:
                names[name] = graph.fresh(f"row{row}") if name else ""
                outputs.append(names[name])
            inputs = [names.get(name, name) for name in node.inputs]
            emit.nodes.append(Node(node.op, inputs, outputs, dict(node.attributes), node.domain))
        for place, value in enumerate(single.outputs):
            shape = single.shapes[value.name]
            name = names[value.name]
            if not shape or shape[0] != 1:
                name = emit.reshape(name, [1, *shape])
            pieces[place].append(name)
    graph.nodes = emit.nodes
    for value, parts in zip(graph.outputs, pieces, strict=True):
        graph.nodes.append(Node("Concat", parts, [value.name], {"axis": 0}))
    graph.inputs = [Value(v.name, v.dtype, _row_shape(v.static_shape, rows)) for v in single.inputs]
    infer(graph)
    settle(graph)
    return graph


def _row_shape(shape: tuple[int, ...], rows: int) -> tuple[int, ...]:
    return (rows, *shape[1:]) if shape and shape[0] == 1 else (rows, *shape)


def _apply(_graph: Graph, _context: RewriteContext) -> bool:
    return True  # rewrite() lays the batch out before any other pass: see batched()


BATCH = Pass(
    "batch",
    "shape",
    TOLERANCE,
    "takes batch_size rows at once, each as if it were alone",
    _apply,
)
