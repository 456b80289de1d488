"""The shapes that a circuit of given outputs can take: base, legs, columns, size. They change what
a proof costs and nothing else."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gateless.core.manifest import Goal

from gateless_proofs.circuit import MIN_LOGROWS, RESERVED_ROWS, CircuitParameters
from gateless_proofs.planner.cost import Cost, predict
from gateless_proofs.planner.layout import Layout

#: lookup tables reach this much further than the samples
LOOKUP_MARGIN = 2.0
#: inner columns that are tried
COLUMNS = (1, 2, 4)
#: digits of a decomposition that are tried
_MOST_LEGS = 16
#: a column may be repeated so often; more repetitions never paid
_MOST_BLOCKS = 8
#: ezkl's constants, among them the powers of the base, are signed 128-bit integers
_MOST_POWER_BITS = 126


@dataclass(frozen=True, slots=True)
class Budget:
    """What a circuit may take.

    Attributes:
        logrows: largest k.
        memory_bytes: of the proving process, as predicted.
        gas: of a verification, as predicted; unlimited if None.
    """

    logrows: int
    memory_bytes: int
    gas: int | None

    def boundless(self) -> Budget:
        """The same rows, whatever memory and gas they take."""
        return replace(self, memory_bytes=sys.maxsize, gas=None)

    def allows(self, layout: Layout, cost: Cost) -> bool:
        """Whether a circuit is within all of them."""
        return (
            layout.logrows <= self.logrows
            and cost.memory_bytes <= self.memory_bytes
            and (self.gas is None or cost.gas <= self.gas)
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """A circuit with its predicted cost."""

    parameters: CircuitParameters
    layout: Layout
    cost: Cost


#: lays a circuit out; None where ezkl refuses
LayOut = Callable[[CircuitParameters], Layout | None]


def shapes(
    start: CircuitParameters,
    bits: int,
    lookup_range: tuple[int, int],
    budget: Budget,
    lay_out: LayOut,
    *,
    power_of_two: bool = False,
) -> Iterator[Shape]:
    """All shapes within the budget.

    Args:
        start: the circuit's other parameters.
        bits: decomposed values stay below ``2**bits``.
        lookup_range: what the tables must hold.
        budget: bounds.
        lay_out: counts of a circuit; asked once for each number of columns and legs.
        power_of_two: whether digits must be whole bits, as dense words need them.
    """
    for columns in COLUMNS:
        counted: dict[int, Layout | None] = {}
        for logrows in range(MIN_LOGROWS, budget.logrows + 1):
            base, legs = _digits(bits, logrows, power_of_two)
            if legs > _MOST_LEGS:
                continue
            parameters = replace(
                start,
                columns=columns,
                base=base,
                legs=legs,
                logrows=logrows,
                lookup_range=lookup_range,
            )
            if legs not in counted:
                counted[legs] = lay_out(replace(parameters, logrows=budget.logrows))
            found = counted[legs]
            if found is None:
                continue
            layout = found.moved(base=base, logrows=logrows, lookup_range=lookup_range)
            if not layout.fits or layout.blocks > _MOST_BLOCKS:
                continue
            cost = predict(layout)
            if budget.allows(layout, cost):
                yield Shape(parameters, layout, cost)
            if layout.blocks == 1 and legs == 1:
                break  # more rows would only stay empty


def _digits(bits: int, logrows: int, power_of_two: bool) -> tuple[int, int]:
    """The largest base whose digits have a table in so many rows, and the digits it takes."""
    largest = max(2, (1 << logrows) - RESERVED_ROWS)
    if power_of_two:
        largest = 1 << (largest.bit_length() - 1)
    legs = max(1, math.ceil(bits / math.log2(largest) - 1e-9))
    # No larger than needed: ezkl multiplies the powers of the base in 128 bits.
    base = 1 << -(-bits // legs)
    while base > largest:
        base -= (base - largest) if not power_of_two else base // 2
    while base**legs < 1 << bits:
        legs += 1
    if (legs * math.log2(base)) > _MOST_POWER_BITS:
        return base, _MOST_LEGS + 1
    return base, legs


def best(candidates: list[Shape], goal: Goal, count: int) -> list[Shape]:
    """The cheapest shapes, the cheapest first; equal ones in the order of their parameters."""
    ranked = sorted(
        candidates,
        key=lambda shape: (
            shape.cost.score(goal),
            shape.parameters.columns,
            shape.parameters.logrows,
        ),
    )
    return ranked[:count]


def widened(lookups: tuple[int, int]) -> tuple[int, int]:
    """The range of the tables: further than the samples reach."""
    low, high = (int(bound * LOOKUP_MARGIN) for bound in lookups)
    return min(low, -2), max(high, 2)
