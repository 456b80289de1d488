"""Where each stage lies on the scale of a whole build: the bar never goes back, and is not full
before the last proof is verified."""

from __future__ import annotations

from gateless_proofs.sandbox import Progress

_BEFORE = {
    "inspect": (0.0, 0.02),
    "repeat": (0.02, 0.1),
    "reference": (0.1, 0.12),
    "search": (0.12, 0.6),
}
#: of one trial; the others get the same stages again
_TRIAL = {
    "srs": (0.0, 0.35),
    "setup": (0.35, 0.7),
    "witness": (0.7, 0.75),
    "prove": (0.75, 0.95),
    "verify": (0.95, 1.0),
}


class Milestones:
    """Turns the fraction of a stage into the fraction of the build."""

    def __init__(self, outer: Progress | None) -> None:
        self.outer = outer
        self.reached = 0.0
        self._trial = (0.6, 1.0)

    def __call__(self, stage: str, fraction: float) -> None:
        """Takes the report of one stage."""
        if stage in _TRIAL:
            (low, high), (first, last) = self._trial, _TRIAL[stage]
            start, end = (low + (high - low) * part for part in (first, last))
        else:
            start, end = _BEFORE.get(stage, (self.reached, self.reached))
        self.reached = max(self.reached, start + (end - start) * fraction)
        if self.outer is not None:
            self.outer(stage, self.reached)

    def next_trial(self, left: int) -> None:
        """A trial begins, ``left`` are to come with this one: they share what is left equally."""
        start = max(self.reached, 0.6)
        self._trial = (start, start + (1.0 - start) / left)
