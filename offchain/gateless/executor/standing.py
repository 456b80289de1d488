"""What the chain says about this executor, read when it may have changed and not more often."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.lazy import LazyReader, has_lazy_market
from gateless.adapters.clock import Clock
from gateless.executor.journal import Journal
from gateless.executor.policy import Standing
from gateless.executor.states import WorkState

#: Stake and enrolments are also changed by other processes, whose events a fork may hide.
MAX_AGE_SECONDS = 30.0


class StandingReader:
    """Stake, profile, enrolments and earnings of one executor.

    Attributes:
        reserved: stake that lazy locks under way will take: the chain does not count it yet.
    """

    def __init__(self, client: ChainClient, me: str, clock: Clock) -> None:
        self._client = client
        self._me = me
        self._clock = clock
        lazily = has_lazy_market(client.deployment)
        self._lazy = LazyReader(client.rpc, client.deployment) if lazily else None
        self._known: Standing | None = None
        self._read_at = 0.0
        self.reserved = 0

    async def current(self) -> Standing:
        """The standing as far as it is known, read again when it is old."""
        if self._known is None or self._clock.monotonic() - self._read_at > MAX_AGE_SECONDS:
            return await self.refresh()
        return self._known

    async def refresh(self) -> Standing:
        """The standing as the chain has it now."""
        staking, market = self._client.staking, self._client.market
        profile, enrolled, allocation, earnings, used = await asyncio.gather(
            staking.executor(self._me),
            staking.enrolled_versions(self._me),
            staking.allocation(self._me, market.address),
            market.balance_of(self._me),
            self._lazily_used(),
        )
        self._known = Standing(
            profile,
            frozenset(enrolled),
            allocation.available,
            allocation.locked,
            earnings,
            used + self.reserved,
        )
        self._read_at = self._clock.monotonic()
        return self._known

    async def _lazily_used(self) -> int:
        if self._lazy is None:
            return 0
        return (await self._lazy.backing(self._me)).used


async def unreserved(standing: Standing, journal: Journal) -> Standing:
    """A standing without the stake that locks under way at the market will take."""
    locking = await journal.find([WorkState.LOCKING])
    reserved = sum(work.collateral for work in locking)
    return replace(
        standing,
        available=max(0, standing.available - reserved),
        locked=standing.locked + reserved,
    )
