"""Takes what challenges won out of the contracts that hold it, once it is worth a transaction."""

from __future__ import annotations

import structlog

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.purses import Purse, read_purses
from gateless.adapters.chain.sender import Sender
from gateless.adapters.clock import Clock
from gateless.core.errors import GatelessError
from gateless.daemon.faults import is_chain_away
from gateless.daemon.transactions import IntentState, JournaledSender
from gateless.watchtower.cases import CaseState, IntentKind
from gateless.watchtower.journal import Journal
from gateless.watchtower.journal_intents import Intent

log = structlog.get_logger(__name__)

#: Cases that the next bond is taken for: it comes out of the balances at the courts first.
_NEED_A_BOND = (CaseState.WRONG, CaseState.COMMITTING)


class Collector:
    """Withdraws to the watchtower's own account.

    Args:
        client: the chain.
        sender: signs and sends; nobody else may send for the account.
        journal: knows withdrawals under way.
        clock: for the pause between two looks.
        threshold: least amount that is withdrawn from a contract; None never withdraws.
        pause: seconds between two looks.
    """

    def __init__(
        self,
        client: ChainClient,
        sender: Sender,
        journal: Journal,
        clock: Clock,
        *,
        threshold: int | None,
        pause: float,
    ) -> None:
        self._client = client
        self._sender = sender
        self._journal = journal
        self._clock = clock
        self._threshold = threshold
        self._pause = pause
        self._next_look = 0.0
        self._winnings: dict[str, int] = {}
        self._sends: JournaledSender[Intent] = JournaledSender(sender, journal)

    @property
    def winnings(self) -> dict[str, int]:
        """What contracts held when they were last looked at, by name."""
        return dict(self._winnings)

    async def look(self) -> None:
        """Withdraws where there is enough, unless a challenge is about to take its bond.

        Raises:
            ChainError: the chain is out of reach.
        """
        if self._clock.monotonic() < self._next_look:
            return
        self._next_look = self._clock.monotonic() + self._pause
        purses = await read_purses(self._client, self._sender.address)
        self._winnings = {purse.contract: purse.amount for purse in purses}
        if self._threshold is None or await self._journal.find(_NEED_A_BOND):
            return
        for purse in purses:
            if purse.amount >= max(1, self._threshold):
                await self._withdraw(purse)

    async def _withdraw(self, purse: Purse) -> None:
        try:
            # One at a time: a second transaction could take the same money twice.
            if await self._is_under_way():
                return
            prepared = await self._sender.prepare(purse.call)
            try:
                intent = await self._journal.intend(IntentKind.COLLECT, prepared)
            except BaseException:
                self._sender.discard(prepared)
                raise
            await self._sends.drive(intent, still_wanted=None, fresh=True)
        except GatelessError as error:
            if is_chain_away(error):
                raise
            log.warning("withdrawal-failed", code=error.code, message=error.message)
        else:
            self._winnings.pop(purse.contract, None)
            log.info("winnings-withdrawn", contract=purse.contract, amount=purse.amount)

    async def _is_under_way(self) -> bool:
        """Whether an earlier withdrawal may still be mined; looks it up."""
        pending = IntentState.PENDING
        for intent in await self._journal.intents(state=pending, kind=IntentKind.COLLECT):
            if await self._sends.look_up(intent) is None:
                return True
        return False
