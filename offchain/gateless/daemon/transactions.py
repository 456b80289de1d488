"""Sends what was journaled, and finds out what became of it: safe to repeat after a crash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

import structlog

from gateless.adapters.chain.sender import PreparedTx, Sender
from gateless.core.errors import GatelessError
from gateless.core.types import Receipt

log = structlog.get_logger(__name__)

#: Failures after which the signed bytes can never take effect.
_NEVER_MINED = frozenset({"nonce-used", "transaction-refused", "gas-balance-too-low"})

#: Whether a transaction that is not mined yet is still wanted.
StillWanted = Callable[[], Awaitable[bool]]


class IntentState(StrEnum):
    """What became of a transaction. All but ``PENDING`` are final.

    ``PENDING`` says that the bytes were signed; whether they were sent is for the chain to tell.
    """

    PENDING = "pending"
    MINED = "mined"
    REVERTED = "reverted"
    DROPPED = "dropped"


class JournaledIntent(Protocol):
    """A transaction that was journaled before it was sent."""

    @property
    def intent_id(self) -> int:
        """Its number in the journal."""
        ...

    @property
    def label(self) -> str:
        """What it is for."""
        ...

    @property
    def tx_hash(self) -> str:
        """Its hash."""
        ...

    @property
    def nonce(self) -> int:
        """Its nonce."""
        ...

    @property
    def raw(self) -> bytes:
        """The signed bytes."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the log says about it."""
        ...


class IntentBook(Protocol):
    """Where intents are journaled."""

    async def conclude(
        self,
        intent_id: int,
        state: IntentState,
        *,
        block_number: int = 0,
        gas_used: int = 0,
        text: str = "",
    ) -> None:
        """Writes what became of a transaction."""
        ...


Intent = TypeVar("Intent", bound=JournaledIntent)


class JournaledSender(Generic[Intent]):
    """One account's transactions.

    Args:
        sender: signs and sends.
        book: knows each transaction before the chain does.
    """

    def __init__(self, sender: Sender, book: IntentBook) -> None:
        self._sender = sender
        self._book = book

    async def drive(self, intent: Intent, *, still_wanted: StillWanted) -> Receipt:
        """Sends a journaled transaction until it is mined; safe to repeat after a crash.

        Raises:
            ContractError: it was mined and reverted.
            ChainError: (``transaction-timeout``) it is not wanted any more and may still be mined:
                the journal keeps it as pending.
            FundsError: ``gas-balance-too-low``.
        """
        prepared = self._prepared(intent)
        log.info(
            "transaction-sent",
            kind=intent.label,
            **intent.facts,
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
        self._sender.discard(self._prepared(intent))
        await self._book.conclude(intent.intent_id, IntentState.DROPPED, text=text)

    def _prepared(self, intent: Intent) -> PreparedTx:
        return PreparedTx(intent.raw, intent.tx_hash, intent.nonce, intent.label)

    async def _conclude(self, intent: Intent, receipt: Receipt) -> None:
        state = IntentState.MINED if receipt.status == 1 else IntentState.REVERTED
        await self._book.conclude(
            intent.intent_id, state, block_number=receipt.block_number, gas_used=receipt.gas_used
        )
        log.info(
            "transaction-mined",
            kind=intent.label,
            **intent.facts,
            tx_hash=intent.tx_hash,
            block=receipt.block_number,
            gas_used=receipt.gas_used,
            success=receipt.status == 1,
        )

    async def _conclude_failure(self, intent: Intent, error: GatelessError) -> None:
        """Writes a definite failure down; an uncertain one leaves the intent pending."""
        text = f"{error.code}: {error.message}"
        if error.code == "transaction-reverted":
            await self._book.conclude(
                intent.intent_id,
                IntentState.REVERTED,
                block_number=int(error.context.get("block_number", 0)),
                text=text,
            )
        elif error.code in _NEVER_MINED:
            await self._book.conclude(intent.intent_id, IntentState.DROPPED, text=text)
        else:
            log.warning("transaction-uncertain", tx_hash=intent.tx_hash, kind=intent.label)
