"""What an earlier run left behind for requests that a reorganisation undid."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from gateless.adapters.chain import calls
from gateless.adapters.db import DatabaseUrl
from gateless.daemon.transactions import IntentState
from gateless.executor.states import Finding, WorkState
from gateless.executor.work import IntentKind
from journal_machine import Fate, Process, open_dying_journal
from memory_market import MemoryMarket
from memory_node import MemoryClock


@pytest.fixture
async def process(database_url: DatabaseUrl) -> AsyncIterator[Process]:
    chain = MemoryMarket()
    clock = MemoryClock(chain)
    started = Process(chain, clock, await open_dying_journal(database_url, clock, Fate()))
    await started.recover()
    yield started
    await started.journal.close()


async def lock_signed(process: Process, *, sent: bool) -> None:
    """Signs and journals the lock of a new request, and perhaps sends it."""
    number = process.chain.ask(1000, 10**9)
    await process.look()
    work = await process.journal.get(number)
    terms = await process.recovery.request(work)
    assert terms is not None
    call = calls.lock(terms)
    sender = process.transactions._sender
    prepared = await sender.prepare(call)
    await process.journal.intend(IntentKind.LOCK, prepared, number)
    if sent:
        await process.chain.request("eth_sendRawTransaction", "0x" + prepared.raw.hex())


def undo_requests(process: Process) -> None:
    """A reorganisation after which nobody ever asked anything."""
    process.chain.created.clear()


@pytest.mark.parametrize("sent", [False, True])
async def test_a_lock_of_a_request_that_is_gone_is_given_up(process: Process, sent: bool) -> None:
    await lock_signed(process, sent=sent)
    await process.journal.settle(1, Finding(WorkState.LOST))
    undo_requests(process)
    await process.journal.rewind(0)
    with pytest.raises(LookupError):
        await process.journal.get(1)
    again = Process(process.chain, process.clock, process.journal)
    await again.recover()
    assert await again.journal.intents(state=IntentState.PENDING) == []
    # Its nonce is nobody's obstacle: what comes next is mined.
    process.chain.state.balance = 5
    await again.collect()
    assert process.chain.state.withdrawn == 5
    assert [entry.tx.nonce for entry in process.chain.mined] == list(range(process.chain.count))


async def test_a_pending_lock_is_not_taken_for_the_next_request_of_its_number(
    process: Process,
) -> None:
    await lock_signed(process, sent=False)
    await process.journal.settle(1, Finding(WorkState.LOCKING))
    undo_requests(process)
    process.chain.ask(2000, 10**9 + 1)  # another one under the same number
    again = Process(process.chain, process.clock, process.journal)
    await process.journal.rewind(0)
    await again.recover()
    assert await again.journal.intents(1) == []
    assert await again.journal.intents(state=IntentState.PENDING) == []
    assert (await again.journal.get(1)).state is WorkState.SEEN
