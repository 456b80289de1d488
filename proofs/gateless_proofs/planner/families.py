"""Arithmetics that differ in their scales only, and which of them are worth a look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateless.core.errors import ProofError

from gateless_proofs.planner.arithmetic import Arithmetic, Judged
from gateless_proofs.planner.shapes import Budget, Shape
from gateless_proofs.planner.space import LARGE_CELLS


@dataclass(slots=True)
class Family:
    """Arithmetics that differ in their scales only, cheapest first."""

    passes: tuple[str, ...]
    multiplier: int
    integral: bool
    cells: int
    pairs: Iterator[tuple[int, int]]
    accurate: list[tuple[Arithmetic, Judged]] = field(default_factory=list)
    last: tuple[Arithmetic, Judged] | None = None
    key: tuple[int, int, int] = (0, 0, 0)


def affordable(
    families: list[Family], budget: Budget, least_shapes: Callable[[Family], list[Shape]]
) -> list[Family]:
    """Those families that may fit the budget; small ones are asked about gas only.

    Args:
        families: at least one.
        budget: what a circuit may take.
        least_shapes: a family's shapes without a budget, if its values were as small as can be.

    Raises:
        ProofError: ``no-circuit-found`` where there is none at all; it says what is missing.
    """
    kept: list[Family] = []
    missing: list[str] = []
    for family in families:
        if family.cells <= LARGE_CELLS and budget.gas is None:
            kept.append(family)
            continue
        least = least_shapes(family)
        if any(budget.allows(shape.layout, shape.cost) for shape in least):
            kept.append(family)
        else:
            missing.append(_shortfall(family, budget, least))
    if not kept:
        raise ProofError(
            "no-circuit-found",
            f"no circuit of the model is within the limits: the smallest {missing[0]}",
            hint="raise the limits, or split the model into smaller ones",
        )
    return kept


def _shortfall(family: Family, budget: Budget, least: list[Shape]) -> str:
    if not least:
        return f"takes {family.cells:,} cells, more than 2^{budget.logrows} rows can hold"
    cells = min(shape.layout.assignments for shape in least)
    memory = min(shape.cost.memory_bytes for shape in least)
    gas = min(shape.cost.gas for shape in least)
    limits = _size(budget.memory_bytes)
    if budget.gas is not None:
        limits += f" and {budget.gas:,} gas"
    return (
        f"takes {cells:,} cells, and to prove it some {_size(memory)} of memory and"
        f" {gas:,} gas; the limits are {limits}"
    )


def _size(count: int) -> str:
    mebibytes = count / 2**20
    return f"{mebibytes:.0f} MiB" if mebibytes < 1024 else f"{mebibytes / 1024:.1f} GiB"
