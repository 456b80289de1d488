"""An executor goes on from a backup of any age: elsewhere, and without sending anything twice."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from gateless import migrations
from gateless.adapters.db import DatabaseUrl
from gateless.core.types import RequestState
from gateless.daemon.backups import back_up, restore
from gateless.daemon.transactions import IntentState
from gateless.executor.journal import OWNER
from gateless.executor.states import FINAL, WorkState
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_machine import Fate, Process, open_dying_journal
from memory_market import MemoryMarket
from memory_node import BLOCK_SECONDS, MemoryClock

REQUESTS = 3
ROUNDS = 60


async def started(chain: MemoryMarket, clock: MemoryClock, url: DatabaseUrl) -> Process:
    process = Process(chain, clock, await open_dying_journal(url, clock, Fate()))
    await process.recover()
    return process


async def live(process: Process, rounds: int) -> None:
    for _ in range(rounds):
        await process.look()
        await process.work_on(list(process.chain.created))
        await process.collect()
        await process.clock.sleep(BLOCK_SECONDS / 2)


async def go_on_from_a_backup(folder: Path, before: int, after: int, *, forgets: bool) -> None:
    chain = MemoryMarket()
    clock = MemoryClock(chain)
    for _ in range(REQUESTS):
        chain.ask(10**6, 10**9)
    first = DatabaseUrl.of_path(folder / "first" / "journal.db")
    second = DatabaseUrl.of_path(folder / "second" / "journal.db")
    process = await started(chain, clock, first)
    await live(process, before)
    await back_up(first, folder / "backup")
    await live(process, after)
    await process.journal.close()  # the disk with the first journal is lost
    if forgets:
        chain.restart()
    await restore(
        folder / "backup", second, migrations=migrations.EXECUTOR, owner=OWNER, clock=clock
    )
    process = await started(chain, clock, second)
    try:
        await live(process, ROUNDS)
        work = [await process.journal.get(number) for number in chain.created]
        assert {entry.state for entry in work} == {WorkState.FULFILLED}
        assert set(await process.journal.counts()) <= FINAL
        assert await process.journal.intents(state=IntentState.PENDING) == []
    finally:
        await process.journal.close()
    assert {request.state for request in chain.state.requests.values()} == {RequestState.PAID}
    for number in chain.created:
        assert len(chain.locks(number)) == 1
        assert len(chain.fulfilments(number)) == 1
    assert chain.reverted() == []
    assert chain.state.withdrawn == sum(r.price for r in chain.state.requests.values())
    assert chain.state.balance == 0


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=st.integers(0, 8), after=st.integers(0, 8), forgets=st.booleans())
def test_a_restored_journal_sends_nothing_twice(before: int, after: int, forgets: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(go_on_from_a_backup(Path(folder), before, after, forgets=forgets))
