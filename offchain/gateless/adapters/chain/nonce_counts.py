"""Which of several endpoints' counts of an account's transactions is believed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from gateless.adapters.quiet_log import QuietLog

#: Transactions of one account that wait at once; geth keeps 16 of them for sure and 64 at most.
MOST_WAITING = 64

log = QuietLog(__name__)


def believed_count(counts: Sequence[int]) -> int:
    """The highest count that another one supports.

    An endpoint that counts too few (it is behind, or lies) would have a nonce used twice: two
    transactions of which one displaces the other. So the highest counts. One that counts too many
    would have transactions sent that nobody can mine before those that are missing. So a count is
    believed only if another one is at most :data:`MOST_WAITING` below it, which is as far as honest
    endpoints differ; where none is, the most trusted endpoint decides. What is left of such a lie,
    a gap of at most that many, is for the sender to fill.

    Args:
        counts: by endpoint, the most trusted one first; not empty.
    """
    ranked = sorted(counts, reverse=True)
    for count, lower in itertools.pairwise(ranked):
        if count - lower <= MOST_WAITING:
            return count
        log.error("nonce-not-supported", count=count, others=lower)
    return counts[0]
