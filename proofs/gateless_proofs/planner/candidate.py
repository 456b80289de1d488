"""A circuit that the search could build, and its row in the plan's table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateless.core.manifest import Goal

from gateless_proofs.planner.arithmetic import Arithmetic, Judged
from gateless_proofs.planner.cost import INEXACT_PENALTY
from gateless_proofs.planner.shapes import Shape


@dataclass(slots=True)
class Candidate:
    """A circuit that met the bound on the samples.

    Attributes:
        covers: whether the corners of the packed range fit, too.
        verdict: for the plan's table.
    """

    arithmetic: Arithmetic
    judged: Judged
    shape: Shape
    covers: bool
    verdict: str = ""

    def score(self, goal: Goal) -> float:
        """Lower is better."""
        penalty = 1.0 if self.judged.exact else INEXACT_PENALTY
        return self.shape.cost.score(goal) * penalty

    def key(self) -> tuple[Any, ...]:
        """Equal for circuits that differ in nothing that matters."""
        parameters = self.shape.parameters
        return (
            *(parameters.columns, parameters.logrows, parameters.base, parameters.legs),
            *(parameters.input_scale, parameters.param_scale, self.arithmetic.passes),
            *(self.judged.cells, self.judged.exact, self.judged.output_scales),
        )

    def row(self) -> dict[str, Any]:
        """The candidate in the manifest's table."""
        parameters, cost = self.shape.parameters, self.shape.cost
        return row_of(self.arithmetic, self.judged, self.verdict) | {
            "base": parameters.base,
            "legs": parameters.legs,
            "columns": parameters.columns,
            "lookup_range": list(parameters.lookup_range),
            "logrows": parameters.logrows,
            "rows": self.shape.layout.rows,
            "seconds": round(cost.seconds, 4),
            "memory_bytes": cost.memory_bytes,
            "gas": cost.gas,
        }


def row_of(arithmetic: Arithmetic, judged: Judged, verdict: str) -> dict[str, Any]:
    """An arithmetic in the manifest's table."""
    return {
        "passes": list(arithmetic.passes),
        "input_scale": arithmetic.input_scale,
        "param_scale": arithmetic.param_scale,
        "multiplier": arithmetic.multiplier,
        "integral": arithmetic.integral,
        "max_abs_error": judged.error,
        "exact": judged.exact,
        "verdict": verdict,
    }
