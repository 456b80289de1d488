"""Reputation from chain facts alone: counts of what was kept and broken, and times between blocks.

The score is the lower bound of Wilson's score interval for the share of promises that were kept
(E. B. Wilson, *Probable inference, the law of succession, and statistical inference*, JASA 22,
1927, formula 12; for ranking: E. Miller, *How not to sort by average rating*, 2009), at 95 %
confidence::

    kept   = fulfilled + 2 * defended
    broken = expired + 10 * slashed
    n = kept + broken;  p = kept / n;  z = 1.96
    score = (p + z²/2n - z * sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)

Little evidence gives a low score, however good it is. A defended challenge counts twice as much as
an answer: somebody put money on its being wrong, and a proof showed that it was right. A slash
weighs ten broken locks: the lock cost a requester time, the slash was a wrong answer or none to a
doubt. Requests that an executor makes to itself count for nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

#: Of the normal distribution, for 95 % confidence.
_Z = 1.96
DEFENCE_WEIGHT = 2
SLASH_WEIGHT = 10
#: Scores and rates are integers of this many parts, so that they sort and page exactly.
SCALE = 10_000

#: Upper ends of the classes of a histogram, in seconds: steps of about a third.
BOUNDS = (
    0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 180, 240, 300,
    400, 500, 600, 800, 1000, 1200, 1500, 1800, 2400, 3000, 3600, 5400, 7200, 10800, 14400, 21600,
    28800, 43200, 64800, 86400, 172800, 604800,
)  # fmt: skip


def wilson_lower_bound(kept: int, total: int) -> float:
    """Lower bound of the share of ``kept`` in ``total`` trials, from 0 to 1; 0 without trials."""
    if total <= 0:
        return 0.0
    share = kept / total
    square = _Z * _Z
    middle = share + square / (2 * total)
    spread = _Z * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    return max(0.0, (middle - spread) / (1 + square / total))


def score(record: Mapping[str, Any]) -> int:
    """The score of an executor's or a version's record, from 0 to :data:`SCALE`."""
    kept = record["fulfilled"] + DEFENCE_WEIGHT * record["defended"]
    broken = record["expired"] + SLASH_WEIGHT * record["slashed"]
    return round(SCALE * wilson_lower_bound(kept, kept + broken))


def success_rate(record: Mapping[str, Any]) -> int | None:
    """Share of ended promises that were kept, in parts of :data:`SCALE`; None without any."""
    ended = int(record["fulfilled"] + record["expired"] + record["slashed"])
    return None if ended == 0 else int(record["fulfilled"]) * SCALE // ended


def with_time(histogram: Mapping[str, int], seconds: int) -> dict[str, int]:
    """A histogram of times with one more: how many times by the upper end of their class."""
    place = min(bisect_left(BOUNDS, max(0, seconds)), len(BOUNDS) - 1)
    name = str(BOUNDS[place])
    return {**histogram, name: histogram.get(name, 0) + 1}


def percentile(histogram: Mapping[str, int], share: float) -> int | None:
    """The time that this share of all times does not exceed, in seconds, rounded up to its class.

    None where there are no times.
    """
    total = sum(histogram.values())
    if total == 0:
        return None
    wanted = math.ceil(share * total)
    seen = 0
    for bound in sorted(int(name) for name in histogram):
        seen += histogram[str(bound)]
        if seen >= wanted:
            return bound
    raise AssertionError("a share is at most 1")
