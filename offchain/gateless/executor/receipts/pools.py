"""Keeps pools open for the current epoch and those ahead, and lets go of those that are over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from gateless.adapters.chain import court_calls
from gateless.core.amounts import format_amount, plain_amount
from gateless.core.claims import CourtLimits, PoolState
from gateless.core.errors import GatelessError
from gateless.executor.config import ReceiptsConfig
from gateless.executor.parts import Parts
from gateless.executor.status import Problem
from gateless.executor.work import IntentKind

log = structlog.get_logger(__name__)


class PoolKeeper:
    """Opens and releases one executor's receipt pools.

    Only stake that the operator allocated to the court is used; what is missing is reported.

    Args:
        parts: what to work with.
        me: the executor.
        key: address of the receipt key; None where none is in use: then nothing is opened.
        config: of the pools; None opens nothing, and only lets go.
    """

    def __init__(
        self, parts: Parts, me: str, key: str | None, config: ReceiptsConfig | None
    ) -> None:
        self._parts = parts
        self._me = me
        self._key = key
        self._config = config
        self._task: asyncio.Task[None] | None = None
        self._next_look = 0.0
        self._problem: Problem | None = None
        self._opening = True

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps pools from being opened."""
        return () if self._problem is None else (self._problem,)

    def close(self) -> None:
        """Opens nothing more."""
        self._opening = False

    def look(self) -> None:
        """Tends the pools where it is time; for the executor's loop."""
        clock = self._parts.clock
        under_way = self._task is not None and not self._task.done()
        if under_way or clock.monotonic() < self._next_look:
            return
        pause = 30.0 if self._config is None else self._config.tend_seconds
        self._next_look = clock.monotonic() + pause
        self._task = asyncio.create_task(self._run(), name="pools")

    async def stop(self) -> None:
        """Stops at once."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        try:
            await self.tend()
        except GatelessError as error:
            log.warning("pools-untended", code=error.code, message=error.message)
            self._problem = Problem(error.code, error.message, error.hint)

    async def tend(self) -> None:
        """Opens what is missing, releases what is over, frees the room of dead receipts.

        Raises:
            GatelessError: the chain refuses, or cannot be reached now.
        """
        limits = await self._parts.client.court.limits()
        now = (await self._parts.client.block("pending")).timestamp
        opening = self._opening and not self._parts.breaker.halted.everything
        if self._config is not None and self._key is not None and opening:
            self._problem = await self._open(self._config, self._key, limits, now)
        await self._release(limits.epoch_at(now), now)
        await self._parts.journal.drop_dead_receipts(now)

    async def _open(
        self, config: ReceiptsConfig, key: str, limits: CourtLimits, now: int
    ) -> Problem | None:
        client = self._parts.client
        current = limits.epoch_at(now)
        wanted = range(current, current + config.epochs_ahead + 1)
        missing = []
        for epoch in wanted:
            pool = await client.court.pool(self._me, epoch)
            if pool.state is PoolState.NONE:
                missing.append(epoch)
            elif pool.receipt_key != key and epoch == current:
                return Problem(
                    "receipt-key-mismatch",
                    f"the pool of epoch {epoch} has the receipt key {pool.receipt_key}, not {key}",
                    "no receipts are signed until the next epoch; or start with that key",
                )
        if not missing:
            return None
        published = (await client.staking.executor(self._me)).receipt_key
        if published != key:
            return Problem(
                "receipt-key-unpublished",
                f"the profile names the receipt key {published}, this executor signs by {key}",
                "publish it: gateless executor key",
            )
        stake = await client.staking.allocation(self._me, client.court.address)
        each = config.bond * config.capacity
        affordable = missing[: stake.available // each]
        for first, count in _runs(affordable):
            await self._send_open(config, first, count)
        if len(affordable) == len(missing):
            return None
        token = client.deployment.token
        without = ", ".join(map(str, missing[len(affordable) :]))
        bond, doubt = (plain_amount(units, token) for units in (config.bond, config.challenge_bond))
        return Problem(
            "receipt-stake-too-low",
            f"{format_amount(stake.available, token)} are allocated to the court and free, the pool"
            f" of an epoch takes {format_amount(each, token)}: none for epoch {without}",
            "allocate what is missing, out of free stake and the wallet: gateless receipt back"
            f" --bond {bond} --capacity {config.capacity} --challenge-bond {doubt}"
            f" --epochs {config.epochs_ahead + 1}",
        )

    async def _send_open(self, config: ReceiptsConfig, first: int, count: int) -> None:
        call = court_calls.open_pools(
            first,
            count,
            bond=config.bond,
            capacity=config.capacity,
            challenge_bond=config.challenge_bond,
        )
        for epoch in range(first, first + count):
            await self._parts.journal.note_pool(epoch)
        receipt = await self._parts.transactions.execute(
            IntentKind.OPEN_POOLS, call, still_wanted=_always
        )
        log.info("pools-opened", first_epoch=first, count=count, tx_hash=receipt.tx_hash)

    async def _release(self, current: int, now: int) -> None:
        for epoch in await self._parts.journal.pooled_epochs():
            if epoch >= current:
                continue
            pool = await self._parts.client.court.pool(self._me, epoch)
            if pool.state is PoolState.OPEN:
                if now < pool.releasable_at or pool.open_claims:
                    continue
                call = court_calls.release_pool(self._me, epoch)
                receipt = await self._parts.transactions.execute(
                    IntentKind.RELEASE_POOL, call, still_wanted=_always
                )
                log.info("pool-released", epoch=epoch, tx_hash=receipt.tx_hash)
            await self._parts.journal.drop_pool(epoch)


async def _always() -> bool:
    return True


def _runs(epochs: Sequence[int]) -> list[tuple[int, int]]:
    """Consecutive epochs as (first, how many)."""
    found: list[tuple[int, int]] = []
    for epoch in epochs:
        if found and epoch == sum(found[-1]):
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((epoch, 1))
    return found
