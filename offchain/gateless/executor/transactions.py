"""Sends what was journaled, and finds out what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.sender import Sender
from gateless.core.errors import GatelessError
from gateless.core.types import Receipt
from gateless.daemon.faults import is_chain_away
from gateless.daemon.transactions import JournaledSender, StillWanted
from gateless.executor.journal import Journal
from gateless.executor.work import Intent, IntentKind

log = structlog.get_logger(__name__)

#: What carries an output or a proof: who sees it before it is mined could copy it.
_PRIVATE = frozenset(
    {
        IntentKind.FULFILL,
        IntentKind.FULFILL_BATCH,
        IntentKind.LOCK_AND_FULFILL,
        IntentKind.RESPOND,
        IntentKind.LAZY_ANSWER,
        IntentKind.LAZY_LOCK_AND_ANSWER,
        IntentKind.LAZY_BATCH,
        IntentKind.LAZY_PROVE,
        IntentKind.QUORUM_REVEAL,
    }
)


class Transactions(JournaledSender[Intent]):
    """One account's transactions.

    Args:
        sender: signs and sends.
        journal: knows each transaction before the chain does.
    """

    def __init__(self, sender: Sender, journal: Journal) -> None:
        super().__init__(sender, journal)
        self._journal = journal
        self._undone: dict[int, Intent] = {}
        self._settling = asyncio.Lock()

    def reopen(self, intents: Sequence[Intent]) -> None:
        """Takes note of what a reorganisation undid and a node still has: it may be mined again.

        What belongs to a request for a proof is settled with that, and withdrawals before the next
        one. Everything else, whatever its kind, before anything else is sent.
        """
        self.adopt(intents)
        for intent in intents:
            if not (intent.kind.is_settled_with_work or intent.kind.is_withdrawal):
                self._undone[intent.intent_id] = intent

    async def settle_undone(self) -> None:
        """Waits until what a reorganisation undid is mined again, or certainly never will be.

        Raises:
            ChainError: the chain is away.
        """
        async with self._settling:
            while self._undone:
                intent = min(self._undone.values(), key=lambda entry: entry.nonce)
                try:
                    await self.drive(intent, still_wanted=None)
                except GatelessError as error:
                    if is_chain_away(error):
                        raise
                    log.warning("undone-for-good", kind=intent.label, code=error.code)
                del self._undone[intent.intent_id]

    async def estimate(self, call: Call) -> int:
        """Gas that a call would need now.

        Raises:
            GatelessError: it would revert, or the node cannot be asked.
        """
        return await self._sender.estimate(call)

    async def execute(
        self,
        kind: IntentKind,
        call: Call,
        request_id: int | None = None,
        *,
        batch_id: int | None = None,
        request_ids: Sequence[int] = (),
        still_wanted: StillWanted,
        told: Callable[[], None] | None = None,
    ) -> Receipt:
        """Simulates, signs, journals, sends and waits until the transaction is mined.

        Args:
            kind: what it is for.
            call: what it does.
            request_id: the request that it is for, where it is for one alone.
            batch_id: the shared proof that it carries.
            still_wanted: asked now and then until it is mined.
            told: called once a node has it.

        Raises:
            ContractError: the call reverts, or the transaction did.
            ChainError: nothing was sent, or nothing that was sent can be mined any more; for
                instance ``transaction-cancelled``, since it was not wanted any more.
            FundsError: ``gas-balance-too-low``.
        """
        # Blind to it, a node would simulate that the same can be done once more.
        await self.settle_undone()
        prepared = await self._sender.prepare(call, private=kind in _PRIVATE)
        try:
            intent = await self._journal.intend(
                kind, prepared, request_id, batch_id=batch_id, request_ids=request_ids
            )
        except BaseException:
            self._sender.discard(prepared)
            raise
        return await self.drive(intent, still_wanted=still_wanted, fresh=True, told=told)
