"""Sends what was journaled, and finds out what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.sender import PreparedTx, Sender
from gateless.core.errors import GatelessError
from gateless.core.types import Receipt
from gateless.executor.journal import Journal
from gateless.executor.work import Intent, IntentKind, IntentState

log = structlog.get_logger(__name__)

#: Failures after which the signed bytes can never take effect.
_NEVER_MINED = frozenset({"nonce-used", "transaction-refused", "gas-balance-too-low"})

#: Whether a transaction that is not mined yet is still wanted.
StillWanted = Callable[[], Awaitable[bool]]


class Transactions:
    """One account's transactions.

    Args:
        sender: signs and sends.
        journal: knows each transaction before the chain does.
    """

    def __init__(self, sender: Sender, journal: Journal) -> None:
        self._sender = sender
        self._journal = journal

    async def execute(
        self,
        kind: IntentKind,
        call: Call,
        request_id: int | None = None,
        *,
        batch_id: int | None = None,
        still_wanted: StillWanted,
    ) -> Receipt:
        """Simulates, signs, journals, sends and waits until the transaction is mined.

        Raises:
            ContractError: the call reverts, or the transaction did.
            ChainError: nothing was sent, or (``transaction-timeout``) it is not wanted any more
                and may still be mined: the journal keeps it as pending.
            FundsError: ``gas-balance-too-low``.
        """
        prepared = await self._sender.prepare(call)
        try:
            intent = await self._journal.intend(kind, prepared, request_id, batch_id=batch_id)
        except BaseException:
            self._sender.discard(prepared)
            raise
        return await self.drive(intent, still_wanted=still_wanted)

    async def drive(self, intent: Intent, *, still_wanted: StillWanted) -> Receipt:
        """Sends a journaled transaction until it is mined; safe to repeat after a crash."""
        prepared = PreparedTx(intent.raw, intent.tx_hash, intent.nonce, intent.kind)
        log.info(
            "transaction-sent",
            kind=intent.kind,
            request_id=intent.request_id,
            **({} if intent.batch_id is None else {"batch_id": intent.batch_id}),
            tx_hash=intent.tx_hash,
            nonce=intent.nonce,
        )
        while True:
            try:
                receipt = await self._sender.submit(prepared)
            except GatelessError as error:
                if error.code == "transaction-timeout" and await still_wanted():
                    continue
                await self._conclude_failure(intent, error)
                raise
            await self._conclude(intent, receipt)
            return receipt

    async def look_up(self, intent: Intent) -> Receipt | None:
        """Looks whether a journaled transaction was mined, and journals it; None if it was not."""
        receipt = await self._sender.receipt(intent.tx_hash)
        if receipt is not None:
            await self._conclude(intent, receipt)
        return receipt

    async def drop(self, intent: Intent, text: str) -> None:
        """Gives a transaction up that no node knows, and its nonce back."""
        self._sender.discard(PreparedTx(intent.raw, intent.tx_hash, intent.nonce, intent.kind))
        await self._journal.conclude(intent.intent_id, IntentState.DROPPED, text=text)

    async def _conclude(self, intent: Intent, receipt: Receipt) -> None:
        state = IntentState.MINED if receipt.status == 1 else IntentState.REVERTED
        await self._journal.conclude(
            intent.intent_id, state, block_number=receipt.block_number, gas_used=receipt.gas_used
        )
        log.info(
            "transaction-mined",
            kind=intent.kind,
            request_id=intent.request_id,
            **({} if intent.batch_id is None else {"batch_id": intent.batch_id}),
            tx_hash=intent.tx_hash,
            block=receipt.block_number,
            gas_used=receipt.gas_used,
            success=receipt.status == 1,
        )

    async def _conclude_failure(self, intent: Intent, error: GatelessError) -> None:
        """Writes a definite failure down; an uncertain one leaves the intent pending."""
        text = f"{error.code}: {error.message}"
        if error.code == "transaction-reverted":
            await self._journal.conclude(
                intent.intent_id,
                IntentState.REVERTED,
                block_number=int(error.context.get("block_number", 0)),
                text=text,
            )
        elif error.code in _NEVER_MINED:
            await self._journal.conclude(intent.intent_id, IntentState.DROPPED, text=text)
        else:
            log.warning("transaction-uncertain", tx_hash=intent.tx_hash, kind=intent.kind)
