"""Sends locks, in one transaction where several requests are about to be locked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from gateless.adapters.chain import calls
from gateless.adapters.chain.errors import decode_revert
from gateless.core.errors import ContractError, GatelessError
from gateless.core.types import Receipt
from gateless.executor.batching import parts_within, transaction_gas
from gateless.executor.parts import Parts
from gateless.executor.states import UNCOMMITTED, WorkState
from gateless.executor.work import IntentKind, Work

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A lock that was decided; ``locked`` becomes the lock's deadline, or why there is none."""

    work: Work
    call: calls.Call
    locked: asyncio.Future[int] = field(default_factory=asyncio.Future)

    def fail(self, error: GatelessError) -> None:
        """Tells whoever waits that the request was not, or perhaps not, locked."""
        if not self.locked.done():
            self.locked.set_exception(error)

    def succeed(self, deadline: int) -> None:
        """Tells whoever waits that the request is locked."""
        if not self.locked.done():
            self.locked.set_result(deadline)


@dataclass(slots=True, eq=False)
class _Group:
    """Locks that go out together.

    Attributes:
        entries: in the order in which they came.
        open: whether more may come.
    """

    entries: list[_Entry] = field(default_factory=list)
    open: bool = True


class Locks:
    """Brings locks together.

    A lock waits for requests of its version that are worked on and not decided yet, and no longer
    than the operator allows. Where there are none it is sent at once.

    Args:
        parts: what to work with.
        running: the requests that are worked on now.
    """

    def __init__(self, parts: Parts, running: Callable[[], frozenset[int]]) -> None:
        self._parts = parts
        self._running = running
        self._group: tuple[_Group, asyncio.Task[None]] | None = None
        self._here: set[int] = set()

    async def lock(self, work: Work, call: calls.Call) -> int:
        """Locks a request, alone or with others; returns the last second of the lock.

        Args:
            work: what is journaled as being locked.
            call: what :func:`~gateless.adapters.chain.calls.lock` or ``lock_signed`` makes.

        Raises:
            ContractError: (or its kin) it was not locked, for the reason that the market gave.
            ChainError: it may be locked or not: the journal knows the transaction.
        """
        entry = _Entry(work, call)
        group, task = self._join(entry)
        self._here.add(work.request_id)
        try:
            return await entry.locked
        finally:
            self._here.discard(work.request_id)
            group.entries.remove(entry)
            if not group.entries and not task.done():
                # Everybody was stopped; the journal knows what was signed.
                group.open = False
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def _join(self, entry: _Entry) -> tuple[_Group, asyncio.Task[None]]:
        group, task = self._group or (None, None)
        if group is None or task is None or task.done() or not group.open:
            group = _Group()
            task = asyncio.create_task(self._work(group), name="locks")
            self._group = group, task
        group.entries.append(entry)
        return group, task

    async def _work(self, group: _Group) -> None:
        structlog.contextvars.clear_contextvars()  # it is about no single request
        try:
            await self._fill(group)
            group.open = False
            await self._send(tuple(group.entries))
        except GatelessError as error:
            for entry in group.entries:
                entry.fail(error)
        except Exception as error:  # a defect: whoever waits shall not wait for ever
            for entry in group.entries:
                if not entry.locked.done():
                    entry.locked.set_exception(error)

    async def _fill(self, group: _Group) -> None:
        clock = self._parts.clock
        end = clock.monotonic() + self._parts.config.policy.lock_wait_seconds
        while clock.monotonic() < end and await self._is_coming(group):
            await clock.sleep(_LOOK_SECONDS)

    async def _is_coming(self, group: _Group) -> bool:
        """Whether a request of the same versions is worked on that may be locked in a moment.

        One that is journaled as being locked and is not here yet comes at once.
        """
        coming = self._running() - self._here
        versions = {entry.work.version_id for entry in group.entries}
        return any(
            work.version_id in versions
            and work.named_executor is None
            and work.request_id in coming
            for work in await self._parts.journal.find((*UNCOMMITTED, WorkState.LOCKING))
        )

    async def _send(self, entries: Sequence[_Entry]) -> None:
        if len(entries) == 1:
            await self._alone(entries[0])
            return
        # One by one: what would fail is told here and costs no gas. And a node's estimate of all
        # together is the least with which any of them goes through, not all.
        estimated = [(entry, gas) for entry in entries if (gas := await self._gas(entry))]
        budget = transaction_gas(await self._parts.block_gas_limit())
        for part in parts_within(estimated, budget):
            if len(part) == 1:
                await self._alone(part[0][0])
            else:
                await self._together([entry for entry, _ in part], sum(gas for _, gas in part))

    async def _gas(self, entry: _Entry) -> int | None:
        try:
            return await self._parts.transactions.estimate(entry.call)
        except GatelessError as error:
            entry.fail(error)
            return None

    async def _alone(self, entry: _Entry) -> None:
        if entry.locked.done():  # whoever waited for it was stopped
            return
        work = entry.work
        try:
            receipt = await self._parts.transactions.execute(
                IntentKind.LOCK,
                entry.call,
                work.request_id,
                still_wanted=lambda: self._parts.recovery.is_still_wanted(work),
            )
        except GatelessError as error:
            entry.fail(error)
        else:
            entry.succeed(int(receipt.event("RequestLocked").args["lockDeadline"]))

    async def _together(self, entries: Sequence[_Entry], gas: int) -> None:
        call = replace(calls.lock_many([entry.call for entry in entries]), least_gas=gas)
        works = [entry.work for entry in entries]
        try:
            receipt = await self._parts.transactions.execute(
                IntentKind.LOCK_MANY,
                call,
                request_ids=[work.request_id for work in works],
                still_wanted=lambda: self._parts.recovery.is_any_wanted(works),
            )
        except ContractError as error:
            # Nothing was locked, or all of it undone: each has a reason of its own.
            log.warning(
                "locks-split",
                request_ids=[work.request_id for work in works],
                code=error.code,
                message=error.message,
            )
            for entry in entries:
                await self._alone(entry)
        except GatelessError as error:
            for entry in entries:
                entry.fail(error)
        else:
            self._settle(entries, receipt)

    def _settle(self, entries: Sequence[_Entry], receipt: Receipt) -> None:
        """Tells each what the transaction did with it."""
        deadlines: dict[int, int] = {}
        reasons: dict[int, bytes] = {}
        for event in receipt.logs:
            if event.name == "RequestLocked":
                deadlines[int(event.args["requestId"])] = int(event.args["lockDeadline"])
            elif event.name == "LockSkipped":
                reasons[int(event.args["index"])] = bytes(event.args["reason"])
        log.info(
            "requests-locked-together",
            request_ids=sorted(deadlines),
            skipped=[entries[index].work.request_id for index in sorted(reasons)],
            gas_used=receipt.gas_used,
            tx_hash=receipt.tx_hash,
        )
        for index, entry in enumerate(entries):
            if entry.work.request_id in deadlines:
                entry.succeed(deadlines[entry.work.request_id])
            else:
                entry.fail(decode_revert(reasons.get(index, b""), self._parts.client.token_info))
