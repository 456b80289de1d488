"""Takes earnings out of the market once they are worth a transaction."""

from __future__ import annotations

import structlog

from gateless.adapters.chain import calls
from gateless.daemon.transactions import IntentState
from gateless.executor.journal import Journal
from gateless.executor.policy import Standing
from gateless.executor.recovery import Recovery
from gateless.executor.transactions import Transactions
from gateless.executor.work import IntentKind

log = structlog.get_logger(__name__)


class Earnings:
    """Withdraws to the executor's own account.

    Args:
        journal: knows withdrawals under way.
        transactions: sends.
        recovery: settles withdrawals of an earlier run.
        me: the executor.
        threshold: least balance that is withdrawn; None never withdraws.
    """

    def __init__(
        self,
        journal: Journal,
        transactions: Transactions,
        recovery: Recovery,
        me: str,
        threshold: int | None,
    ) -> None:
        self._journal = journal
        self._transactions = transactions
        self._recovery = recovery
        self._me = me
        self._threshold = threshold

    async def collect(self, standing: Standing) -> int:
        """Withdraws if there is enough; returns how much.

        Raises:
            GatelessError: it could not be withdrawn now.
        """
        if self._threshold is None or standing.earnings < max(1, self._threshold):
            return 0
        pending = await self._journal.intents(state=IntentState.PENDING)
        if any(intent.kind is IntentKind.WITHDRAW for intent in pending):
            # Sent before and not known to be mined: a second one could take the same money twice.
            await self._recovery.settle_leftovers()
            return 0

        async def wanted() -> bool:
            return True

        await self._transactions.execute(
            IntentKind.WITHDRAW, calls.withdraw(standing.earnings, self._me), still_wanted=wanted
        )
        log.info("earnings-withdrawn", amount=standing.earnings, to=self._me)
        return standing.earnings
