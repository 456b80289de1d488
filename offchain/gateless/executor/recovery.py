"""Brings the journal and the chain together: after a crash, a lost connection, a reorganisation.

The chain is right. What the journal adds is what the chain cannot know: transactions that were
signed and perhaps sent, and proofs that need not be made again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.headers import read_header
from gateless.adapters.chain.nonce_users import is_known
from gateless.adapters.chain.rpc import Rpc
from gateless.core.errors import ChainError, GatelessError, NotFoundError
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

#: Blocks that a reorganisation may undo.
_UNDOABLE_BLOCKS = 64


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

        Raises:
            ChainError: ``rpc-behind``: a node does not know it yet.
        """
        found = await self._client.rpc.together(lambda one: self._found_at(one, work))
        if found is None:
            return None if work.offer is None else await self.offers.request(work)
        same = (
            found.version_id == work.version_id
            and found.input_digest == work.input_digest
            and found.requester.lower() == work.requester.lower()
        )
        if found.state is not RequestState.PAID:  # the chain keeps no terms of what is paid
            same = same and (found.max_price, found.deadline) == (work.price, work.deadline)
        return found if same else None

    async def _found_at(self, rpc: Rpc, work: Work) -> RequestInfo | None:
        """What one endpoint knows of a request, if it can know it."""
        try:
            return await self._client.market.at(rpc).request(work.request_id)
        except NotFoundError:
            if work.offer is None:
                await self._require_undone(rpc, work.created_block)
            return None

    async def require_undone(self, block: int) -> None:
        """Requires that a block that was read may be no part of the chain any more.

        Where the chain still holds the last block read, it holds what earlier ones made: whoever
        says that it is not there is behind, as one of the machines behind a provider's address.

        Raises:
            ChainError: ``rpc-behind``.
        """
        await self._client.rpc.together(lambda one: self._require_undone(one, block))

    async def _require_undone(self, rpc: Rpc, block: int) -> None:
        cursor = await self._journal.cursor()
        if cursor is None or cursor.number < block:
            return
        if (await read_header(rpc, cursor.number)).hash != cursor.hash:
            return
        raise ChainError(
            "rpc-behind",
            f"{rpc.name} does not know what block {block} made, although block {cursor.number} is"
            " part of its chain",
            hint="wait until the node has caught up, or use another RPC endpoint",
            block=block,
            cursor=cursor.number,
        )

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
        # What nobody was promised and others answered is no news: there may be years of it.
        never_ours = work.state is WorkState.SEEN and finding.state in FINAL
        tell = log.debug if never_ours else log.info
        tell(
            "reconciled",
            request_id=work.request_id,
            was=work.state,
            now=finding.state,
            reason=finding.reason,
        )
        return await self._journal.settle(work.request_id, finding, **facts)

    async def is_unsettled(self, work: Work) -> bool:
        """Whether something that was sent for a request may still take effect."""
        if work.state in COMMITTED:
            return True
        return bool(await self._journal.intents(work.request_id, state=IntentState.PENDING))

    async def after_fork(self, now: int) -> None:
        """Looks again at everything that a reorganisation may have changed.

        Args:
            now: timestamp of the head; requests whose deadline is over cannot come back to life.
        """
        await self.reopen()
        ended = FINAL - {WorkState.SKIPPED, WorkState.REJECTED}
        for work in await self._journal.find(ended):
            if work.deadline >= now:
                await self.reconcile(work)

    async def reopen(self) -> None:
        """Waits again for what was mined, was undone, and is back in a node's pool; of all kinds.

        It may be mined once more, so nothing else may be signed for what it does. What no node
        has any more leaves its nonce to whatever is signed next, and of all transactions
        with one nonce one is mined.
        """
        head = await self._client.block()
        reopened = []
        for intent in await self._journal.intents(mined_since=head.number - _UNDOABLE_BLOCKS):
            if await self._is_mined(intent):
                continue
            if await self._is_known(intent):
                await self._journal.conclude(intent.intent_id, IntentState.PENDING)
                with bound_contextvars(**await self._about(intent)):
                    log.warning("transaction-undone", kind=intent.label, tx_hash=intent.tx_hash)
                reopened.append(intent)
        self._transactions.reopen(reopened)

    async def adopt(self) -> None:
        """Takes note of what an earlier run may have sent: once, before anything new is sent."""
        await self._transactions.recall(await self._journal.intents(state=IntentState.PENDING))

    async def settle_leftovers(self, kinds: Collection[IntentKind] = tuple(IntentKind)) -> None:
        """Finds out what became of withdrawals, and of transactions whose requests have ended.

        Args:
            kinds: of these alone. While others are being sent they must be left out: what was
                signed and is not at the node yet would be taken for never sent, and given up.
        """
        for intent in await self._journal.intents(state=IntentState.PENDING):
            if intent.kind not in kinds:
                continue
            with bound_contextvars(**await self._about(intent)):
                try:
                    await self._settle_leftover(intent)
                except ChainError as error:
                    if error.code != "transaction-timeout":
                        raise
                    log.warning("not-over-yet", tx_hash=intent.tx_hash, kind=intent.label)

    async def _settle_leftover(self, intent: Intent) -> None:
        if intent.kind is IntentKind.LOCK_MANY:
            works = await self._journal.locked_together(intent.intent_id)
            if all(work.state in FINAL for work in works):
                await self._settle_locks(intent)
            return
        if intent.batch_id is not None:
            members = await self._journal.members(intent.batch_id)
            if all(member.state in FINAL for member in members):
                await self._settle_batch(intent, intent.batch_id)
            return
        if intent.request_id is None or intent.kind.is_of_quorums:
            await self._settle_intent(intent, None)
            return
        try:
            work = await self._journal.get(intent.request_id)
        except LookupError:  # a reorganisation undid the request
            await self._settle_intent(intent, None)
            return
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

    async def _about(self, intent: Intent) -> dict[str, Any]:
        """The requests that a transaction is for, as the log names them."""
        if intent.kind is IntentKind.LOCK_MANY:
            works = await self._journal.locked_together(intent.intent_id)
        elif intent.batch_id is not None:
            works = await self._journal.members(intent.batch_id)
        else:
            return dict(intent.facts)
        return {"request_ids": [work.request_id for work in works]}

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
            if _is_cancelling(intent) or not await self._is_known(intent):
                await self._transactions.give_up(intent)
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
            if _is_cancelling(intent) or not await self._is_batch_proved(batch_id):
                await self._transactions.give_up(intent)
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
        if _is_cancelling(intent) or (work is None and intent.kind.is_of_work):
            await self._transactions.give_up(intent)
            return
        if intent.kind is IntentKind.FULFILL and work is not None:
            # The same bytes again: they can take effect at most once, however often they are sent.
            # Only while the lock holds: after that they would only burn gas.
            if (await self._on_chain_state(work)) is not WorkState.PROVED:
                await self._transactions.give_up(intent)
                return
        elif not await self._is_known(intent):
            # Signed, and as far as the node can tell never sent. Conditions may have changed since,
            # so it is decided anew whether to lock; but only when these bytes can never be mined.
            await self._transactions.give_up(intent)
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
                **await self._about(intent),
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

    async def _is_mined(self, intent: Intent) -> bool:
        for attempt in intent.attempts:
            found = await self._client.rpc.request("eth_getTransactionReceipt", attempt.tx_hash)
            if found is not None:
                return True
        return False

    async def _is_known(self, intent: Intent) -> bool:
        """Whether any node has the transaction, mined or waiting."""
        for attempt in intent.attempts:
            if await is_known(self._client.rpc, attempt.tx_hash):
                return True
        return False


def _is_cancelling(intent: Intent) -> bool:
    return intent.attempts[-1].cancels
