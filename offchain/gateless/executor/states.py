"""The life of a request as its executor sees it, and what the chain says about it. Pure.

::

    seen ──> checked ──> locking ──> locked ──> proving ──> proved ──> fulfilling ──> fulfilled
      │         │           │           │          │           │           │
      └─────────┴───────────┘           └──────────┴───────────┴───────────┴──> failed
                │
                └──> skipped (own policy) · rejected (cannot be proven) · lost (to others, to time)

Every state is journaled before what it announces is done, so a crash leaves the last thing known.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateless.core.types import RequestInfo, RequestState


class WorkState(StrEnum):
    """How far an executor got with a request."""

    SEEN = "seen"
    CHECKED = "checked"
    LOCKING = "locking"
    LOCKED = "locked"
    PROVING = "proving"
    PROVED = "proved"
    FULFILLING = "fulfilling"
    FULFILLED = "fulfilled"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    LOST = "lost"
    FAILED = "failed"


_S = WorkState

#: States in which nothing is left to do.
FINAL = frozenset({_S.FULFILLED, _S.SKIPPED, _S.REJECTED, _S.LOST, _S.FAILED})
#: States in which no stake is at risk yet: work may be dropped at any time.
UNCOMMITTED = frozenset({_S.SEEN, _S.CHECKED})
#: States in which this executor holds the lock, or may hold it.
COMMITTED = frozenset({_S.LOCKING, _S.LOCKED, _S.PROVING, _S.PROVED, _S.FULFILLING})

#: Why work failed whose proof was there in time: it was not the version's fault.
UNDELIVERED = "answer-undelivered"

#: Why work is lost whose request the chain does not hold any more.
REQUEST_VANISHED = "request-vanished"

#: Why work is left alone whose place another request needed; it does not come back by itself.
GAVE_WAY = "gave-way"

#: Why work is lost that another executor locked; it comes back where that one misses its deadline.
LOCKED_BY_ANOTHER = "locked-by-another"

_BEFORE_LOCK = (_S.SKIPPED, _S.REJECTED, _S.SEEN, _S.CHECKED)
_ENDS_UNLOCKED = frozenset({_S.SKIPPED, _S.REJECTED, _S.LOST})

#: What may follow on what while everything goes its way. :func:`reconcile` may set any state, as
#: the chain is right and the journal is only a memory.
TRANSITIONS: dict[WorkState, frozenset[WorkState]] = {
    _S.SEEN: frozenset({_S.CHECKED}) | _ENDS_UNLOCKED,
    _S.CHECKED: frozenset({_S.SEEN, _S.LOCKING}) | _ENDS_UNLOCKED,
    _S.LOCKING: frozenset({_S.LOCKED, _S.CHECKED, _S.SEEN, _S.LOST, _S.FULFILLED}),
    _S.LOCKED: frozenset({_S.PROVING, _S.PROVED, _S.FAILED}),
    _S.PROVING: frozenset({_S.PROVED, _S.LOCKED, _S.FAILED}),
    _S.PROVED: frozenset({_S.FULFILLING, _S.FAILED}),
    _S.FULFILLING: frozenset({_S.FULFILLED, _S.PROVED, _S.FAILED}),
    _S.FULFILLED: frozenset(),
    _S.SKIPPED: frozenset({_S.SEEN}),
    _S.REJECTED: frozenset(),
    _S.LOST: frozenset({_S.SEEN}),
    _S.FAILED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A state and why; ``reason`` is a code, ``text`` says it in words."""

    state: WorkState
    reason: str = ""
    text: str = ""


def reconcile(
    state: WorkState, *, has_proof: bool, chain: RequestInfo | None, me: str, now: int
) -> Finding:
    """Where work stands in truth, whatever the journal remembers.

    Args:
        state: what the journal remembers.
        has_proof: whether a proof for this request is kept.
        chain: the request as stored on chain; None where the chain does not know it (any more).
        me: this executor's address.
        now: timestamp of the latest block.
    """
    if chain is None:
        return Finding(_S.LOST, REQUEST_VANISHED, "the chain does not hold this request any more")
    mine = chain.executor is not None and chain.executor.lower() == me.lower()
    if chain.state is RequestState.PAID:
        if mine:
            return Finding(_S.FULFILLED)
        return Finding(_S.LOST, "fulfilled-by-another", f"{chain.executor} fulfilled it")
    if chain.state is RequestState.REFUNDED:
        if mine:
            return _missed("refunded after the lock was missed", has_proof=has_proof)
        return Finding(_S.LOST, "refunded", "the requester took it back, or it expired")
    if chain.state is RequestState.LOCKED:
        if not mine and chain.lock_deadline < now <= chain.deadline:
            # Missed: whoever locks it now takes it over, at the same price.
            return Finding(state if state in _BEFORE_LOCK else _S.SEEN)
        if not mine:
            return Finding(_S.LOST, LOCKED_BY_ANOTHER, f"{chain.executor} locked it")
        if now > chain.lock_deadline:
            return _missed("the lock's deadline passed unfulfilled", has_proof=has_proof)
        return Finding(_S.PROVED if has_proof else _S.LOCKED)
    if now > chain.deadline:
        return Finding(_S.LOST, "expired", "its deadline passed before it was locked")
    if state in _BEFORE_LOCK:
        return Finding(state)
    # Open on chain although the journal was further: the lock was never mined, or was undone.
    return Finding(_S.SEEN)


def _missed(text: str, *, has_proof: bool) -> Finding:
    if has_proof:
        return Finding(_S.FAILED, UNDELIVERED, f"{text}, although it was proven")
    return Finding(_S.FAILED, "lock-missed", text)
