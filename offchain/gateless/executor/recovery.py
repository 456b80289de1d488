"""Brings the journal and the chain together: after a crash, a lost connection, a reorganisation.

The chain is right. What the journal adds is what the chain cannot know: transactions that were
signed and perhaps sent, and proofs that need not be made again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

import structlog

from gateless.adapters.chain.client import ChainClient
from gateless.core.errors import GatelessError, NotFoundError
from gateless.core.types import RequestInfo, RequestState
from gateless.daemon.faults import is_chain_away
from gateless.daemon.transactions import IntentState, StillWanted
from gateless.executor.journal import Journal
from gateless.executor.offers import OfferReader
from gateless.executor.states import (
    COMMITTED,
    FINAL,
    LOCKED_BY_ANOTHER,
    WorkState,
    reconcile,
)
from gateless.executor.transactions import Transactions
from gateless.executor.work import Intent, IntentKind, Work

log = structlog.get_logger(__name__)


class Recovery:
    """Settles what is open.

    Args:
        client: the chain.
        journal: the memory.
        transactions: looks transactions up and sends them again.
        me: this executor's address.

    Attributes:
        offers: what the chain says about requests that were signed and not locked yet.
    """

    def __init__(
        self, client: ChainClient, journal: Journal, transactions: Transactions, me: str
    ) -> None:
        self.offers = OfferReader(client)
        self._client = client
        self._journal = journal
        self._transactions = transactions
        self._me = me
        self._batches: dict[int, asyncio.Lock] = {}
        self._locks: dict[int, asyncio.Lock] = {}

    async def request(self, work: Work) -> RequestInfo | None:
        """The request as the chain has it; None where the chain does not hold this request.

        After a reorganisation another request may have its number: that is not this request.
        """
        try:
            found = await self._client.market.request(work.request_id)
        except NotFoundError:
            return None if work.offer is None else await self.offers.request(work)
        same = (
            found.version_id == work.version_id
            and found.input_digest == work.input_digest
            and found.requester.lower() == work.requester.lower()
        )
        if found.state is not RequestState.PAID:  # the chain keeps no terms of what is paid
            same = same and (found.max_price, found.deadline) == (work.price, work.deadline)
        return found if same else None

    async def settle(self, work: Work) -> Work:
        """Finds out what became of a request's transactions, then takes over the chain's state."""
        for intent in await self._journal.intents(work.request_id, state=IntentState.PENDING):
            await self._settle_one(intent, work)
        return await self.reconcile(await self._journal.get(work.request_id))

    def batch_lock(self, batch_id: int) -> asyncio.Lock:
        """Held by whoever sends, or looks after, the transaction of a batch."""
        return self._batches.setdefault(batch_id, asyncio.Lock())

    async def is_batch_wanted(self, batch_id: int) -> bool:
        """Whether the chain still wants an answer to any request of a batch."""
        return await self.is_any_wanted(await self._journal.members(batch_id))

    async def is_any_wanted(self, works: Iterable[Work]) -> bool:
        """Whether the chain still wants an answer to any of some requests."""
        for work in works:
            if work.state not in FINAL and await self.is_still_wanted(work):
                return True
        return False

    async def reconcile(self, work: Work) -> Work:
        """Takes over the chain's state of a request."""
        chain = await self.request(work)
        block = await self._client.block()
        finding = reconcile(
            work.state, has_proof=work.has_proof, chain=chain, me=self._me, now=block.timestamp
        )
        if finding.state is work.state:
            return work
        facts: dict[str, int] = {}
        if chain is not None and (
            finding.state in COMMITTED or finding.reason == LOCKED_BY_ANOTHER
        ):
            facts["lock_deadline"] = chain.lock_deadline
        if chain is not None and finding.state is WorkState.FULFILLED:
            payment = await self._client.payment(chain)
            facts["fee"] = 0 if payment is None else int(payment.args["fee"])
        log.info(
            "reconciled",
            request_id=work.request_id,
            was=work.state,
            now=finding.state,
            reason=finding.reason,
        )
        return await self._journal.settle(work.request_id, finding, **facts)

    async def after_fork(self, now: int) -> None:
        """Looks again at everything that a reorganisation may have changed.

        Args:
            now: timestamp of the head; requests whose deadline is over cannot come back to life.
        """
        ended = FINAL - {WorkState.SKIPPED, WorkState.REJECTED}
        for work in await self._journal.find(ended):
            if work.deadline >= now:
                await self.reconcile(work)

    async def settle_leftovers(self, kinds: Collection[IntentKind] = tuple(IntentKind)) -> None:
        """Finds out what became of withdrawals, and of transactions whose requests have ended.

        Args:
            kinds: of these alone. While others are being sent they must be left out: what was
                signed and is not at the node yet would be taken for never sent, and given up.
        """
        for intent in await self._journal.intents(state=IntentState.PENDING):
            if intent.kind not in kinds:
                continue
            if intent.kind is IntentKind.LOCK_MANY:
                works = await self._journal.locked_together(intent.intent_id)
                if all(work.state in FINAL for work in works):
                    await self._settle_locks(intent)
                continue
            if intent.batch_id is not None:
                members = await self._journal.members(intent.batch_id)
                if all(member.state in FINAL for member in members):
                    await self._settle_batch(intent, intent.batch_id)
                continue
            if intent.request_id is None:
                await self._settle_intent(intent, None)
                continue
            work = await self._journal.get(intent.request_id)
            if work.state in FINAL:
                await self._settle_intent(intent, work)

    async def is_still_wanted(self, work: Work) -> bool:
        """Whether the chain still wants an answer to this request from this executor.

        While the chain is out of reach nothing speaks against it. Changes nothing.
        """
        try:
            return (await self._on_chain_state(work)) not in FINAL
        except GatelessError as error:
            if is_chain_away(error):
                return True
            raise

    async def _settle_one(self, intent: Intent, work: Work) -> None:
        if intent.kind is IntentKind.LOCK_MANY:
            await self._settle_locks(intent)
        elif intent.batch_id is None:
            await self._settle_intent(intent, work)
        else:
            await self._settle_batch(intent, intent.batch_id)

    async def _settle_locks(self, intent: Intent) -> None:
        """Finds out what became of a transaction that locks several requests: once, whichever of
        them asks first. What it did with each is on chain.
        """
        async with self._locks.setdefault(intent.intent_id, asyncio.Lock()):
            if not await self._is_pending(intent):
                return
            if await self._transactions.look_up(intent) is not None:
                return
            if not await self._is_known(intent):
                await self._transactions.drop(intent, "was not sent")
                return
            works = await self._journal.locked_together(intent.intent_id)
            await self._drive(intent, lambda: self.is_any_wanted(works))

    async def _is_pending(self, intent: Intent) -> bool:
        pending = await self._journal.intents(state=IntentState.PENDING)
        return any(other.intent_id == intent.intent_id for other in pending)

    async def _settle_batch(self, intent: Intent, batch_id: int) -> None:
        """Finds out what became of a batch's transaction: once, whichever member asks first."""
        async with self.batch_lock(batch_id):
            if not await self._is_pending(intent):
                return
            if await self._transactions.look_up(intent) is not None:
                return
            # The same bytes again: each request is paid once at most, those that ended are skipped.
            if not await self._is_batch_proved(batch_id):
                await self._transactions.drop(intent, "not wanted any more")
                return
            await self._drive(intent, lambda: self.is_batch_wanted(batch_id))

    async def _is_batch_proved(self, batch_id: int) -> bool:
        for member in await self._journal.members(batch_id):
            if (await self._on_chain_state(member)) is WorkState.PROVED:
                return True
        return False

    async def _settle_intent(self, intent: Intent, work: Work | None) -> None:
        if await self._transactions.look_up(intent) is not None:
            return
        if intent.kind is IntentKind.FULFILL and work is not None:
            # The same bytes again: they can take effect at most once, however often they are sent.
            # Only while the lock holds: after that they would only burn gas.
            if (await self._on_chain_state(work)) is not WorkState.PROVED:
                await self._transactions.drop(intent, "not wanted any more")
                return
        elif not await self._is_known(intent):
            # Signed, never sent. Conditions may have changed since, so it is decided anew whether
            # to lock; a later transaction takes the nonce, and these bytes can never be mined.
            await self._transactions.drop(intent, "was not sent")
            return

        async def wanted() -> bool:
            return work is None or await self.is_still_wanted(work)

        await self._drive(intent, wanted)

    async def _drive(self, intent: Intent, wanted: StillWanted) -> None:
        try:
            await self._transactions.drive(intent, still_wanted=wanted)
        except GatelessError as error:
            if is_chain_away(error):
                raise
            log.warning(
                "transaction-failed",
                request_id=intent.request_id,
                tx_hash=intent.tx_hash,
                code=error.code,
                message=error.message,
            )

    async def _on_chain_state(self, work: Work) -> WorkState:
        chain = await self.request(work)
        block = await self._client.block()
        return reconcile(
            work.state, has_proof=work.has_proof, chain=chain, me=self._me, now=block.timestamp
        ).state

    async def _is_known(self, intent: Intent) -> bool:
        """Whether the node has the transaction, mined or waiting."""
        found = await self._client.rpc.request("eth_getTransactionByHash", intent.tx_hash)
        return found is not None
