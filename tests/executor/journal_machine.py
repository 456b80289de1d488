"""One executor's life as its journal sees it, on a market in memory, with crashes on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

from eth_account import Account
from gateless.adapters.chain import calls
from gateless.adapters.chain.fees import FeePolicy
from gateless.adapters.chain.lane import SendingPolicy
from gateless.adapters.chain.sender import Sender
from gateless.adapters.clock import Clock
from gateless.adapters.db import Database, DatabaseUrl
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import ChainError, GatelessError
from gateless.core.types import ExecutorInfo, Receipt
from gateless.daemon.faults import is_chain_away
from gateless.daemon.journals import Position
from gateless.executor import Journal
from gateless.executor.earnings import Earnings
from gateless.executor.policy import Standing
from gateless.executor.recovery import Recovery
from gateless.executor.states import COMMITTED, FINAL, UNCOMMITTED, WorkState
from gateless.executor.transactions import Transactions
from gateless.executor.work import IntentKind, NewWork, Work
from memory_market import MARKET, MemoryClient, MemoryMarket
from memory_node import GWEI, MemoryClock
from sqlalchemy.ext.asyncio import AsyncConnection

SIGNER = LocalSigner(Account.from_key(b"\x07" * 32))
ME = SIGNER.address
_POLICY = SendingPolicy(
    FeePolicy(max_fee_per_gas=40 * GWEI, max_priority_fee_per_gas=20 * GWEI),
    stuck_seconds=6.0,
    stuck_blocks=2,
    look_seconds=1.0,
)
PROFILE = ExecutorInfo(ME, 0, 0, "", None, 0, 1)
_S = WorkState


class CrashError(BaseException):
    """In place of a kill -9."""


@dataclass
class Fate:
    """Counts steps, and kills the process at the one that it is told.

    Attributes:
        left: steps until then; None for ever.
        death: set from then on: what is dead does nothing more.
    """

    left: int | None = None
    death: asyncio.Event = field(default_factory=asyncio.Event)

    def step(self, _what: str = "") -> None:
        if self.death.is_set():
            raise CrashError
        if self.left is None:
            return
        if self.left == 0:
            self.death.set()
            raise CrashError
        self.left -= 1

    def revive(self) -> None:
        """The next process."""
        self.left = None
        self.death = asyncio.Event()


class DyingDatabase(Database):
    """Dies before, within and after transactions: what was within is lost."""

    def __init__(self, database: Database, fate: Fate) -> None:
        super().__init__(database.url, database.engine, database._lock)
        self._fate = fate

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        self._fate.step()
        async with super().begin() as connection:
            yield connection
            self._fate.step()
        self._fate.step()


async def open_dying_journal(url: DatabaseUrl, clock: Clock, fate: Fate) -> Journal:
    """A journal whose process dies when fate says so."""

    class DyingJournal(Journal):
        def __init__(self, database: Database, clock: Clock) -> None:
            super().__init__(DyingDatabase(database, fate), clock)

    return await DyingJournal.open(
        url, chain_id=31337, market=MARKET, account=ME, clock=clock, alone=True
    )


@dataclass
class Process:
    """One life of an executor. What it does is what the executor's loop and pipeline do.

    Attributes:
        unsettled: promised work to be compared with the chain before anything else.
        forked: whether what has ended is to be compared with it as well.
        locks_together: whether one transaction may lock several requests; where it reverts as a
            whole, each is locked by itself.
    """

    locks_together: ClassVar[bool] = False

    chain: MemoryMarket
    clock: MemoryClock
    journal: Journal
    unsettled: set[int] = field(default_factory=set)
    forked: bool = False

    def __post_init__(self) -> None:
        self.client: Any = MemoryClient(self.chain)
        sender = Sender(self.client, SIGNER, clock=self.clock, policy=_POLICY, timeout=30)
        self.transactions = Transactions(sender, self.journal)
        self.recovery = Recovery(self.client, self.journal, self.transactions, ME)
        # What earnings need of an executor's parts.
        parts: Any = SimpleNamespace(
            client=self.client,
            journal=self.journal,
            transactions=self.transactions,
            recovery=self.recovery,
            clock=self.clock,
            config=SimpleNamespace(withdraw_threshold=1, retry_seconds=5.0),
        )
        self.earnings = Earnings(parts, ME)

    async def recover(self) -> None:
        """As the executor's start: over and over while the chain is away."""
        while True:
            try:
                return await self._recover()
            except GatelessError as error:
                if not is_chain_away(error):
                    raise
                await self.clock.sleep(1.0)

    async def _recover(self) -> None:
        await self.recovery.adopt()
        await self.look()
        await self.recovery.settle_leftovers()
        await self.recovery.after_fork((await self.client.block()).timestamp)
        self.unsettled = {work.request_id for work in await self.journal.find(COMMITTED)}

    async def look(self) -> None:
        """Reads what is new on chain, in two stretches where it is much; finds forks."""
        positions = await self.journal.positions()
        if positions and not self._holds(positions[0]):
            await self.journal.rewind(next((p.number for p in positions if self._holds(p)), 0))
            self.forked = True
        cursor = await self.journal.cursor()
        known = 0 if cursor is None else cursor.number
        for last in sorted({(known + self.chain.head) // 2, self.chain.head} - {known}):
            found = [
                _new_work(self.chain, number, block)
                for number, block in self.chain.created.items()
                if known < block <= last
            ]
            await self.journal.advance(found, Position(last, self.chain.hash_of(last)))
            known = last
        if self.forked:
            await self.recovery.after_fork((await self.client.block()).timestamp)
            self.forked = False

    async def look_again(self) -> None:
        """Reads what is new; what fails because the chain is away is done next time."""
        with suppress(ChainError):
            await self.look()

    def _holds(self, position: Position) -> bool:
        head = self.chain.head
        return position.number <= head and self.chain.hash_of(position.number) == position.hash

    async def work_on(self, request_ids: list[int]) -> None:
        """One step of each, at the same time."""
        async with asyncio.TaskGroup() as group:
            for request_id in request_ids:
                group.create_task(self._work_on(request_id))

    async def work_on_all(self) -> None:
        """One step of everything that is not over."""
        unfinished = await self.journal.find(set(WorkState) - FINAL)
        await self.work_on([work.request_id for work in unfinished])

    async def collect(self) -> None:
        """Withdraws what was earned."""
        standing = Standing(PROFILE, frozenset(), 0, 0, self.chain.state.balance)
        with suppress(GatelessError):
            await self.earnings.collect(standing)

    async def _work_on(self, request_id: int) -> None:
        try:
            work = await self.journal.get(request_id)
        except LookupError:
            return  # not read yet
        try:
            # Where an executor begins anew with a request, it settles what was sent for it first.
            begins = work.state in UNCOMMITTED and await self.recovery.is_unsettled(work)
            if request_id in self.unsettled or begins:
                await self.recovery.settle(work)
                self.unsettled.discard(request_id)
            elif work.state not in FINAL:
                await self._step(work)
        except GatelessError:
            if (await self.journal.get(request_id)).state in COMMITTED:
                self.unsettled.add(request_id)

    async def _step(self, work: Work) -> None:
        number = work.request_id
        if work.state in UNCOMMITTED:
            work = await self.recovery.reconcile(work)
        if work.state is _S.SEEN:
            await self.journal.move(number, _S.CHECKED, packed_input=b"input")
        elif work.state is _S.CHECKED:
            terms = await self.recovery.request(work)
            assert terms is not None
            await self.journal.move(number, _S.LOCKING)
            receipt = await self._execute(IntentKind.LOCK, calls.lock(terms), work)
            deadline = int(receipt.event("RequestLocked").args["lockDeadline"])
            await self.journal.move(number, _S.LOCKED, lock_deadline=deadline)
        elif work.state is _S.LOCKED:
            await self.journal.move(number, _S.PROVING)
        elif work.state is _S.PROVING:
            await self.journal.move(number, _S.PROVED, packed_output=b"out", proof=b"proof")
        elif work.state is _S.PROVED:
            await self.journal.move(number, _S.FULFILLING)
            call = calls.fulfill(number, 0, b"input", b"out", b"proof")
            receipt = await self._execute(IntentKind.FULFILL, call, work)
            fee = int(receipt.event("RequestFulfilled").args["fee"])
            await self.journal.move(number, _S.FULFILLED, fee=fee)
        elif work.state not in FINAL:
            await self.recovery.settle(work)

    async def _execute(self, kind: IntentKind, call: calls.Call, work: Work) -> Receipt:
        async def wanted() -> bool:
            return await self.recovery.is_still_wanted(work)

        return await self.transactions.execute(kind, call, work.request_id, still_wanted=wanted)


def _new_work(chain: MemoryMarket, number: int, block: int) -> NewWork:
    request = chain.state.requests[number]
    return NewWork(
        request_id=number,
        version_id=request.version_id,
        requester=request.requester,
        mode=request.mode,
        price=request.max_price,
        collateral=request.collateral,
        deadline=request.deadline,
        input_digest=request.input_digest,
        input_binding=request.input_binding,
        named_executor=None,
        created_block=block,
    )
