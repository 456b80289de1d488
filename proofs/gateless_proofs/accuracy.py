"""How far a circuit's fixed-point outputs are from onnxruntime's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from gateless.core.packing import FloatArray

from gateless_proofs.witness import CircuitRun

#: default bound: this share of the range of the outputs on the calibration data
DEFAULT_SHARE = 0.01
MIN_LABEL_AGREEMENT = 0.99
_FLOOR = 1e-6
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class AccuracyReport:
    """Differences on the calibration data; ``label_agreement`` is for outputs like class scores."""

    samples: int
    max_abs_error: float
    mean_abs_error: float
    label_agreement: float | None

    def accepted(self, bound: float, *, labels: bool) -> bool:
        """Whether a circuit with these errors is good enough."""
        if self.max_abs_error > bound:
            return False
        agreement = self.label_agreement
        return not labels or agreement is None or agreement >= MIN_LABEL_AGREEMENT


def choose_bound(reference: Sequence[Sequence[FloatArray]], stated: float | None) -> float:
    """The publisher's bound, or one per cent of the range of the outputs."""
    if stated is not None:
        return stated
    spans = []
    for place in range(len(reference[0])):
        low = min(float(outputs[place].min()) for outputs in reference)
        high = max(float(outputs[place].max()) for outputs in reference)
        spans.append(high - low if high > low else abs(high))
    # One bound is stated for all outputs, so the tightest decides; constant zeros say nothing.
    telling = [span for span in spans if span > 0]
    return max(DEFAULT_SHARE * min(telling, default=0.1), _FLOOR)


def measure(
    runs: Sequence[CircuitRun],
    reference: Sequence[Sequence[FloatArray]],
    scales: Sequence[int],
    bound: float,
) -> AccuracyReport:
    """Compares witnesses with reference outputs."""
    errors: list[FloatArray] = []
    agreeing = 0
    scores = looks_like_scores(reference)
    for run, outputs in zip(runs, reference, strict=True):
        fixed = [
            np.array([math.ldexp(float(value), -scale) for value in integers])
            for integers, scale in zip(run.outputs, scales, strict=True)
        ]
        for ours, theirs in zip(fixed, outputs, strict=True):
            flat = theirs.reshape(-1)
            if ours.shape != flat.shape:
                return AccuracyReport(len(runs), math.inf, math.inf, None)
            errors.append(np.abs(ours - flat))
        if scores:
            agreeing += same_label(fixed[0], outputs[0].reshape(-1), bound)
    everything = np.concatenate(errors)
    return AccuracyReport(
        samples=len(runs),
        max_abs_error=float(everything.max()),
        mean_abs_error=float(everything.mean()),
        label_agreement=agreeing / len(runs) if scores else None,
    )


def looks_like_scores(reference: Sequence[Sequence[FloatArray]]) -> bool:
    """One output of at least two values in a row: class scores, as far as one can tell."""
    first = reference[0]
    if len(first) != 1 or first[0].size < 2:
        return False
    size: int = first[0].size
    return size == int(first[0].shape[-1])


def same_label(ours: FloatArray, theirs: FloatArray, bound: float) -> bool:
    """Whether both put the same class first; either of two equal scores will do."""
    best = int(np.argmax(ours))
    return bool(theirs[best] >= theirs.max() - min(bound, _TIE))
