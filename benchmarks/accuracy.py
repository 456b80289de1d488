"""How far a side's outputs are from the float reference, in the same way for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gateless.core.packing import FloatArray

Outputs = Sequence[Sequence[Sequence[float]] | None]


@dataclass(frozen=True, slots=True)
class Reference:
    """Float outputs of the held-out samples and the range that errors are measured against.

    Attributes:
        outputs: one array of shape (samples, values) per output tensor.
        ranges: largest minus smallest value per output tensor, calibration data included.
    """

    outputs: tuple[FloatArray, ...]
    ranges: tuple[float, ...]


def load_reference(held_out: Path, calibration: Path) -> Reference:
    """Reads the reference outputs of both sets."""
    with np.load(held_out) as judged, np.load(calibration) as seen:
        outputs = tuple(judged[name] for name in judged)
        ranges = []
        for name in judged:
            everything = np.concatenate([judged[name].reshape(-1), seen[name].reshape(-1)])
            span = float(everything.max() - everything.min())
            # A constant output has no range; its size stands in for it.
            ranges.append(span or float(np.abs(everything).max()) or 1.0)
    return Reference(outputs, tuple(ranges))


def worst_error(found: Outputs, reference: Reference) -> float | None:
    """Largest absolute error over the output's range; ``None`` where nothing was computed."""
    worst = None
    for row, tensors in enumerate(found):
        for place, values in enumerate(tensors or ()):
            expected = reference.outputs[place][row]
            error = float(np.abs(np.array(values) - expected).max()) / reference.ranges[place]
            worst = error if worst is None else max(worst, error)
    return worst


def label_agreement(found: Outputs, reference: Reference) -> float | None:
    """Share of computed samples whose highest score of the first output is the reference's."""
    pairs = [
        (int(np.argmax(tensors[0])), int(np.argmax(reference.outputs[0][row])))
        for row, tensors in enumerate(found)
        if tensors is not None
    ]
    return sum(ours == theirs for ours, theirs in pairs) / len(pairs) if pairs else None
