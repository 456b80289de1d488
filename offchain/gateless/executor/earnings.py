"""Takes earnings out of the contracts that hold them once they are worth a transaction."""

from __future__ import annotations

import structlog

from gateless.adapters.chain import calls
from gateless.adapters.chain.purses import read_purses
from gateless.daemon.transactions import IntentState
from gateless.executor.parts import Parts
from gateless.executor.policy import Standing
from gateless.executor.work import IntentKind

log = structlog.get_logger(__name__)

_KINDS = (IntentKind.WITHDRAW, IntentKind.COLLECT)


class Earnings:
    """Withdraws to the executor's own account.

    Args:
        parts: what to work with.
        me: the executor.
    """

    def __init__(self, parts: Parts, me: str) -> None:
        self._parts = parts
        self._me = me
        self._threshold = parts.config.withdraw_threshold
        self._next_look = 0.0
        self._winnings: dict[str, int] = {}

    @property
    def winnings(self) -> dict[str, int]:
        """What other contracts than the market held when they were last looked at, by name."""
        return dict(self._winnings)

    async def collect(self, standing: Standing) -> int:
        """Withdraws where there is enough; returns how much of it from the market.

        Raises:
            GatelessError: it could not be withdrawn now.
        """
        await self._parts.transactions.settle_undone()
        due = self._is_enough(standing.earnings)
        if not due and self._parts.clock.monotonic() < self._next_look:
            return 0
        pending = await self._parts.journal.intents(state=IntentState.PENDING)
        if any(intent.kind in _KINDS for intent in pending):
            # Sent before and not known to be mined: a second one could take the same money twice.
            await self._parts.recovery.settle_leftovers(_KINDS)
            return 0
        if due:
            call = calls.withdraw(standing.earnings, self._me)
            await self._withdraw(IntentKind.WITHDRAW, call)
            log.info("earnings-withdrawn", amount=standing.earnings, to=self._me)
        await self._collect_elsewhere()
        return standing.earnings if due else 0

    async def _collect_elsewhere(self) -> None:
        """What courts, other markets and the staking contract hold."""
        self._next_look = self._parts.clock.monotonic() + self._parts.config.retry_seconds
        purses = await read_purses(self._parts.client, self._me)
        self._winnings = {purse.contract: purse.amount for purse in purses}
        for purse in purses:
            if self._is_enough(purse.amount):
                await self._withdraw(IntentKind.COLLECT, purse.call)
                del self._winnings[purse.contract]
                log.info("winnings-withdrawn", contract=purse.contract, amount=purse.amount)

    def _is_enough(self, amount: int) -> bool:
        return self._threshold is not None and amount >= max(1, self._threshold)

    async def _withdraw(self, kind: IntentKind, call: calls.Call) -> None:
        async def wanted() -> bool:
            return True

        await self._parts.transactions.execute(kind, call, still_wanted=wanted)
