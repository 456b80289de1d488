"""Whether a rewritten model computes what the original does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from gateless_proofs.rewrite.evaluate import Runner, as_fed
from gateless_proofs.rewrite.graph import Array, Graph


@dataclass(frozen=True, slots=True)
class EquivalenceReport:
    """Largest differences found.

    Attributes:
        tolerance: allowed difference, relative to the range of the output.
        max_abs_difference: over all outputs, of random samples and extremes.
        max_rel_difference: the same relative to the output's range (at least 1).
        compared: inputs on which both models were run.
        skipped: extreme inputs on which the original has no finite output.
        engine: what ran the original: ``onnxruntime``, or ``onnx.reference`` where that refuses it.
    """

    tolerance: float
    max_abs_difference: float
    max_rel_difference: float
    compared: int
    skipped: int
    engine: str

    @property
    def equivalent(self) -> bool:
        """Whether the difference stays within the tolerance and anything was compared at all."""
        return self.compared > 0 and self.max_rel_difference <= self.tolerance


def equivalent(
    original: onnx.ModelProto,
    rewritten: onnx.ModelProto,
    samples: Sequence[Sequence[Array]],
    extremes: Sequence[Sequence[Array]] = (),
    *,
    tolerance: float,
) -> EquivalenceReport:
    """Runs both models on the same inputs; each input is a list of arrays in the model's order."""
    first, second = Runner(original), Runner(rewritten)
    described = (Graph.parse(original).inputs, Graph.parse(rewritten).inputs)
    absolute = relative = 0.0
    compared = skipped = 0
    reach: list[float] = []
    for place, sample in enumerate((*samples, *extremes)):
        expected, got = (
            runner.run(
                {v.name: as_fed(v.dtype, array) for v, array in zip(values, sample, strict=True)}
            )
            for runner, values in zip((first, second), described, strict=True)
        )
        if place >= len(samples) and not all(_finite(array) for array in expected):
            skipped += 1
            continue
        compared += 1
        reach = reach or [1.0] * len(expected)
        for index, (left, right) in enumerate(zip(expected, got, strict=True)):
            wide = left.reshape(-1).astype(np.float64)
            reach[index] = max(reach[index], float(np.abs(wide).max(initial=0.0)))
            if left.size != right.size:
                return EquivalenceReport(tolerance, np.inf, np.inf, compared, skipped, first.engine)
            gap = float(np.abs(wide - right.reshape(-1).astype(np.float64)).max(initial=0.0))
            gap = np.inf if np.isnan(gap) else gap
            absolute = max(absolute, gap)
            relative = max(relative, gap / reach[index])
    return EquivalenceReport(tolerance, absolute, relative, compared, skipped, first.engine)


def _finite(array: Array) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
