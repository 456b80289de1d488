"""A request's number may come to mean another request: after a fork, or on a chain started anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.db import DatabaseUrl
from gateless.core.types import TrustMode
from gateless.daemon.journals import Position
from gateless.daemon.transactions import IntentState
from gateless.executor.journal import Journal
from gateless.executor.states import REQUEST_VANISHED, Finding, WorkState
from gateless.executor.work import NO_BLOCK, IntentKind, NewWork

ME = "0x" + "11" * 20
FIRST = NewWork(
    request_id=1,
    version_id=1 << 32,
    requester="0x" + "22" * 20,
    mode=TrustMode.ZK,
    price=5,
    collateral=7,
    deadline=1_000,
    input_digest=b"\x01" * 32,
    input_binding=b"\x01" * 32,
    named_executor=None,
    created_block=3,
)


@pytest.fixture
async def journal(database_url: DatabaseUrl) -> AsyncIterator[Journal]:
    journal = await Journal.open(database_url, chain_id=31337, market="0x" + "33" * 20, account=ME)
    yield journal
    await journal.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"input_digest": b"\x02" * 32},
        {"version_id": 2 << 32},
        {"requester": "0x" + "44" * 20},
        {"price": 6},
        {"deadline": 1_001},
    ],
)
async def test_another_request_under_a_known_number_is_new_work(
    journal: Journal, changes: dict[str, Any]
) -> None:
    await journal.advance([FIRST], Position(3, "0xa"))
    await journal.settle(1, Finding(WorkState.FULFILLED), proof=b"old")
    await journal.intend(IntentKind.FULFILL, PreparedTx(b"raw", "0x01", 0), 1)
    other = replace(FIRST, created_block=4, **changes)
    assert await journal.advance([other], Position(4, "0xb")) == [1]
    work = await journal.get(1)
    assert work.state is WorkState.SEEN
    assert work.input_digest == other.input_digest
    assert not work.has_proof
    # What was sent for the other one may still be mined: nobody takes it for this one's.
    assert await journal.intents(1) == []
    (kept,) = await journal.intents(state=IntentState.PENDING)
    assert kept.request_id is None


async def test_a_request_that_vanished_and_came_back_is_taken_up_again(journal: Journal) -> None:
    await journal.advance([FIRST], Position(3, "0xa"))
    await journal.settle(1, Finding(WorkState.LOST, REQUEST_VANISHED, "undone"))
    assert await journal.advance([replace(FIRST, created_block=5)], Position(5, "0xc")) == [1]
    work = await journal.get(1)
    assert work.state is WorkState.SEEN
    assert work.created_block == 5


@pytest.mark.parametrize("state", [WorkState.FULFILLED, WorkState.LOCKED, WorkState.LOST])
async def test_the_same_request_seen_twice_keeps_its_state(
    journal: Journal, state: WorkState
) -> None:
    await journal.advance([FIRST], Position(3, "0xa"))
    await journal.settle(1, Finding(state, "for-its-own-reason"))
    assert await journal.advance([FIRST], Position(3, "0xa")) == []
    assert (await journal.get(1)).state is state
    # A fork moved it to another block: that is where its input is read from now.
    assert await journal.advance([replace(FIRST, created_block=4)], Position(4, "0xb")) == []
    work = await journal.get(1)
    assert (work.state, work.created_block) == (state, 4)


async def test_what_was_promised_and_undone_has_no_block_until_it_is_read_again(
    journal: Journal,
) -> None:
    """Or a node that does not know it would be taken for one that is behind, for ever."""
    await journal.advance([FIRST], Position(3, "0xa"))
    await journal.settle(1, Finding(WorkState.LOCKED))
    await journal.rewind(2)
    assert (await journal.get(1)).created_block == NO_BLOCK
    assert await journal.advance([replace(FIRST, created_block=4)], Position(4, "0xb")) == []
    work = await journal.get(1)
    assert (work.state, work.created_block) == (WorkState.LOCKED, 4)
