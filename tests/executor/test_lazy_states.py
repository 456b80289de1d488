"""The life of a lazy request by events, and what is left of it when blocks are undone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from gateless.adapters.db import DatabaseUrl
from gateless.core.lazy import LazyClaim, LazyDispute, LazyLock, LazyRequest
from gateless.core.types import ZERO_ADDRESS, Event
from gateless.daemon.journals import Position
from gateless.executor import Journal
from gateless.executor.journal_claims import CourtNews
from gateless.executor.journal_lazy import SETTLED_BLOCKS
from gateless.executor.lazy.states import (
    ENDED,
    LazyWork,
    LazyWorkState,
    after_event,
    may_be_drawn,
    new_lazy_work,
    undone,
)

S = LazyWorkState
ME = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
OTHER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
REQUEST = LazyRequest(
    requester=OTHER,
    version_id=1 << 32,
    input_digest=bytes(32),
    input_binding=bytes(32),
    max_price=2**100,
    min_price=0,
    ramp_start=0,
    ramp_length=0,
    collateral=100,
    deadline=1_000,
    lock_duration=60,
    challenge_window=600,
    response_window=100,
    audit_bps=0,
    nonce=2**250,
    input_hint="ipfs://…",
)
ID = 2**255 + 5
LOCK = LazyLock(executor=ME, price=5, royalty_bps=500, lock_block=11, lock_deadline=900)
CLAIM = LazyClaim(
    request_id=ID,
    version_id=1 << 32,
    requester=OTHER,
    executor=ME,
    input_binding=bytes(32),
    input_digest=bytes(32),
    output_digest=bytes(32),
    price=5,
    royalty_bps=500,
    collateral=100,
    challenge_deadline=1_500,
    response_window=100,
    audit_bps=0,
    answered_block=12,
    callback=ZERO_ADDRESS,
    callback_gas=0,
)
DISPUTE = LazyDispute(challenger=OTHER, bond=4, deadline=1_600, number=1)


def event(name: str, block: int, executor: str = ME, **args: Any) -> Event:
    known = {"requestId": ID, "executor": executor, **args}
    return Event(name, known, block, "0x", "0x", 0, "LazyMarket")


REQUESTED = event("Requested", 10, request=REQUEST.struct(), input=b"in")
LOCKED = event("Locked", 11, lock=LOCK.struct())
ANSWERED = event("Answered", 12, claim=CLAIM.struct(), output=b"out", inputHint="")
DISPUTED = event("Disputed", 13, claim=CLAIM.struct(), dispute=DISPUTE.struct())
FINALIZED = event("Finalized", 14, fee=4)
WHOLE = (REQUESTED, LOCKED, ANSWERED, DISPUTED, FINALIZED)


def after(*events: Event) -> LazyWork:
    work = new_lazy_work(events[0])
    for entry in events[1:]:
        work = after_event(work, entry, ME)
    return work


def test_from_the_request_to_the_end() -> None:
    seen = after(REQUESTED)
    assert (seen.state, seen.request, seen.packed_input) == (S.SEEN, REQUEST, b"in")
    assert (after(*WHOLE[:2]).state, after(*WHOLE[:2]).lock) == (S.LOCKED, LOCK)
    answered = after(*WHOLE[:3])
    assert (answered.state, answered.claim, answered.packed_output) == (S.ANSWERED, CLAIM, b"out")
    assert (after(*WHOLE[:4]).state, after(*WHOLE[:4]).dispute_deadline) == (S.DISPUTED, 1_600)
    final = after(*WHOLE)
    assert (final.state, final.fee, final.packed_output) == (S.FINAL, 4, b"out")


@pytest.mark.parametrize(
    ("events", "state", "reason"),
    [
        ((event("Locked", 11, OTHER, lock=replace(LOCK, executor=OTHER).struct()),), S.LOST,
         "locked-by-another"),
        ((event("Answered", 12, OTHER, claim=replace(CLAIM, executor=OTHER).struct(), output=b"",
                inputHint=""),), S.LOST, "answered-by-another"),
        ((event("RequestRefunded", 20),), S.LOST, "refunded"),
        ((LOCKED, event("RequestRefunded", 20)), S.FAILED, "lock-missed"),
        ((LOCKED, event("LockMissed", 20)), S.FAILED, "lock-missed"),
        ((LOCKED, ANSWERED, DISPUTED, event("ClaimSlashed", 20)), S.FAILED, "slashed"),
        ((event("ClaimSlashed", 20, OTHER),), S.SEEN, ""),
    ],
)  # fmt: skip
def test_other_ends(events: tuple[Event, ...], state: LazyWorkState, reason: str) -> None:
    work = after(REQUESTED, *events)
    assert (work.state, work.reason) == (state, reason)


@pytest.mark.parametrize(
    ("ancestor", "state"),
    [(14, S.FINAL), (13, S.ANSWERED), (12, S.ANSWERED), (11, S.LOCKED), (10, S.SEEN), (9, None)],
)
def test_what_is_left_when_blocks_are_undone(ancestor: int, state: LazyWorkState | None) -> None:
    left = undone(after(*WHOLE), ancestor)
    assert (None if left is None else left.state) == state
    if left is not None and left.state not in ENDED:
        assert left.dispute_deadline == 0 and left.fee == 0
        # Read again, the same events lead to the same end.
        again = left
        for entry in WHOLE[1:]:
            if entry.block_number > ancestor:
                again = after_event(again, entry, ME)
        assert again.state is S.FINAL


def test_what_was_handed_in_needs_no_block() -> None:
    offer = LazyWork(ID, REQUEST, signature=b"s")
    left = undone(after_event(offer, LOCKED, ME), 5)
    assert left is not None and (left.state, left.lock) == (S.SEEN, None)


RIVAL = replace(LOCK, executor=OTHER, lock_deadline=500)
LOST = event("Locked", 11, OTHER, lock=RIVAL.struct())


def test_what_another_locked_is_missed_after_its_deadline_and_before_the_requests() -> None:
    lost = after(REQUESTED, LOST)
    assert [lost.missed(now) for now in (500, 501, 1_000, 1_001)] == [None, RIVAL, RIVAL, None]
    # Taken over: the market tells the new lock first, then who missed the old one.
    took = after_event(lost, event("Locked", 15, lock=LOCK.struct()), ME)
    took = after_event(took, event("LockMissed", 15, OTHER), ME)
    assert (took.state, took.lock) == (S.LOCKED, LOCK)
    # The other way round it is a lock that was missed here.
    gone = after_event(after(REQUESTED, LOCKED), replace(LOST, block_number=20), ME)
    assert after_event(gone, event("LockMissed", 20), ME).state is S.FAILED


def test_a_takeover_that_is_undone_leaves_the_lock_before_it() -> None:
    lost = after(REQUESTED, LOST)
    took = after_event(lost, event("Locked", 15, lock=replace(LOCK, lock_block=15).struct()), ME)
    left = undone(took, 12)
    assert left is not None
    assert (left.state, left.reason, left.rival) == (S.LOST, "locked-by-another", RIVAL)
    before = undone(took, 10)
    assert before is not None and (before.state, before.rival) == (S.SEEN, None)


@pytest_asyncio.fixture
async def journal(database_url: DatabaseUrl) -> AsyncIterator[Journal]:
    opened = await Journal.open(database_url, chain_id=31337, market="0xMarket", account=ME)
    yield opened
    await opened.close()


async def test_the_journal_keeps_structs_whole(journal: Journal) -> None:
    for entry in WHOLE[:4]:
        number = entry.block_number
        await journal.advance([], Position(number, f"0x{number}"), CourtNews(lazy=(entry,), me=ME))
    assert await journal.lazy(ID) == after(*WHOLE[:4])
    assert await journal.find_lazy([S.DISPUTED]) == [after(*WHOLE[:4])]
    await journal.rewind(11)
    assert await journal.lazy(ID) == undone(after(*WHOLE[:4]), 11)
    await journal.rewind(9)
    with pytest.raises(LookupError):
        await journal.lazy(ID)


async def test_what_is_paid_for_good_leaves_no_inputs(journal: Journal) -> None:
    for entry in WHOLE:
        number = entry.block_number
        await journal.advance([], Position(number, f"0x{number}"), CourtNews(lazy=(entry,), me=ME))
    await journal.drop_settled_lazy(head=14 + SETTLED_BLOCKS)
    assert (await journal.lazy(ID)).packed_output == b"out"
    await journal.drop_settled_lazy(head=15 + SETTLED_BLOCKS)
    kept = await journal.lazy(ID)
    assert (kept.state, kept.packed_input, kept.packed_output) == (S.FINAL, None, None)


async def test_own_steps_do_not_overrule_the_chain(journal: Journal) -> None:
    offer = LazyWork(ID, REQUEST, signature=b"s", packed_input=b"in")
    assert await journal.take_lazy(offer)
    assert not await journal.take_lazy(replace(offer, packed_input=None))
    await journal.keep_lazy_receipt([LOCKED], ME)
    # A check that ends late finds the request locked already.
    late = await journal.move_lazy(ID, S.CHECKED, packed_output=b"out")
    assert late.state is S.LOCKED and late.packed_output is None
    kept = await journal.move_lazy(ID, S.LOCKED, only_from=[S.LOCKED], packed_output=b"out")
    assert (kept.state, kept.packed_output, kept.lock) == (S.LOCKED, b"out", LOCK)
    assert await journal.lazy_counts() == {S.LOCKED: 1}


@pytest.mark.parametrize("is_read", [False, True])
async def test_receipts_that_come_late_take_nothing_back(journal: Journal, is_read: bool) -> None:
    """An answer is proven by somebody else before the executor has seen its receipt."""
    story = (REQUESTED, LOCKED, ANSWERED, FINALIZED)
    assert await journal.take_lazy(LazyWork(ID, REQUEST, signature=b"s"))
    if is_read:
        await journal.advance([], Position(14, "0xe"), CourtNews(lazy=story, me=ME))
    else:
        await journal.keep_lazy_receipt([LOCKED], ME)
        await journal.keep_lazy_receipt([FINALIZED], ME)
    for late in (ANSWERED, LOCKED):
        taken = await journal.keep_lazy_receipt([late], ME)
        assert (taken[ID].state, taken[ID].fee) == (S.FINAL, 4)
    assert (await journal.lazy(ID)).state is S.FINAL


def test_a_lot_may_fall_while_the_chain_knows_the_hash_that_draws() -> None:
    audited = replace(
        LazyWork(ID, replace(REQUEST, audit_bps=1)),
        state=S.ANSWERED,
        claim=replace(CLAIM, audit_bps=1),
    )
    last = CLAIM.answered_block + 1 + 256
    assert may_be_drawn(audited, last)
    assert not may_be_drawn(audited, last + 1)
    # It is promised already, or fell.
    assert may_be_drawn(replace(audited, state=S.LOCKED, claim=None), last + 1)
    assert may_be_drawn(replace(audited, state=S.DISPUTED), last + 1)
    assert not may_be_drawn(replace(audited, request=REQUEST), last)


async def test_what_others_missed_is_looked_at_again(journal: Journal) -> None:
    for entry in (REQUESTED, LOST):
        number = entry.block_number
        await journal.advance([], Position(number, f"0x{number}"), CourtNews(lazy=(entry,), me=ME))
    assert await journal.reconsider_missed_lazy(500) == 0
    assert await journal.reconsider_missed_lazy(501) == 1
    again = await journal.lazy(ID)
    assert (again.state, again.reason, again.rival) == (S.SEEN, "", RIVAL)
    # Somebody else was quicker, and answered.
    answer = event("Answered", 13, OTHER, claim=replace(CLAIM, executor=OTHER).struct(),
                   output=b"", inputHint="")  # fmt: skip
    await journal.keep_lazy_receipt([answer], ME)
    assert await journal.reconsider_missed_lazy(502) == 0
