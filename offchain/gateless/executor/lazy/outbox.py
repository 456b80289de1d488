"""Sends steps at the lazy market, together where several wait.

One transaction is under way at a time; whatever is decided meanwhile goes into the next one. So
batches grow with the load, and a quiet executor does not wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from gateless.adapters.chain import lazy_calls
from gateless.adapters.chain.calls import Call
from gateless.core.errors import GatelessError
from gateless.core.types import Receipt
from gateless.daemon.transactions import StillWanted
from gateless.executor.batching import parts_within, transaction_gas
from gateless.executor.transactions import Transactions
from gateless.executor.work import IntentKind

log = structlog.get_logger(__name__)

#: Called with a request's id once a node has the transaction that carries its step.
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    kind: IntentKind
    call: Call
    still_wanted: StillWanted
    request_id: int
    told: Told
    sent: asyncio.Future[Receipt] = field(default_factory=asyncio.Future)


class Outbox:
    """Steps that wait for a transaction.

    Args:
        transactions: sends.
        block_gas_limit: gas that a block of the chain holds now.
        most: steps in one transaction.
    """

    def __init__(
        self,
        transactions: Transactions,
        block_gas_limit: Callable[[], Awaitable[int]],
        *,
        most: int,
    ) -> None:
        self._transactions = transactions
        self._block_gas_limit = block_gas_limit
        self._most = most
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Steps that go into the next transaction."""
        return len(self._waiting)

    async def send(
        self,
        kind: IntentKind,
        call: Call,
        still_wanted: StillWanted,
        *,
        request_id: int,
        told: Told,
    ) -> Receipt:
        """Sends a step, alone or with others; returns the receipt of what carried it.

        In a batch a step that fails is left out: then the receipt holds no event of it.

        Args:
            kind: what it is for.
            call: what it does.
            still_wanted: asked now and then until it is mined.
            request_id: whose step it is.
            told: called once a node has the transaction.

        Raises:
            GatelessError: it was not sent, or reverted.
        """
        entry = _Waiting(kind, call, still_wanted, request_id, told)
        self._waiting.append(entry)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="lazy-outbox")
        return await entry.sent

    async def stop(self) -> None:
        """Stops at once; what was journaled is looked up after a restart."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for entry in self._waiting:
            entry.sent.cancel()

    async def _run(self) -> None:
        structlog.contextvars.clear_contextvars()  # it is about no single request
        while self._waiting:
            entries, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            for part in await self._parts(entries):
                steps = [entry for entry, _ in part]
                gas = sum(gas for _, gas in part)
                if len(steps) == 1 or not await self._together(steps, gas):
                    for entry in steps:
                        await self._alone(entry)

    async def _parts(self, entries: Sequence[_Waiting]) -> list[list[tuple[_Waiting, int]]]:
        """Steps that fit one transaction each, with the gas that they need.

        A step that would revert is told so here and costs no gas.
        """
        if len(entries) == 1:
            return [[(entries[0], 0)]]
        try:
            budget = transaction_gas(await self._block_gas_limit())
        except GatelessError:
            return [[(entry, 0)] for entry in entries]  # each finds out for itself what is wrong
        gas = await asyncio.gather(*(self._gas(entry) for entry in entries))
        return parts_within(
            ((entry, needed) for entry, needed in zip(entries, gas, strict=True) if needed), budget
        )

    async def _gas(self, entry: _Waiting) -> int | None:
        if entry.sent.done():  # whoever waited for it was stopped
            return None
        try:
            return await self._transactions.estimate(entry.call)
        except GatelessError as error:
            if not entry.sent.done():
                entry.sent.set_exception(error)
            return None

    async def _together(self, entries: Sequence[_Waiting], gas: int) -> bool:
        """Sends several steps at once; False where that is not possible.

        Args:
            entries: the steps.
            gas: what they need, one by one. A node's estimate of the batch is the least with which
                any of them goes through, the others being left out without gas.
        """

        async def any_wanted() -> bool:
            for entry in entries:
                if await entry.still_wanted():
                    return True
            return False

        def told() -> None:
            for entry in entries:
                entry.told(entry.request_id)

        call = replace(lazy_calls.batch([entry.call for entry in entries]), least_gas=gas)
        request_ids = [entry.request_id for entry in entries]
        with structlog.contextvars.bound_contextvars(request_ids=request_ids):
            try:
                receipt = await self._transactions.execute(
                    IntentKind.LAZY_BATCH, call, still_wanted=any_wanted, told=told
                )
            except GatelessError as error:
                log.warning("lazy-batch-failed", code=error.code, message=error.message)
                return False
            log.info("lazy-batch-sent", gas_used=receipt.gas_used)
        for entry in entries:
            if not entry.sent.done():
                entry.sent.set_result(receipt)
        return True

    async def _alone(self, entry: _Waiting) -> None:
        if entry.sent.done():  # whoever waited for it was stopped
            return
        with structlog.contextvars.bound_contextvars(request_id=entry.request_id):
            try:
                receipt = await self._transactions.execute(
                    entry.kind,
                    entry.call,
                    still_wanted=entry.still_wanted,
                    told=lambda: entry.told(entry.request_id),
                )
            except GatelessError as error:
                if not entry.sent.done():
                    entry.sent.set_exception(error)
            else:
                if not entry.sent.done():
                    entry.sent.set_result(receipt)
