"""Progress of a long operation, told as plain values so that any user interface can show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One report of progress.

    Attributes:
        stage: stable kebab-case name, such as ``fetch-bundle`` or ``locked``.
        detail: a few words for people.
        fraction: how far the stage is, 0 to 1, where that is known.
        request_id: the request this is about, as soon as it exists.
        tx_hash: transaction that this is about.
    """

    stage: str
    detail: str = ""
    fraction: float | None = None
    request_id: int | None = None
    tx_hash: str | None = None


ProgressSink = Callable[[Step], None]


def ignore(step: Step) -> None:
    """The sink that shows nothing."""


def fractions(sink: ProgressSink, prefix: str = "") -> Callable[[str, float], None]:
    """Adapts a sink to reporters that know a stage and a fraction only."""

    def report(stage: str, fraction: float) -> None:
        sink(Step(f"{prefix}{stage}", fraction=min(1.0, max(0.0, fraction))))

    return report
