"""Recurrent layers laid out step by step: their length is fixed, so nothing is left to loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gateless.core.errors import ModelError

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.graph import Array, Emitter, Graph, Node
from gateless_proofs.rewrite.nodes import add_constant, replace_nodes

_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
_DEFAULTS = {
    "RNN": ["Tanh"],
    "GRU": ["Sigmoid", "Tanh"],
    "LSTM": ["Sigmoid", "Tanh", "Tanh"],
}
_SIMPLE = ("Tanh", "Sigmoid", "Relu", "Softsign", "Softplus", "Elu", "HardSigmoid")


@dataclass(frozen=True, slots=True)
class _Cell:
    """Constants of one direction; matrices are transposed, ready to multiply from the right."""

    hidden: int
    weights: Array
    recurrence: Array
    input_bias: Array
    state_bias: Array
    peepholes: Array
    activations: list[str]
    linear_before_reset: bool


_Step = Callable[[Emitter, _Cell, str, str, str], tuple[str, str]]


def _recurrent(emit: Emitter, node: Node) -> bool:
    graph = emit.graph
    shape = graph.shape(node.inputs[0])
    parts = [graph.value(name) if name else None for name in node.inputs[1:4]]
    if shape is None or parts[0] is None or parts[1] is None:
        return False
    _require_plain(graph, node, shape[1] if node.attributes.get("layout", 0) else shape[0])
    source = node.inputs[0]
    if node.attributes.get("layout", 0):
        source = emit("Transpose", [source], perm=[1, 0, 2])
        shape = (shape[1], shape[0], shape[2])
    length, rows, width = shape
    steps = [
        emit.reshape(emit("Gather", [source, emit.const([place], np.int64)], axis=0), [rows, width])
        for place in range(length)
    ]
    directions = {"forward": (1,), "reverse": (-1,), "bidirectional": (1, -1)}[
        node.attributes.get("direction", "forward")
    ]
    sequences: list[list[str]] = []
    states: list[str] = []
    cells: list[str] = []
    for place, order in enumerate(directions):
        cell = _cell(graph, node, place)
        state = _initial(emit, node, 5, place, rows, cell.hidden)
        memory = _initial(emit, node, 6, place, rows, cell.hidden) if node.op == "LSTM" else ""
        made: list[str] = []
        for step in steps[::order]:
            state, memory = _STEPS[node.op](emit, cell, step, state, memory)
            made.append(state)
        sequences.append(made[::order])
        states.append(state)
        cells.append(memory)
    _outputs(emit, node, sequences, states, cells, (length, rows))
    return True


def _require_plain(graph: Graph, node: Node, length: int) -> None:
    lengths = node.operand(4)
    given = graph.value(lengths) if lengths else None
    if (lengths and (given is None or not (given == length).all())) or node.attributes.get("clip"):
        raise ModelError(
            "unsupported-operator",
            f"{node.op} with varying lengths or a clip cannot be put into a circuit",
            hint="export the model for sequences of one length, without clip",
            operator=node.op,
        )


def _cell(graph: Graph, node: Node, place: int) -> _Cell:
    gates = _GATES[node.op]
    weights, recurrence = graph.constants[node.inputs[1]], graph.constants[node.inputs[2]]
    hidden = recurrence.shape[-1]
    bias = graph.value(node.operand(3)) if node.operand(3) else None
    both = np.zeros(2 * gates * hidden) if bias is None else bias[place]
    stored = graph.value(node.operand(7)) if node.operand(7) else None
    peepholes = np.zeros(3 * hidden) if stored is None else stored[place]
    count = len(_DEFAULTS[node.op])
    names = node.attributes.get("activations") or _DEFAULTS[node.op] * 2
    chosen = [str(name) for name in names[place * count : (place + 1) * count]]
    unknown = [name for name in chosen if name not in _SIMPLE]
    custom = node.attributes.get("activation_alpha") or node.attributes.get("activation_beta")
    if unknown or custom:
        raise ModelError(
            "unsupported-operator",
            f"{node.op} with the activations {', '.join(chosen)} cannot be put into a circuit",
            hint="use the usual activations",
            operator=node.op,
        )
    return _Cell(
        hidden,
        weights[place].T,
        recurrence[place].T,
        both[: gates * hidden].astype(np.float64),
        both[gates * hidden :].astype(np.float64),
        peepholes,
        chosen,
        bool(node.attributes.get("linear_before_reset", 0)),
    )


def _initial(emit: Emitter, node: Node, operand: int, place: int, rows: int, hidden: int) -> str:
    """The first state, empty where it is zero."""
    name = node.operand(operand)
    stored = emit.graph.value(name) if name else None
    if not name or (stored is not None and not stored.any()):
        return ""
    if stored is not None:
        state = stored[:, place] if node.attributes.get("layout", 0) else stored[place]
        return emit.const(state)
    axis = 1 if node.attributes.get("layout", 0) else 0
    taken = emit("Gather", [name, emit.const([place], np.int64)], axis=axis)
    return emit.reshape(taken, [rows, hidden])


def _gate(emit: Emitter, cell: _Cell, place: int, step: str, state: str, *, bias: bool) -> str:
    """x W + h R + b of one gate."""
    part = slice(place * cell.hidden, (place + 1) * cell.hidden)
    total = emit("MatMul", [step, emit.const(cell.weights[:, part])])
    if state:
        moved = emit("MatMul", [state, emit.const(cell.recurrence[:, part])])
        total = emit("Add", [total, moved])
    constant = cell.input_bias[part] + (cell.state_bias[part] if bias else 0.0)
    return add_constant(emit, total, constant)


def _rnn(emit: Emitter, cell: _Cell, step: str, state: str, _memory: str) -> tuple[str, str]:
    total = _gate(emit, cell, 0, step, state, bias=True)
    return emit(cell.activations[0], [total]), ""


def _gru(emit: Emitter, cell: _Cell, step: str, state: str, _memory: str) -> tuple[str, str]:
    update = emit(cell.activations[0], [_gate(emit, cell, 0, step, state, bias=True)])
    reset = emit(cell.activations[0], [_gate(emit, cell, 1, step, state, bias=True)])
    part = slice(2 * cell.hidden, 3 * cell.hidden)
    if cell.linear_before_reset:
        total = _gate(emit, cell, 2, step, "", bias=False)
        inner = cell.state_bias[part]
        if state:
            moved = emit("MatMul", [state, emit.const(cell.recurrence[:, part])])
            total = emit("Add", [total, emit("Mul", [reset, add_constant(emit, moved, inner)])])
        elif np.any(inner):
            total = emit("Add", [total, emit("Mul", [reset, emit.const(inner)])])
    else:
        kept = emit("Mul", [reset, state]) if state else ""
        total = _gate(emit, cell, 2, step, kept, bias=True)
    fresh = emit(cell.activations[1], [total])
    # (1 - z) * new + z * old = new + z * (old - new)
    gap = emit("Sub", [state, fresh]) if state else emit("Neg", [fresh])
    return emit("Add", [fresh, emit("Mul", [update, gap])]), ""


def _lstm(emit: Emitter, cell: _Cell, step: str, state: str, memory: str) -> tuple[str, str]:
    def gate(place: int, peephole: int | None, cell_state: str) -> str:
        total = _gate(emit, cell, place, step, state, bias=True)
        if peephole is not None and cell_state:
            weights = cell.peepholes[peephole * cell.hidden : (peephole + 1) * cell.hidden]
            if np.any(weights):
                total = emit("Add", [total, emit("Mul", [cell_state, emit.const(weights)])])
        return total

    sigma, inner, outer = cell.activations
    fresh = emit(inner, [gate(3, None, "")])
    added = emit("Mul", [emit(sigma, [gate(0, 0, memory)]), fresh])
    if memory:
        kept = emit("Mul", [emit(sigma, [gate(2, 2, memory)]), memory])
        memory = emit("Add", [kept, added])
    else:
        memory = added
    opened = emit(sigma, [gate(1, 1, memory)])
    return emit("Mul", [opened, emit(outer, [memory])]), memory


_STEPS: dict[str, _Step] = {"RNN": _rnn, "GRU": _gru, "LSTM": _lstm}


def _outputs(
    emit: Emitter,
    node: Node,
    sequences: list[list[str]],
    states: list[str],
    cells: list[str],
    size: tuple[int, int],
) -> None:
    """Y [length, directions, rows, hidden], Y_h and Y_c [directions, rows, hidden]."""
    length, rows = size
    swapped = bool(node.attributes.get("layout", 0))
    hidden = emit.graph.constants[node.inputs[2]].shape[-1]
    names = [*node.outputs, "", "", ""]
    count = len(sequences)
    if names[0]:
        flat = [
            emit.reshape(sequence[place], [1, 1, rows, hidden])
            for place in range(length)
            for sequence in sequences
        ]
        whole = emit("Concat", flat, axis=0) if len(flat) > 1 else flat[0]
        if swapped:
            shaped = emit.reshape(whole, [length, count, rows, hidden])
            emit("Transpose", [shaped], names[0], perm=[2, 0, 1, 3])
        else:
            emit.reshape(whole, [length, count, rows, hidden], names[0])
    for name, values in ((names[1], states), (names[2], cells)):
        if not name:
            continue
        parts = [emit.reshape(value, [1, rows, hidden]) for value in values]
        joined = emit("Concat", parts, axis=0) if count > 1 else parts[0]
        if swapped:
            emit("Transpose", [joined], name, perm=[1, 0, 2])
        else:
            emit("Identity", [joined], name)


def _apply(graph: Graph, _context: RewriteContext) -> bool:
    return replace_nodes(graph, {"RNN": _recurrent, "GRU": _recurrent, "LSTM": _recurrent})


UNROLL = Pass(
    "unroll-recurrent",
    "conformance",
    1e-5,
    "RNN, GRU and LSTM step by step, gate by gate",
    _apply,
)
