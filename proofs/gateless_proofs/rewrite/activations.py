"""Activations as sums of rectifiers and of absolute values.

A rectifier costs one range decomposition. What ezkl lays out as maxima, minima, masks or tables of
its own is written with the fewest of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.graph import Array, Emitter, Graph, Node
from gateless_proofs.rewrite.nodes import Rule, rectified, replace_nodes, scalar

_UNLIMITED = 3.0e38


def _clip(emit: Emitter, node: Node) -> bool:
    """low + relu(x - low) - relu(x - high)."""
    graph = emit.graph
    if not graph.is_float(node.inputs[0]):
        return False
    limits: list[float | None] = []
    for name in (node.operand(1), node.operand(2)):
        number = scalar(graph, name) if name else None
        if name and number is None:
            return False
        limits.append(None if number is None or abs(number) > _UNLIMITED else number)
    clipped(emit, node.inputs[0], limits[0], limits[1], node.output)
    return True


def clipped(
    emit: Emitter, value: str, low: float | None, high: float | None, output: str = ""
) -> str:
    """A value kept between two limits, first the lower one: so floats far outside lose nothing."""
    if low is not None:
        above = rectified(emit, _plus(emit, value, -low))
        value = _plus(emit, above, low, output if high is None else "")
    if high is not None:
        spare = rectified(emit, emit("Sub", [emit.const([high]), value]))
        value = emit("Sub", [emit.const([high]), spare], output)
    if low is None and high is None:
        return emit("Identity", [value], output)
    return value


def _plus(emit: Emitter, value: str, number: float, output: str = "") -> str:
    if number == 0:
        return emit("Identity", [value], output) if output else value
    return emit("Add", [value, emit.const([number])], output)


def _leaky(emit: Emitter, node: Node) -> bool:
    """slope * x + (1 - slope) * relu(x)."""
    slope = np.float32(node.attributes.get("alpha", 0.01))
    return _sloped(emit, node, np.asarray(slope))


def _prelu(emit: Emitter, node: Node) -> bool:
    slope = emit.graph.value(node.inputs[1])
    return slope is not None and _sloped(emit, node, slope)


def _sloped(emit: Emitter, node: Node, slope: Array) -> bool:
    value = node.inputs[0]
    if not emit.graph.is_float(value):
        return False
    positive = rectified(emit, value)
    if not np.any(slope):
        emit("Identity", [positive], node.output)
        return True
    number = scalar(emit.graph, emit.const(slope))
    kept = np.float64(1.0) - slope.astype(np.float64)
    factor: Array = slope if number is None else np.asarray(number)
    rest: Array = kept if number is None else np.asarray(1.0 - number)
    below = emit("Mul", [value, emit.const(factor)])
    above = emit("Mul", [positive, emit.const(rest)])
    emit("Add", [below, above], node.output)
    return True


def _hard_sigmoid(emit: Emitter, node: Node) -> bool:
    alpha = float(node.attributes.get("alpha", 0.2))
    beta = float(node.attributes.get("beta", 0.5))
    _ramp(emit, node.inputs[0], alpha, beta, node.output)
    return True


def _ramp(emit: Emitter, value: str, alpha: float, beta: float, output: str = "") -> str:
    """clip(alpha * x + beta, 0, 1)."""
    scaled = emit("Add", [emit("Mul", [value, emit.const(alpha)]), emit.const([beta])])
    return clipped(emit, scaled, 0.0, 1.0, output)


def _hard_swish(emit: Emitter, node: Node) -> bool:
    """x * clip(x / 6 + 1/2, 0, 1), the sixth taken out so that it is rounded once."""
    value = node.inputs[0]
    part = clipped(emit, emit("Add", [value, emit.const([3.0])]), 0.0, 6.0)
    sixth = emit("Mul", [value, emit.const(1.0 / 6.0)])
    emit("Mul", [sixth, part], node.output)
    return True


def _elu(emit: Emitter, node: Node) -> bool:
    """relu(x) + alpha * (exp(min(x, 0)) - 1)."""
    alpha = float(node.attributes.get("alpha", 1.0))
    _exponential(emit, node, alpha, 1.0, 1.0)
    return True


def _selu(emit: Emitter, node: Node) -> bool:
    alpha = float(node.attributes.get("alpha", 1.67326319217681884765625))
    gamma = float(node.attributes.get("gamma", 1.05070102214813232421875))
    _exponential(emit, node, alpha, gamma, 1.0)
    return True


def _celu(emit: Emitter, node: Node) -> bool:
    alpha = float(node.attributes.get("alpha", 1.0))
    _exponential(emit, node, alpha, 1.0, 1.0 / alpha)
    return True


def _exponential(emit: Emitter, node: Node, alpha: float, gain: float, rate: float) -> None:
    value = node.inputs[0]
    positive = rectified(emit, value)
    negative = emit("Sub", [value, positive])
    if rate != 1.0:
        negative = emit("Mul", [negative, emit.const(rate)])
    curve = emit("Add", [emit("Exp", [negative]), emit.const([-1.0])])
    if alpha * gain != 1.0:
        curve = emit("Mul", [curve, emit.const(alpha * gain)])
    if gain != 1.0:
        positive = emit("Mul", [positive, emit.const(gain)])
    emit("Add", [positive, curve], node.output)


def _extreme(emit: Emitter, node: Node) -> bool:
    """Max and Min of several tensors, two by two."""
    if not emit.graph.is_float(node.inputs[0]):
        return False
    if len(node.inputs) == 1:
        emit("Identity", node.inputs, node.output)
        return True
    value = node.inputs[0]
    for place, other in enumerate(node.inputs[1:], 2):
        last = node.output if place == len(node.inputs) else ""
        if node.op == "Max":
            gap = rectified(emit, emit("Sub", [other, value]))
            value = emit("Add", [value, gap], last)
        else:
            gap = rectified(emit, emit("Sub", [value, other]))
            value = emit("Sub", [value, gap], last)
    return True


def _using(rules: Mapping[str, Rule]) -> Callable[[Graph, RewriteContext], bool]:
    return lambda graph, _context: replace_nodes(graph, rules)


def _halved(emit: Emitter, node: Node) -> bool:
    """relu(x) = (x + |x|) / 2: the half is free, and |x| needs no mask of the sign."""
    if not emit.graph.is_float(node.inputs[0]):
        return False
    value = node.inputs[0]
    double = emit("Add", [value, emit("Abs", [value])])
    emit("Mul", [double, emit.const(0.5)], node.output)
    return True


def _apply_abs(graph: Graph, _context: RewriteContext) -> bool:
    return replace_nodes(graph, {"Relu": _halved})


CLIP_RELU = Pass(
    "clip-relu",
    "cost",
    1e-5,
    "clips, and maxima and minima of tensors, as rectifiers",
    _using({"Clip": _clip, "Max": _extreme, "Min": _extreme}),
)
LEAKY_RELU = Pass(
    "leaky-relu",
    "cost",
    1e-5,
    "leaky and parametric units as a product and a rectifier",
    _using({"LeakyRelu": _leaky, "PRelu": _prelu}),
)
EXPONENTIAL_UNITS = Pass(
    "exponential-units",
    "cost",
    1e-5,
    "Elu, Selu and Celu as a rectifier and one exponential of what is negative",
    _using({"Elu": _elu, "Selu": _selu, "Celu": _celu}),
)
HARD_RELU = Pass(
    "hard-relu",
    "cost",
    1e-5,
    "hard sigmoids and swishes as rectifiers, without a table",
    _using({"HardSigmoid": _hard_sigmoid, "HardSwish": _hard_swish}),
)
RELU_ABS = Pass(
    "relu-abs",
    "cost",
    1e-6,
    "relu(x) as (x + |x|) / 2, which takes fewer rows",
    _apply_abs,
)
