"""Makes lazy answers final when nobody doubted them in time, and keeps their backing in shape."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import structlog

from gateless.adapters.chain import lazy_calls
from gateless.adapters.chain.calls import Call
from gateless.core.errors import GatelessError
from gateless.core.types import ZERO_ADDRESS
from gateless.executor.lazy.context import LazyContext
from gateless.executor.lazy.states import LazyWork, LazyWorkState
from gateless.executor.status import Problem
from gateless.executor.work import IntentKind

log = structlog.get_logger(__name__)

#: Gas that the final steps of one transaction may be promised, callbacks and all.
_MAX_GAS = 12_000_000
_GAS_EACH = 120_000


class LazySettling:
    """The quiet end of lazy answers.

    Args:
        context: what to work with.
    """

    def __init__(self, context: LazyContext) -> None:
        self._context = context
        self._parts = context.parts
        self._task: asyncio.Task[None] | None = None
        self._next_look = 0.0
        self._problem: Problem | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps answers from becoming final, or backing from what it should be."""
        return () if self._problem is None else (self._problem,)

    def look(self) -> None:
        """Settles what is due where that is not under way."""
        clock = self._parts.clock
        under_way = self._task is not None and not self._task.done()
        if under_way or clock.monotonic() < self._next_look:
            return
        self._next_look = clock.monotonic() + min(5.0, self._context.config.finalize_seconds)
        self._task = asyncio.create_task(self._run(), name="lazy-settling")

    async def stop(self) -> None:
        """Stops at once."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        try:
            await self.keep_backing()
            await self.finalize()
            self._problem = None
        except GatelessError as error:
            log.warning("lazy-unsettled", code=error.code, message=error.message)
            self._problem = Problem(error.code, error.message, error.hint)

    async def finalize(self) -> None:
        """Makes answers final whose window is over, many in one transaction.

        Raises:
            GatelessError: it cannot be done now.
        """
        context = self._context
        now = (await self._parts.client.block("pending")).timestamp
        answered = await self._parts.journal.find_lazy([LazyWorkState.ANSWERED])
        due = [work for work in answered if work.claim and now > work.claim.challenge_deadline]
        if not due:
            return
        oldest = min(work.claim.challenge_deadline for work in due if work.claim)
        full = len(due) >= context.config.finalize_at_once
        if not full and now - oldest < context.config.finalize_seconds:
            return
        due.sort(key=lambda work: work.claim.challenge_deadline if work.claim else 0)
        due = _within_gas(due[: context.config.finalize_at_once])
        call = await self._together(
            [
                lazy_calls.finalize(
                    work.claim,
                    b"" if work.claim.callback == ZERO_ADDRESS else work.packed_output or b"",
                )
                for work in due
                if work.claim is not None
            ]
        )
        request_ids = [work.request_id for work in due]
        with structlog.contextvars.bound_contextvars(request_ids=request_ids):
            receipt = await self._parts.transactions.execute(
                IntentKind.LAZY_FINALIZE, call, still_wanted=_always
            )
            await context.take_over(receipt)
            log.info("lazy-finalized", gas_used=receipt.gas_used, tx_hash=receipt.tx_hash)

    async def _together(self, calls: Sequence[Call]) -> Call:
        """One call of all that would not revert, with gas for each of them.

        A node's estimate of a batch is the least with which any of it goes through.

        Raises:
            GatelessError: all would revert.
        """
        if len(calls) == 1:
            return calls[0]
        gas = await asyncio.gather(
            *(self._parts.transactions.estimate(call) for call in calls), return_exceptions=True
        )
        found = list(zip(calls, gas, strict=True))
        sound = [(call, needed) for call, needed in found if isinstance(needed, int)]
        for _, error in found:
            if isinstance(error, BaseException) and not (
                sound and isinstance(error, GatelessError)
            ):
                raise error
        if len(sound) == 1:
            return sound[0][0]
        batch = lazy_calls.batch([call for call, _ in sound])
        return replace(batch, least_gas=sum(needed for _, needed in sound))

    async def keep_backing(self) -> None:
        """Brings the backing to what is configured, as far as stake and open answers allow.

        Raises:
            GatelessError: it cannot be done now.
        """
        context = self._context
        wanted = context.config.backing
        if wanted is None:
            return
        backing = await context.market.backing(context.me)
        if backing.total < wanted:
            stake = await self._parts.client.staking.allocation(context.me, context.market.address)
            amount = min(wanted - backing.total, stake.available)
            call = lazy_calls.back(amount)
        else:
            amount = min(backing.total - wanted, backing.free)
            call = lazy_calls.unback(amount)
        if amount > 0:
            receipt = await self._parts.transactions.execute(
                IntentKind.LAZY_BACK, call, still_wanted=_always
            )
            log.info("lazy-backing", change=call.label, amount=amount, tx_hash=receipt.tx_hash)


async def _always() -> bool:
    return True


def _within_gas(works: list[LazyWork]) -> list[LazyWork]:
    """As many as one transaction holds; one at least."""
    budget = _MAX_GAS
    found: list[LazyWork] = []
    for work in works:
        budget -= _GAS_EACH + work.request.callback_gas * 64 // 63
        if found and budget < 0:
            break
        found.append(work)
    return found
