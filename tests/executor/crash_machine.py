"""What may happen to an executor on a market in memory, with crashes between any two steps.

Whatever happens: what was locked in good time is paid once, nothing is sent twice for one thing,
and everything of the account's that was ever mined was journaled before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar

from gateless.adapters.db import DatabaseUrl, open_database
from gateless.core.types import RequestState
from gateless.daemon.transactions import IntentState
from gateless.executor.schema import metadata
from gateless.executor.states import FINAL, WorkState
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)
from journal_machine import ME, CrashError, Fate, Process, open_dying_journal
from memory_market import MemoryMarket
from memory_node import BLOCK_SECONDS, GWEI, Fault, MemoryClock

#: Long enough for any proof here, and too short for a long absence.
AMPLE, SHORT = 1_000_000, 40
CRASHES = st.none() | st.integers(0, 60)
FAULTS = st.lists(st.sampled_from([Fault.NONE] * 4 + list(Fault)), max_size=20)
FEES = st.lists(st.integers(1, 60).map(lambda gwei: gwei * GWEI), max_size=6)
ROUNDS = 100


class CrashMachine(RuleBasedStateMachine):
    """What may happen to an executor that serves up to six requests."""

    url: ClassVar[DatabaseUrl]
    process_type: ClassVar[type[Process]]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.fate = Fate()
        self.chain = MemoryMarket(before=self.fate.step)
        self.clock = MemoryClock(self.chain)
        self.ample: set[int] = set()
        self.forks = 0
        self.process: Process | None = None
        self.run(_emptied(self.url))
        self.survive(self.start(), None)

    def run(self, step: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(step)

    async def start(self) -> None:
        journal = await open_dying_journal(self.url, self.clock, self.fate)
        self.process = self.process_type(self.chain, self.clock, journal)
        await self.process.recover()

    async def end(self) -> None:
        """The process is gone: its tasks, its connections, its locks."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        while others:
            # Over and over: a connection's closing, cancelled once, waits for a thread that ended.
            for task in others:
                task.cancel()
            _, others = await asyncio.wait(others, timeout=0.2)
        if self.process is not None:
            await self.process.journal.close()
            self.process = None

    def survive(self, step: Coroutine[Any, Any, None], crash: int | None) -> None:
        """Does something; where the process dies of it, it is started again."""
        self.fate.left = crash
        try:
            self.run(self.until_death(step))
        except CrashError:
            self.restart()
        except BaseExceptionGroup as group:
            if group.split(CrashError)[1] is not None:
                raise
            self.restart()
        self.fate.left = None

    async def until_death(self, step: Coroutine[Any, Any, None]) -> None:
        """A step, as far as it comes: whoever waits for a task that died waits no longer."""
        task = asyncio.ensure_future(step)
        death = asyncio.ensure_future(self.fate.death.wait())
        await asyncio.wait({task, death}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise CrashError  # what is left of it ends with the process
        death.cancel()
        await task

    def restart(self) -> None:
        self.run(self.end())
        self.fate.revive()
        self.run(self.start())

    @property
    def alive(self) -> Process:
        assert self.process is not None
        return self.process

    # --- what happens ---

    @precondition(lambda self: len(self.chain.created) < 6)
    @rule(lock_duration=st.sampled_from([AMPLE, AMPLE, SHORT]))
    def a_request_is_made(self, lock_duration: int) -> None:
        number = self.chain.ask(lock_duration, int(self.chain.head * BLOCK_SECONDS) + 10**7)
        (self.ample.add if lock_duration == AMPLE else self.ample.discard)(number)
        self.survive(self.alive.look_again(), None)

    @precondition(lambda self: self.chain.created)
    @rule(data=st.data(), crash=CRASHES)
    def requests_are_worked_on(self, data: st.DataObject, crash: int | None) -> None:
        numbers = data.draw(st.sets(st.sampled_from(sorted(self.chain.created)), min_size=1))
        self.survive(self.alive.work_on(sorted(numbers)), crash)

    @precondition(lambda self: self.chain.state.balance)
    @rule(crash=CRASHES)
    def earnings_are_withdrawn(self, crash: int | None) -> None:
        self.survive(self.alive.collect(), crash)

    @rule(crash=CRASHES)
    def it_is_restarted(self, crash: int | None) -> None:
        self.run(self.end())
        self.survive(self.start(), crash)

    @precondition(lambda self: self.chain.created)
    @rule(data=st.data())
    def a_rival_locks(self, data: st.DataObject) -> None:
        self.chain.lock_by_rival(data.draw(st.sampled_from(sorted(self.chain.created))))

    @rule(seconds=st.sampled_from([1.0, 5.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.run(self.clock.sleep(seconds))

    @rule(depth=st.integers(1, 10), returning=st.booleans(), crash=CRASHES)
    def the_chain_forks(self, depth: int, returning: bool, crash: int | None) -> None:
        self.forks += 1
        self.chain.fork(depth, returning=returning)
        self.survive(self.alive.look_again(), crash)

    @rule()
    def the_node_loses_its_mempool(self) -> None:
        self.chain.restart()

    @rule(faults=FAULTS, send_faults=FAULTS, fees=FEES)
    def the_network_gets_worse(
        self, faults: list[Fault], send_faults: list[Fault], fees: list[int]
    ) -> None:
        self.chain.faults, self.chain.send_faults = iter(faults), iter(send_faults)
        self.chain.base_fees = [*fees, GWEI]

    # --- what must hold ---

    def teardown(self) -> None:
        try:
            if self.process is not None:
                self.all_goes_well_from_here_on()
                self.run(self.check())
        finally:
            self.run(self.end())
            self.runner.close()

    def all_goes_well_from_here_on(self) -> None:
        self.chain.faults, self.chain.send_faults = iter(()), iter(())
        self.chain.base_fees = [GWEI]
        self.restart()
        for _ in range(ROUNDS):
            self.run(self.alive.look_again())
            self.run(self.alive.work_on_all())
            self.run(self.alive.collect())
            if self.run(self.is_over()):
                return
            self.run(self.clock.sleep(BLOCK_SECONDS))
        journal = self.alive.journal
        left = self.run(journal.find(set(WorkState) - FINAL))
        pending = self.run(journal.intents(state=IntentState.PENDING))
        raise AssertionError(f"something is never done: {left}, {pending}, {self.chain.state}")

    async def is_over(self) -> bool:
        journal = self.alive.journal
        known = {work.request_id for work in await journal.find(FINAL)}
        return (
            known >= set(self.chain.created)
            and not await journal.find(set(WorkState) - FINAL)
            and not await journal.intents(state=IntentState.PENDING)
            and self.chain.state.balance == 0
        )

    async def check(self) -> None:
        chain, journal = self.chain, self.alive.journal
        fees = 0
        for number, request in chain.state.requests.items():
            locks = chain.locks(number)
            assert len(chain.successful(locks) if self.alive.locks_together else locks) <= 1, (
                "locked twice"
            )
            assert len(chain.fulfilments(number)) <= 1, "answered twice"
            work = await journal.get(number)
            if request.state is RequestState.PAID:
                assert (work.state, work.fee) == (WorkState.FULFILLED, request.price)
                fees += work.fee
            elif request.executor == ME:
                assert number not in self.ample, "locked, and not kept"
                assert work.state is WorkState.FAILED
            else:
                assert work.state in (WorkState.LOST, WorkState.SKIPPED)
        assert await journal.earned() == fees == chain.state.withdrawn
        await self.check_intents()

    async def check_intents(self) -> None:
        mined = {entry.tx_hash: entry for entry in self.chain.mined}
        intents = await self.alive.journal.intents()
        journaled = {a.tx_hash: a for intent in intents for a in intent.attempts}
        assert {h for h, entry in mined.items() if entry.tx.data} <= set(journaled), "unknown to it"
        for intent in intents:
            assert len({attempt.nonce for attempt in intent.attempts}) == 1
            done = [a for a in intent.attempts if a.tx_hash in mined and not a.cancels]
            assert len(done) <= 1, "two transactions of one intent were mined"
            succeeded = bool(done) and self.chain.receipts[done[0].tx_hash][0]
            # What a fork undid stays mined in the journal; its work is compared with the chain.
            assert self.forks or (intent.state is IntentState.MINED) == succeeded
        nonces = [entry.tx.nonce for entry in self.chain.mined]
        assert nonces == list(range(len(nonces)))
        assert self.forks or not self.chain.pool, "something waits behind a gap"


_emptied_once: set[str] = set()


async def _emptied(url: DatabaseUrl) -> None:
    """The database without a row."""
    if url.dsn not in _emptied_once and url.path is None:
        _emptied_once.add(url.dsn)
        return  # new, without tables
    if url.path is not None:
        for path in url.path.parent.glob(f"{url.path.name}*"):
            path.unlink()
        return
    async with await open_database(url) as database, database.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            await connection.execute(table.delete())


def drive(url: DatabaseUrl, process_type: type[Process], examples: int, steps: int) -> None:
    """Runs the machine on one database."""
    kind = type("Machine", (CrashMachine,), {"url": url, "process_type": process_type})
    run_state_machine_as_test(
        kind,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            # A shorter example would take minutes to find; the steps of the first are printed.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
