"""The life of a lazy request as its executor sees it. Pure.

::

    seen ──> checked ──> locked ──> answered ──> final
      │         │          │           └──> disputed ──> final
      │         │          └──> failed (missed)  └──> failed (slashed)
      └─────────┴──> skipped (own policy) · rejected (no proof possible) · lost (to others, to time)

What was lost to another executor's lock is seen again when that one misses its deadline.

What is on chain is told by events, in the order of the chain, and written down in the transaction
that moves the cursor: the market keeps hashes only, so without the structs nothing can be done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gateless.adapters.chain import lazy as lazy_events
from gateless.core.lazy import LazyClaim, LazyLock, LazyRequest
from gateless.core.types import Event
from gateless.executor.states import LOCKED_BY_ANOTHER


class LazyWorkState(StrEnum):
    """How far an executor got with a lazy request."""

    SEEN = "seen"
    CHECKED = "checked"
    LOCKED = "locked"
    ANSWERED = "answered"
    DISPUTED = "disputed"
    FINAL = "final"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    LOST = "lost"
    FAILED = "failed"


_S = LazyWorkState

#: Nothing is at stake yet.
UNCOMMITTED = frozenset({_S.SEEN, _S.CHECKED})
#: Something must be done soon, or stake is lost.
PROMISED = frozenset({_S.LOCKED, _S.DISPUTED})
#: Nothing is left to do.
ENDED = frozenset({_S.FINAL, _S.SKIPPED, _S.REJECTED, _S.LOST, _S.FAILED})
#: Blocks after an answer in which its lot is drawn: by the hash of the next one, which the EVM
#: knows for 256 blocks.
DRAWN_WITHIN = 257


@dataclass(frozen=True, slots=True)
class LazyWork:
    """A lazy request and how far this executor got with it.

    Attributes:
        request_id: its id.
        request: what was asked.
        signature: its requester's, where it was handed in instead of sent.
        state: how far.
        reason: code of why it is where it is; empty while all goes well.
        text: the same in words.
        packed_input: kept from the check until nobody can doubt the answer.
        packed_output: likewise.
        lock: this executor's.
        rival: the last lock of another one: what it misses is taken over.
        claim: this executor's answer.
        dispute_deadline: last second for a proof; 0 where nobody doubts.
        fee: what was paid.
        created_block: where it was made; 0 where that is still to come.
        changed_block: where the chain last changed it.
    """

    request_id: int
    request: LazyRequest
    signature: bytes | None = None
    state: LazyWorkState = _S.SEEN
    reason: str = ""
    text: str = ""
    packed_input: bytes | None = None
    packed_output: bytes | None = None
    lock: LazyLock | None = None
    rival: LazyLock | None = None
    claim: LazyClaim | None = None
    dispute_deadline: int = 0
    fee: int = 0
    created_block: int = 0
    changed_block: int = 0

    @property
    def version_id(self) -> int:
        """The version asked for."""
        return self.request.version_id

    @property
    def input_digest(self) -> bytes:
        """keccak256 of its packed input."""
        return self.request.input_digest

    @property
    def input_binding(self) -> bytes:
        """What a proof must be tied to."""
        return self.request.input_binding

    def missed(self, now: int) -> LazyLock | None:
        """The lock of another executor that can be taken over, unless another one did already.

        Args:
            now: second in which the takeover would be mined.
        """
        rival = self.rival
        if rival is None or not rival.lock_deadline < now <= self.request.deadline:
            return None
        return rival


def may_be_drawn(work: LazyWork, head: int) -> bool:
    """Whether an audit by lot may ask for a proof of what was locked or answered, or does.

    Args:
        work: not ended.
        head: the block that is next.
    """
    if work.request.audit_bps == 0:
        return False
    if work.state is not _S.ANSWERED or work.claim is None:
        return True
    return head <= work.claim.answered_block + DRAWN_WITHIN


def after_event(work: LazyWork, event: Event, me: str) -> LazyWork:
    """What an event of the market or its court makes of the work on its request.

    Args:
        work: before.
        event: about this request.
        me: this executor's address.
    """
    changed = replace(work, changed_block=event.block_number)
    mine = str(event.args.get("executor", "")).lower() == me.lower()
    if event.name == "Locked":
        _, lock = lazy_events.locked(event)
        if not mine:
            lost = replace(changed, rival=lock)
            return _ended(lost, _S.LOST, LOCKED_BY_ANOTHER, f"{lock.executor} locked it")
        return replace(changed, state=_S.LOCKED, lock=lock, reason="", text="")
    if event.name == "Answered":
        claim, output, _ = lazy_events.answered(event)
        if not mine:
            return _ended(changed, _S.LOST, "answered-by-another", f"{claim.executor} answered")
        return replace(
            changed, state=_S.ANSWERED, claim=claim, packed_output=output, reason="", text=""
        )
    if event.name == "Disputed" and mine:
        claim, dispute = lazy_events.disputed(event)
        return replace(changed, state=_S.DISPUTED, claim=claim, dispute_deadline=dispute.deadline)
    if event.name == "Finalized" and mine:
        fee = int(event.args["fee"])
        return _ended(replace(changed, fee=fee, dispute_deadline=0), _S.FINAL, "", "")
    if event.name == "ClaimSlashed" and mine:
        return _ended(changed, _S.FAILED, "slashed", "no proof was on chain in time")
    if event.name == "LockMissed" and mine:
        return _ended(changed, _S.FAILED, "lock-missed", "the lock's deadline passed unanswered")
    if event.name == "RequestRefunded":
        if work.state is _S.LOCKED:
            return _ended(changed, _S.FAILED, "lock-missed", "refunded after the lock was missed")
        return _ended(changed, _S.LOST, "refunded", "the requester took it back, or it expired")
    return work


def new_lazy_work(event: Event) -> LazyWork:
    """Work on a request that ``Requested`` announced."""
    request_id, request, packed = lazy_events.requested(event)
    return LazyWork(
        request_id,
        request,
        packed_input=packed or None,
        created_block=event.block_number,
        changed_block=event.block_number,
    )


def undone(work: LazyWork, ancestor: int) -> LazyWork | None:
    """What is left of work when all blocks above one are undone; None where nothing is.

    What the new branch holds is read again and brings everything that is still true.
    """
    if work.changed_block <= ancestor:
        return work
    if work.signature is None and work.created_block > ancestor:
        return None
    lock = work.lock if work.lock and work.lock.lock_block <= ancestor else None
    rival = work.rival if work.rival and work.rival.lock_block <= ancestor else None
    claim = work.claim if work.claim and work.claim.answered_block <= ancestor else None
    state = _S.ANSWERED if claim else _S.LOCKED if lock else _S.LOST if rival else _S.SEEN
    lost = state is _S.LOST and rival is not None
    return replace(
        work,
        state=state,
        lock=lock,
        rival=rival,
        claim=claim,
        dispute_deadline=0,
        fee=0,
        reason=LOCKED_BY_ANOTHER if lost else "",
        text=f"{rival.executor} locked it" if lost and rival is not None else "",
        created_block=min(work.created_block, ancestor),
        changed_block=ancestor,
    )


def _ended(work: LazyWork, state: LazyWorkState, reason: str, text: str) -> LazyWork:
    """What was paid may be undone by a fork: its input and output are dropped later."""
    dropped = state is _S.LOST
    return replace(
        work,
        state=state,
        reason=reason,
        text=text,
        packed_input=None if dropped else work.packed_input,
        packed_output=None if dropped else work.packed_output,
    )
