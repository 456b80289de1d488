"""Sends what was journaled, and finds out what became of it: safe to repeat after a crash.

An intent has one nonce and a list of signed attempts, of which at most one is mined. Each is
journaled before it is sent. An intent is over when one of them was mined, when another transaction
provably took its nonce, or when its only attempt was refused by everybody: never by guessing. Who
decides the same thing anew waits for that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

import structlog

from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.chain.pursuit import StillWanted
from gateless.adapters.chain.sender import Sender
from gateless.core.errors import GatelessError
from gateless.core.types import Receipt

__all__ = ["IntentBook", "IntentState", "JournaledIntent", "JournaledSender", "StillWanted"]

log = structlog.get_logger(__name__)

#: Ends after which no attempt can ever take effect.
_NEVER_MINED = frozenset(
    {"nonce-used", "transaction-refused", "transaction-cancelled", "gas-balance-too-low"}
)


class IntentState(StrEnum):
    """What became of an intent. All but ``PENDING`` are final.

    ``PENDING`` says that the bytes were signed; whether they were sent is for the chain to tell.
    """

    PENDING = "pending"
    MINED = "mined"
    REVERTED = "reverted"
    DROPPED = "dropped"


class JournaledIntent(Protocol):
    """What was journaled before it was sent."""

    @property
    def intent_id(self) -> int:
        """Its number in the journal."""
        ...

    @property
    def label(self) -> str:
        """What it is for."""
        ...

    @property
    def attempts(self) -> Sequence[PreparedTx]:
        """All that was signed for it, oldest first; with one nonce."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the log says about it."""
        ...


class IntentBook(Protocol):
    """Where intents are journaled."""

    async def attempted(self, intent_id: int, attempt: PreparedTx) -> None:
        """Writes a further attempt down, before it is sent. One that is known is no other one."""
        ...

    async def owner_of(self, tx_hash: str) -> str | None:
        """What a transaction was for, in words, if this journal signed it."""
        ...

    async def last_nonce(self) -> int | None:
        """The highest nonce that a mined transaction of this journal had; None before the first."""
        ...

    async def conclude(
        self,
        intent_id: int,
        state: IntentState,
        *,
        block_number: int = 0,
        gas_used: int = 0,
        text: str = "",
    ) -> None:
        """Writes what became of an intent."""
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

    async def recall(self, pending: Sequence[Intent]) -> None:
        """Takes note of what an earlier run did: once, before anything new is prepared.

        Args:
            pending: what it left unsettled.
        """
        last = await self._book.last_nonce()
        if last is not None:
            self._sender.used(last)
        self.adopt(pending)

    def adopt(self, intents: Sequence[Intent]) -> None:
        """Takes note of transactions that may still be mined, though nobody follows them now."""
        for intent in intents:
            self._sender.adopt(intent.attempts, self._keeper(intent))

    async def drive(
        self,
        intent: Intent,
        *,
        still_wanted: StillWanted | None,
        fresh: bool = False,
        told: Callable[[], None] | None = None,
    ) -> Receipt:
        """Sends a journaled intent until it is mined; safe to repeat after a crash.

        Args:
            intent: what to send.
            still_wanted: asked now and then: what is not wanted any more is cancelled where that is
                cheaper than letting it revert. Where it is None, waiting ends after the sender's
                timeout, and the intent stays pending.
            fresh: whether it was signed just now, so that no node can have it.
            told: called once a node has it.

        Raises:
            ContractError: it was mined and reverted.
            ChainError: ``transaction-cancelled``: it was not wanted any more; ``nonce-used``,
                ``transaction-refused``: it can never be mined; ``transaction-timeout``: it may
                still be mined.
            FundsError: ``gas-balance-too-low``: nobody took it.
        """
        latest = intent.attempts[-1]
        log.info(
            "transaction-sent",
            kind=intent.label,
            **intent.facts,
            tx_hash=latest.tx_hash,
            nonce=latest.nonce,
        )
        pursuit = self._sender.pursue(
            intent.attempts, keep=self._keeper(intent), still_wanted=still_wanted, fresh=fresh
        )
        try:
            patience = self._sender.timeout if still_wanted is None else None
            receipt = await pursuit.run(patience, told)
        except GatelessError as error:
            await self._conclude_failure(intent, error)
            raise
        await self._conclude(intent, receipt)
        return receipt

    async def look_up(self, intent: Intent) -> Receipt | None:
        """Looks whether any attempt was mined, and journals it.

        None if none was, or only the empty transfer that cancelled the others.
        """
        for attempt in intent.attempts:
            receipt = await self._sender.receipt(attempt.tx_hash)
            if receipt is None:
                continue
            if attempt.cancels:
                await self._book.conclude(
                    intent.intent_id,
                    IntentState.DROPPED,
                    block_number=receipt.block_number,
                    gas_used=receipt.gas_used,
                    text="cancelled",
                )
                return None
            await self._conclude(intent, receipt)
            return receipt
        return None

    async def give_up(self, intent: Intent) -> Receipt | None:
        """Sees to it that an intent never takes effect, or finds that it did.

        Its nonce is taken by an empty transfer where that is cheaper than letting it revert.

        Returns:
            The receipt where it was mined all the same.

        Raises:
            ChainError: ``transaction-timeout``: it is not over yet.
        """

        async def wanted() -> bool:
            return False

        pursuit = self._sender.pursue(
            intent.attempts, keep=self._keeper(intent), still_wanted=wanted
        )
        try:
            receipt = await pursuit.run(self._sender.timeout)
        except GatelessError as error:
            await self._conclude_failure(intent, error)
            if error.code == "transaction-timeout":
                raise
            return None
        await self._conclude(intent, receipt)
        return receipt

    def _keeper(self, intent: Intent) -> Any:
        async def keep(attempt: PreparedTx) -> None:
            await self._book.attempted(intent.intent_id, attempt)

        return keep

    async def _conclude(self, intent: Intent, receipt: Receipt) -> None:
        state = IntentState.MINED if receipt.status == 1 else IntentState.REVERTED
        await self._book.conclude(
            intent.intent_id,
            state,
            block_number=receipt.block_number,
            gas_used=receipt.gas_used,
            text=_mined_as(intent, receipt),
        )
        log.info(
            "transaction-mined",
            kind=intent.label,
            **intent.facts,
            tx_hash=receipt.tx_hash,
            block=receipt.block_number,
            gas_used=receipt.gas_used,
            success=receipt.status == 1,
        )

    async def _conclude_failure(self, intent: Intent, error: GatelessError) -> None:
        """Writes a definite failure down; an uncertain one leaves the intent pending."""
        if error.code == "transaction-reverted":
            state = IntentState.REVERTED
        elif error.code in _NEVER_MINED:
            state = IntentState.DROPPED
        else:
            log.warning(
                "transaction-uncertain",
                kind=intent.label,
                **intent.facts,
                tx_hash=intent.attempts[-1].tx_hash,
            )
            return
        await self._book.conclude(
            intent.intent_id,
            state,
            block_number=int(error.context.get("block_number", 0)),
            gas_used=int(error.context.get("gas_used", 0)),
            text=f"{error.code}: {error.message}",
        )
        log.info("transaction-over", kind=intent.label, **intent.facts, end=state, why=error.code)
        if error.code == "nonce-used":
            await self._tell_whose(intent, error)

    async def _tell_whose(self, intent: Intent, error: GatelessError) -> None:
        """Whether we or somebody else took the nonce: a second process is the operator's matter."""
        by = str(error.context.get("by", ""))
        owner = await self._book.owner_of(by) if by else None
        if owner is not None:
            log.warning(
                "nonce-used-by-ourselves", kind=intent.label, **intent.facts, by=by, owner=owner
            )
        else:
            log.error(
                "nonce-used-by-another-process",
                kind=intent.label,
                **intent.facts,
                by=by,
                message=error.message,
                hint=error.hint,
            )


def _mined_as(intent: JournaledIntent, receipt: Receipt) -> str:
    """Which attempt was mined, where it was not the first."""
    first = intent.attempts[0].tx_hash
    return "" if receipt.tx_hash == first else f"mined as {receipt.tx_hash}"
