"""Transactions of cases: each is journaled, then sent, looked up, sent again, until it is over."""

from __future__ import annotations

import structlog

from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.lane import Trouble
from gateless.adapters.chain.sender import Sender
from gateless.core.errors import ChainError, ContractError
from gateless.core.types import Receipt
from gateless.daemon.faults import is_chain_away
from gateless.daemon.transactions import IntentState, JournaledSender
from gateless.watchtower.cases import Case, IntentKind
from gateless.watchtower.journal import Journal
from gateless.watchtower.journal_intents import Intent

log = structlog.get_logger(__name__)

#: Ends of an intent that leave room for another one.
_OVER = frozenset({"nonce-used", "transaction-cancelled"})


class CaseTransactions:
    """What one account sends for its cases.

    Args:
        client: the chain.
        sender: signs and sends; nobody else may send for the account.
        journal: the memory.
    """

    def __init__(self, client: ChainClient, sender: Sender, journal: Journal) -> None:
        self._client = client
        self._sender = sender
        self._journal = journal
        self._sends: JournaledSender[Intent] = JournaledSender(sender, journal)

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What holds transactions up."""
        return self._sender.troubles

    async def settle_leftovers(self) -> None:
        """Finds out what became of deposits and withdrawals that an earlier run sent."""
        pending = await self._journal.intents(state=IntentState.PENDING)
        await self._sends.recall(pending)
        for intent in pending:
            if intent.kind not in (IntentKind.DEPOSIT, IntentKind.COLLECT):
                continue
            if await self._sends.look_up(intent) is not None:
                continue
            if await self._is_known(intent):
                await self._drive(intent)
            else:
                await self._give_up(intent)

    async def finish_deposits(self) -> None:
        """Sees deposits through that an earlier try sent and did not see mined.

        Whoever asks for the balance while one is under way would send another one for the same
        bond, again at each look.

        Raises:
            ChainError: one is not over yet.
        """
        for intent in await self._journal.intents(
            state=IntentState.PENDING, kind=IntentKind.DEPOSIT
        ):
            if await self._sends.look_up(intent) is not None:
                continue
            try:
                await self._drive(intent)
            except ContractError as error:
                log.warning("deposit-reverted", tx_hash=intent.tx_hash, code=error.code)
            except ChainError as error:
                if error.code not in _OVER:
                    raise

    async def restore(self) -> None:
        """Sends again what a reorganisation took out, in the order of nonces."""
        count = await self._client.nonces(self._sender.address).mined()
        for intent in await self._journal.intents():
            if intent.nonce < count or intent.state is IntentState.DROPPED:
                continue
            await self._journal.conclude(intent.intent_id, IntentState.PENDING)
            try:
                await self._drive(intent)
            except (ChainError, ContractError) as error:
                if is_chain_away(error):
                    raise
                log.warning("not-restored", tx_hash=intent.tx_hash, code=error.code)

    async def execute(self, kind: IntentKind, call: Call, case: Case) -> Receipt:
        """Simulates, signs, journals, sends and waits until the transaction is mined."""
        prepared = await self._sender.prepare(call)
        try:
            intent = await self._journal.intend(kind, prepared, case.case_id)
        except BaseException:
            self._sender.discard(prepared)
            raise
        return await self._drive(intent, fresh=True)

    async def _drive(self, intent: Intent, *, fresh: bool = False) -> Receipt:
        """Waits for a while; what is not mined by then is looked up again at the next step."""
        return await self._sends.drive(intent, still_wanted=None, fresh=fresh)

    async def _give_up(self, intent: Intent) -> None:
        try:
            await self._sends.give_up(intent)
        except ChainError as error:
            log.warning("not-over-yet", tx_hash=intent.tx_hash, code=error.code)

    async def send_again(self, case: Case, kind: IntentKind) -> Receipt | None:
        """What became of the case's transactions of a kind, sent again where none is mined.

        None where there is none that could still be mined.
        """
        for intent in reversed(await self._journal.intents(case.case_id, kind=kind)):
            if intent.state in (IntentState.DROPPED, IntentState.REVERTED):
                continue
            receipt = await self._sends.look_up(intent)
            if receipt is not None:
                if receipt.status == 1:
                    return receipt
                continue
            await self._journal.conclude(intent.intent_id, IntentState.PENDING)
            try:
                return await self._drive(intent)
            except ChainError as error:
                if error.code not in _OVER:
                    raise
        return None

    async def is_pending(self, case: Case, kind: IntentKind) -> bool:
        """Whether a transaction of a kind may still be mined for a case."""
        intents = await self._journal.intents(case.case_id, kind=kind)
        return any(intent.state is IntentState.PENDING for intent in intents)

    async def mined_in(self, intent: Intent) -> int | None:
        """The block in which an intent did what it was for; None where none is."""
        for attempt in intent.attempts:
            receipt = await self._sender.receipt(attempt.tx_hash)
            if receipt is not None and receipt.status == 1 and not attempt.cancels:
                return receipt.block_number
        return None

    async def _is_known(self, intent: Intent) -> bool:
        """Whether the node has the transaction, mined or waiting."""
        for attempt in intent.attempts:
            found = await self._client.rpc.request("eth_getTransactionByHash", attempt.tx_hash)
            if found is not None:
                return True
        return False
