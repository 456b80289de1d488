"""Transactions that a reorganisation takes out of the chain and the node back into its pool."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from gateless.adapters.chain import calls
from gateless.adapters.db import DatabaseUrl
from gateless.daemon.transactions import IntentState
from gateless.executor.states import WorkState
from gateless.executor.work import IntentKind
from journal_machine import Fate, Process, open_dying_journal
from memory_market import MemoryMarket
from memory_node import GWEI, MemoryClock
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

#: What no transaction here offers: nothing is mined.
DEAR = 10**6 * GWEI


class BlindMarket(MemoryMarket):
    """Its node simulates on the latest block whatever it is asked for, as those of many providers
    do: what waits in the pool is not seen by a simulation."""

    def _simulate(self, request: dict[str, str], block: str) -> None:
        super()._simulate(request, "latest")


@pytest.fixture
async def process(database_url: DatabaseUrl) -> AsyncIterator[Process]:
    chain = BlindMarket()
    clock = MemoryClock(chain)
    started = Process(chain, clock, await open_dying_journal(database_url, clock, Fate()))
    await started.recover()
    yield started
    await started.journal.close()


async def reach(process: Process, number: int, state: WorkState) -> None:
    for _ in range(20):
        await process.look()
        work = await process.journal.get(number)
        if work.state is state:
            return
        await process.work_on([number])
    raise AssertionError(f"request {number} is {work.state}")


async def undo(process: Process, block: int) -> None:
    """Puts all of this and later blocks back into the pool, where it stays for now."""
    await process.look()
    process.chain.base_fees = [DEAR]
    process.chain.fork(process.chain.head - block + 1, returning=True)
    await process.look()
    process.chain.base_fees = [GWEI]


async def block_of(process: Process, kind: IntentKind) -> int:
    return next(i.block_number for i in await process.journal.intents() if i.kind is kind)


@pytest.mark.parametrize("first", [IntentKind.LOCK, IntentKind.FULFILL])
async def test_nothing_else_is_signed_for_what_is_back_in_the_pool(
    process: Process, first: IntentKind
) -> None:
    number = process.chain.ask(10**6, 10**9)
    await reach(process, number, WorkState.FULFILLED)
    await undo(process, await block_of(process, first))
    # As the executor does: what is promised again is compared with the chain first.
    process.unsettled = {number}
    await process.work_on([number])
    await reach(process, number, WorkState.FULFILLED)
    assert len({entry.nonce for entry in process.chain.seen}) == 2
    assert process.chain.reverted() == []
    assert process.chain.count == 2


async def test_the_log_says_which_requests_were_undone(process: Process) -> None:
    number = process.chain.ask(10**6, 10**9)
    with capture_logs([merge_contextvars]) as lines:
        await reach(process, number, WorkState.FULFILLED)
        await undo(process, await block_of(process, IntentKind.LOCK))
    undone = [line for line in lines if line["event"] == "transaction-undone"]
    assert {line["kind"] for line in undone} == {"lock", "fulfill"}
    assert all(line["request_id"] == number for line in undone)
    # Whose transactions are only known to the journal, they are named all the same.
    assert all("request_id" in line for line in lines if "tx_hash" in line)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_withdrawal_that_is_back_in_the_pool_is_not_made_twice(
    process: Process, restarted: bool
) -> None:
    process.chain.state.balance = 5
    process.chain.mine()
    await process.look()
    await process.collect()
    assert process.chain.state.withdrawn == 5
    await undo(process, await block_of(process, IntentKind.WITHDRAW))
    if restarted:
        process = Process(process.chain, process.clock, process.journal)
        await process.recover()
    await process.collect()
    await process.collect()
    assert process.chain.count == 1
    assert process.chain.state.withdrawn == 5
    assert await process.journal.intents(state=IntentState.PENDING) == []


async def test_what_the_node_forgot_holds_up_nothing(process: Process) -> None:
    number = process.chain.ask(10**6, 10**9)
    await reach(process, number, WorkState.FULFILLED)
    block = await block_of(process, IntentKind.LOCK)
    process.chain.fork(process.chain.head - block + 1, returning=False)
    await process.look()
    await reach(process, number, WorkState.FULFILLED)
    assert process.chain.count == 2
    assert await process.journal.intents(state=IntentState.PENDING) == []


async def test_a_withdrawal_that_is_looked_up_cancels_no_answer_on_its_way(
    process: Process,
) -> None:
    """An answer that only a relay has is not known to the node: it was sent all the same."""
    process.chain.state.balance = 5
    process.chain.mine()
    await process.look()
    await process.collect()
    await undo(process, await block_of(process, IntentKind.WITHDRAW))
    sender = process.transactions._sender
    answer = await sender.prepare(calls.withdraw(0, process.earnings._me), private=True)
    await process.journal.intend(IntentKind.LAZY_ANSWER, answer)
    await process.collect()
    intents = {entry.kind: entry for entry in await process.journal.intents()}
    assert intents[IntentKind.WITHDRAW].state is IntentState.MINED
    assert intents[IntentKind.LAZY_ANSWER].state is IntentState.PENDING
    assert [entry.cancels for entry in intents[IntentKind.LAZY_ANSWER].attempts] == [False]


@pytest.mark.parametrize("kind", list(IntentKind))
async def test_every_kind_of_transaction_is_waited_for_again(
    process: Process, kind: IntentKind
) -> None:
    """Whatever it is for, of a kind that did not exist when this was written too."""
    call = calls.withdraw(0, process.earnings._me)
    prepared = await process.transactions._sender.prepare(call)
    intent = await process.journal.intend(kind, prepared)
    await process.transactions.drive(intent, still_wanted=None, fresh=True)
    (mined,) = await process.journal.intents()
    assert mined.state is IntentState.MINED
    await undo(process, mined.block_number)
    (undone,) = await process.journal.intents()
    assert (undone.kind, undone.state) == (kind, IntentState.PENDING)
    if not kind.is_settled_with_work:
        # What runs beside everything else finds out what became of it, and nothing is sent twice.
        await process.collect()
        (settled,) = await process.journal.intents()
        assert settled.state is IntentState.MINED
        assert process.chain.count == 1


async def test_nothing_is_sent_before_what_was_undone_is_settled(process: Process) -> None:
    call = calls.withdraw(0, process.earnings._me)

    async def wanted() -> bool:
        return True

    await process.transactions.execute(IntentKind.LAZY_BACK, call, still_wanted=wanted)
    await undo(process, await block_of(process, IntentKind.LAZY_BACK))
    again = await process.transactions.execute(IntentKind.LAZY_LOCK, call, still_wanted=wanted)
    back, lock = await process.journal.intents()
    assert (back.state, lock.state) == (IntentState.MINED, IntentState.MINED)
    assert back.block_number < again.block_number
    assert process.chain.count == 2
