"""Sends steps at the lazy market, together where several wait.

One transaction is under way at a time; whatever is decided meanwhile goes into the next one. So
batches grow with the load, and a quiet executor does not wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from gateless.adapters.chain import lazy_calls
from gateless.adapters.chain.calls import Call
from gateless.core.errors import GatelessError
from gateless.core.types import Receipt
from gateless.daemon.transactions import StillWanted
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
        most: steps in one transaction.
    """

    def __init__(self, transactions: Transactions, *, most: int) -> None:
        self._transactions = transactions
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
            if len(entries) == 1 or not await self._together(entries):
                for entry in entries:
                    await self._alone(entry)

    async def _together(self, entries: Sequence[_Waiting]) -> bool:
        """Sends several steps at once; False where that is not possible."""

        async def any_wanted() -> bool:
            for entry in entries:
                if await entry.still_wanted():
                    return True
            return False

        def told() -> None:
            for entry in entries:
                entry.told(entry.request_id)

        call = lazy_calls.batch([entry.call for entry in entries])
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
