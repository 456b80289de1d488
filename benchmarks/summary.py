"""The figures of a whole run: geometric mean, who is slower, who failed, who conforms."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.records import Record, Side

#: what a model may take, step by step, to be called conforming
CONFORMANCE_SECONDS = 300.0
CONFORMANCE_BYTES = 8 << 30
#: what our circuits are bound to
MAX_ERROR = 0.01
MIN_AGREEMENT = 0.99


@dataclass(frozen=True, slots=True)
class Summary:
    """Over the models that both sides prove, ours within its accuracy.

    Attributes:
        compared: names of those models; what is inaccurate is no comparison.
        mean: geometric mean of the ratios of prove times; ``None`` where there is none.
        least: name and ratio of the slowest of ours.
        slower: models where ours is slower by more than the noise.
        inaccurate: models where ours is off by more than its bound on held-out data.
        defaults_failed, ours_failed: names.
    """

    compared: tuple[str, ...]
    mean: float | None
    least: tuple[str, float] | None
    slower: tuple[str, ...]
    inaccurate: tuple[str, ...]
    defaults_failed: tuple[str, ...]
    ours_failed: tuple[str, ...]


def summarise(records: Sequence[Record]) -> Summary:
    """The run in a few figures."""
    ratios = {
        record.name: record.ratio
        for record in records
        if record.ratio is not None and not _inaccurate(record.ours)
    }
    return Summary(
        compared=tuple(ratios),
        mean=statistics.geometric_mean(ratios.values()) if ratios else None,
        least=min(ratios.items(), key=lambda item: item[1]) if ratios else None,
        slower=tuple(record.name for record in records if record.slower),
        inaccurate=tuple(record.name for record in records if _inaccurate(record.ours)),
        defaults_failed=tuple(record.name for record in records if record.default.failure),
        ours_failed=tuple(record.name for record in records if record.ours.failure),
    )


def _inaccurate(side: Side) -> bool:
    far = side.error is not None and side.error > MAX_ERROR
    other = side.agreement is not None and side.agreement < MIN_AGREEMENT
    return far or other


def conforms(record: Record) -> str:
    """Empty where our proof of a model verifies on chain within the limits, else why not."""
    side = record.ours
    if side.failure:
        return side.failure
    if record.on_chain != "verified":
        return f"on chain: {record.on_chain or 'not tried'}"
    for what, seconds in _steps(side):
        if seconds > CONFORMANCE_SECONDS:
            return f"{what} takes {seconds:.0f} s"
    peak = max(side.peak_bytes or 0, side.setup_peak_bytes or 0)
    if peak > CONFORMANCE_BYTES:
        return f"needs {peak / 2**30:.1f} GiB"
    return ""


def _steps(side: Side) -> list[tuple[str, float]]:
    steps = (
        ("setup", side.setup_seconds),
        ("witness", side.witness_seconds),
        ("prove", side.prove_seconds),
        ("verify", side.verify_seconds),
    )
    return [(what, seconds) for what, seconds in steps if seconds is not None]
