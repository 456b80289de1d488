"""The journal keeps what it was told, over any restart, and refuses what cannot be."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.db import DatabaseUrl
from gateless.core.errors import ConfigError, GatelessError
from gateless.core.types import TrustMode
from gateless.daemon.journals import Position
from gateless.daemon.transactions import IntentState
from gateless.executor import Journal
from gateless.executor.states import FINAL, TRANSITIONS, Finding, WorkState
from gateless.executor.work import IntentKind, NewWork
from hypothesis import given, settings
from hypothesis import strategies as st

IDENTITY = {"chain_id": 31337, "market": "0xMarket", "account": "0xAccount"}


@asynccontextmanager
async def opened(url: DatabaseUrl | Path, **changes: Any) -> AsyncIterator[Journal]:
    journal = await Journal.open(url, **{**IDENTITY, **changes})
    try:
        yield journal
    finally:
        await journal.close()


@pytest.fixture
async def journal(database_url: DatabaseUrl) -> AsyncIterator[Journal]:
    async with opened(database_url) as journal:
        yield journal


def new_work(request_id: int, *, block: int = 1, deadline: int = 1000) -> NewWork:
    return NewWork(
        request_id=request_id,
        version_id=1 << 32,
        requester="0xUser",
        mode=TrustMode.ZK,
        price=2**127 + request_id,
        collateral=2**100,
        deadline=deadline,
        input_digest=b"\x01" * 32,
        input_binding=b"\x02" * 32,
        named_executor=None,
        created_block=block,
    )


def prepared(nonce: int, raw: bytes = b"raw") -> PreparedTx:
    return PreparedTx(raw + bytes([nonce]), f"0x{raw.hex()}{nonce:02x}", nonce, "label")


async def test_ids_of_signed_requests_have_256_bits(journal: Journal) -> None:
    ids = [2**256 - 1, 9, 2**63, 10]
    assert await journal.advance([new_work(i) for i in ids], Position(5, "0xfive")) == ids
    for request_id in ids:
        assert (await journal.get(request_id)).request_id == request_id
        await journal.intend(IntentKind.LOCK, prepared(ids.index(request_id)), request_id)
        (intent,) = await journal.intents(request_id)
        assert intent.request_id == request_id
    found = await journal.find([WorkState.SEEN])
    assert [work.request_id for work in found] == sorted(ids)  # of one deadline: by number


async def test_work_comes_back_as_it_was_written(journal: Journal) -> None:
    assert await journal.cursor() is None
    assert await journal.advance([new_work(1), new_work(2)], Position(5, "0xfive")) == [1, 2]
    assert await journal.cursor() == Position(5, "0xfive")
    work = await journal.move(1, WorkState.CHECKED, packed_input=b"in", circuit_index=0)
    assert (work.state, work.packed_input, work.price) == (
        WorkState.CHECKED,
        b"in",
        2**127 + 1,
    )
    await journal.move(1, WorkState.LOCKING)
    await journal.move(1, WorkState.LOCKED, lock_deadline=77)
    work = await journal.move(1, WorkState.PROVED, packed_output=b"out", proof=b"proof")
    assert (work.has_proof, work.lock_deadline) == (True, 77)
    await journal.move(1, WorkState.FULFILLING)
    await journal.move(1, WorkState.FULFILLED, fee=2**120)
    assert await journal.earned() == 2**120
    assert await journal.counts() == {WorkState.FULFILLED: 1, WorkState.SEEN: 1}
    with pytest.raises(LookupError):
        await journal.get(3)


async def test_reading_a_block_again_adds_nothing_and_forgets_nothing(journal: Journal) -> None:
    await journal.advance([new_work(1)], Position(5, "0x5"))
    await journal.move(1, WorkState.CHECKED, packed_input=b"in")
    assert await journal.advance([new_work(1)], Position(5, "0x5")) == []
    assert (await journal.get(1)).state is WorkState.CHECKED


async def test_forbidden_transitions_are_refused_and_nothing_is_written(journal: Journal) -> None:
    for present in WorkState:
        for wanted in WorkState:
            if wanted in TRANSITIONS[present]:
                continue
            request_id = list(WorkState).index(present) * 100 + list(WorkState).index(wanted) + 1
            await journal.advance([new_work(request_id)], Position(1, "0x1"))
            await journal.settle(request_id, Finding(present))
            with pytest.raises(GatelessError) as caught:
                await journal.move(request_id, wanted, fee=5)
            assert caught.value.code == "forbidden-transition"
            work = await journal.get(request_id)
            assert (work.state, work.fee) == (present, 0)


async def test_urgent_work_comes_first(journal: Journal) -> None:
    work = [new_work(1, deadline=30), new_work(2, deadline=10), new_work(3, deadline=20)]
    await journal.advance(work, Position(1, "0x1"))
    assert [entry.request_id for entry in await journal.find({WorkState.SEEN})] == [2, 3, 1]


async def test_a_rewind_forgets_what_was_not_promised_and_keeps_promises(
    journal: Journal,
) -> None:
    for number in range(1, 11):
        await journal.advance([new_work(number, block=number)], Position(number, f"0x{number}"))
    await journal.move(8, WorkState.CHECKED)
    await journal.move(8, WorkState.LOCKING)
    await journal.rewind(6)
    assert await journal.cursor() == Position(6, "0x6")
    left = {work.request_id for work in await journal.find(list(WorkState))}
    assert left == {1, 2, 3, 4, 5, 6, 8}


async def test_ended_work_may_be_reconsidered_while_there_is_time(journal: Journal) -> None:
    await journal.advance([new_work(1, deadline=10), new_work(2)], Position(1, "0x1"))
    for request_id in (1, 2):
        await journal.move(request_id, WorkState.SKIPPED, reason="price-too-low", text="why")
    assert await journal.reconsider([WorkState.SKIPPED], 11) == 1
    assert (await journal.get(1)).state is WorkState.SKIPPED
    work = await journal.get(2)
    assert (work.state, work.reason, work.text) == (WorkState.SEEN, "", "")


async def test_inputs_and_proofs_of_dropped_work_are_not_kept(journal: Journal) -> None:
    await journal.advance([new_work(1)], Position(1, "0x1"))
    await journal.move(1, WorkState.CHECKED, packed_input=b"in")
    await journal.note(1, packed_output=b"out", proof=b"proof")
    assert (await journal.get(1)).has_proof
    work = await journal.move(1, WorkState.LOST, reason="locked-by-another")
    assert (work.packed_input, work.packed_output, work.proof) == (None, None, None)


async def test_intents_are_found_by_request_and_state(journal: Journal) -> None:
    lock = await journal.intend(IntentKind.LOCK, prepared(7), 1)
    draw = await journal.intend(IntentKind.WITHDRAW, prepared(5))
    pending = await journal.intents(state=IntentState.PENDING)
    assert [intent.nonce for intent in pending] == [5, 7]
    await journal.conclude(lock.intent_id, IntentState.MINED, block_number=9, gas_used=100)
    (mined,) = await journal.intents(1)
    assert (mined.state, mined.block_number, mined.gas_used) == (IntentState.MINED, 9, 100)
    assert await journal.intents(state=IntentState.PENDING) == [draw]


async def test_a_lock_of_several_requests_is_an_intent_of_each(journal: Journal) -> None:
    await journal.advance([new_work(entry) for entry in (1, 2, 3)], Position(1, "0x1"))
    alone = await journal.intend(IntentKind.LOCK, prepared(6), 3)
    shared = await journal.intend(IntentKind.LOCK_MANY, prepared(7), request_ids=[2, 1])
    assert await journal.intents(1) == await journal.intents(2) == [shared]
    assert await journal.intents(3) == [alone]
    works = await journal.locked_together(shared.intent_id)
    assert [work.request_id for work in works] == [1, 2]
    assert await journal.locked_together(alone.intent_id) == []
    again = await journal.intend(IntentKind.LOCK_MANY, prepared(7), request_ids=[2, 1])
    assert again == shared


async def test_the_same_signed_bytes_are_the_same_intent(journal: Journal) -> None:
    first = await journal.intend(IntentKind.LOCK, prepared(7), 1)
    await journal.conclude(first.intent_id, IntentState.DROPPED, text="was not sent")
    again = await journal.intend(IntentKind.LOCK, prepared(7), 1)
    assert again == first
    assert await journal.intents(1) == [first]


async def test_further_attempts_are_kept_in_their_order(journal: Journal) -> None:
    intent = await journal.intend(IntentKind.LOCK, prepared(7), 1)
    dearer = replace(prepared(7, b"dearer"), private=True)
    empty = replace(prepared(7, b"empty"), cancels=True)
    for attempt in (dearer, empty, dearer, prepared(7)):
        await journal.attempted(intent.intent_id, attempt)
    (kept,) = await journal.intents(state=IntentState.PENDING)
    named = [replace(attempt, label="lock") for attempt in (prepared(7), dearer, empty)]
    assert list(kept.attempts) == named
    assert (kept.nonce, kept.tx_hash) == (7, empty.tx_hash)
    assert await journal.owner_of(dearer.tx_hash) == f"lock (intent {intent.intent_id})"
    assert await journal.owner_of("0xforeign") is None
    # Whichever of them is signed again, it is this intent.
    assert (await journal.intend(IntentKind.LOCK, dearer, 1)).intent_id == intent.intent_id


async def test_slow_proofs_count_at_once_and_fast_ones_by_and_by(journal: Journal) -> None:
    assert await journal.timing(1, 0) is None
    await journal.measured(1, 0, 10.0)
    await journal.measured(1, 0, 30.0)
    assert await journal.timing(1, 0) == 30.0
    await journal.measured(1, 0, 10.0)
    assert await journal.timing(1, 0) == pytest.approx(24.0)
    assert await journal.timing(1, 1) is None


@pytest.mark.parametrize(
    "changes", [{"chain_id": 1}, {"market": "0xOther"}, {"account": "0xOther"}]
)
async def test_a_journal_serves_one_account_on_one_market(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = tmp_path / "journal.db"
    async with opened(path):
        pass
    async with opened(path, market="0xMARKET"):
        pass  # addresses have no case
    with pytest.raises(ConfigError) as caught:
        async with opened(path, **changes):
            pass
    assert caught.value.code == "journal-of-another"


async def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"not a database, " * 100)
    with pytest.raises(ConfigError) as caught:
        async with opened(path):
            pass
    assert caught.value.code == "journal-unreadable"


steps = st.lists(
    st.tuples(
        st.sampled_from(["see", "move", "crash", "rewind"]), st.integers(1, 4), st.integers(0, 99)
    ),
    max_size=25,
)


@settings(max_examples=20, deadline=None)
@given(steps)
async def test_any_history_with_crashes_is_remembered(history: list[tuple[str, int, int]]) -> None:
    """The journal, reopened after any step, equals a dictionary that was never closed."""
    model: dict[int, WorkState] = {}
    created: dict[int, int] = {}
    block = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        journal = await Journal.open(path, **IDENTITY)
        for step, request_id, number in history:
            if step == "see":
                block += 1
                position = Position(block, hex(block))
                added = await journal.advance([new_work(request_id, block=block)], position)
                assert added == ([] if request_id in model else [request_id])
                # Seen again, it lies in another block: a fork may move a request.
                model.setdefault(request_id, WorkState.SEEN)
                created[request_id] = block
            elif step == "move" and request_id in model:
                possible = sorted(TRANSITIONS[model[request_id]])
                if possible:
                    wanted = possible[number % len(possible)]
                    await journal.move(request_id, wanted)
                    model[request_id] = wanted
            elif step == "rewind" and block:
                ancestor = number % block
                await journal.rewind(ancestor)
                kept = FINAL - {WorkState.FULFILLED} | {WorkState.SEEN, WorkState.CHECKED}
                model = {
                    key: state
                    for key, state in model.items()
                    if created[key] <= ancestor or state not in kept
                }
                block = ancestor
            elif step == "crash":
                await journal.close()
                journal = await Journal.open(path, **IDENTITY)
        found = {work.request_id: work.state for work in await journal.find(list(WorkState))}
        cursor = await journal.cursor()
        await journal.close()
    assert found == model
    assert (cursor.number if cursor else 0) == block
