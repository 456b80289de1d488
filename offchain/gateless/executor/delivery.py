"""Delivers proven outputs: one request, or all that share a proof, in one transaction."""

from __future__ import annotations

import structlog
from structlog.contextvars import bound_contextvars

from gateless.adapters.chain import calls
from gateless.core.types import Receipt
from gateless.daemon.versions import ReadyVersion
from gateless.executor.offers import offer_of
from gateless.executor.parts import Parts, input_argument, kept_input, kept_proof
from gateless.executor.states import WorkState
from gateless.executor.work import Batch, IntentKind, Work

#: States in which a member of a batch may still have to be answered. ``FULFILLING`` is left from an
#: earlier run: whoever holds the batch's lock knows that nothing is under way.
_WAITING = (WorkState.LOCKED, WorkState.PROVING, WorkState.PROVED, WorkState.FULFILLING)
#: In a batch, the id of a row that answers nobody. Requests count from 1.
_NOBODY = 0


class Delivery:
    """Sends fulfilments and writes down what they brought."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._journal = parts.journal

    async def fulfil(self, work: Work) -> None:
        """Delivers a proven request, with all others that share its proof."""
        if work.proof is None and work.batch_id is not None:
            await self._fulfil_batch(work.batch_id, work.request_id)
            return
        ready = await self._parts.versions.prepare(work.version_id)
        output, proof = kept_proof(work)
        await self._journal.move(work.request_id, WorkState.FULFILLING)
        packed = input_argument(ready, kept_input(work))
        call = calls.fulfill(work.request_id, work.circuit_index, packed, output, proof)
        await self._paid(work, await self.execute(IntentKind.FULFILL, call, work))

    async def lock_and_fulfil(self, work: Work, ready: ReadyVersion) -> None:
        """Delivers a request that names this executor and was not locked before."""
        output, proof = kept_proof(work)
        packed = input_argument(ready, kept_input(work))
        answer = (work.circuit_index, packed, output, proof)
        if work.offer is None:
            call = calls.lock_and_fulfill(work.request_id, *answer)
        else:
            offer = offer_of(work)
            call = calls.lock_signed_and_fulfill(offer.signed, offer.signature, *answer)
        await self._paid(work, await self.execute(IntentKind.LOCK_AND_FULFILL, call, work))

    async def execute(self, kind: IntentKind, call: calls.Call, work: Work) -> Receipt:
        """Sends a transaction about one request, as long as the chain wants it."""

        async def wanted() -> bool:
            return await self._parts.recovery.is_still_wanted(work)

        return await self._parts.transactions.execute(
            kind, call, work.request_id, still_wanted=wanted
        )

    async def _fulfil_batch(self, batch_id: int, request_id: int) -> None:
        """Whoever of a batch comes first delivers for all; the others find it done."""
        recovery = self._parts.recovery
        async with recovery.batch_lock(batch_id):
            if (await self._journal.get(request_id)).state is not WorkState.PROVED:
                return
            batch = await self._journal.batch(batch_id)
            members = [
                await recovery.reconcile(member)
                for member in await self._journal.members(batch_id)
                if member.state in _WAITING
            ]
            answered = {m.request_id: m for m in members if m.state is WorkState.PROVED}
            if not answered:
                return
            for member in answered.values():
                await self._journal.move(member.request_id, WorkState.FULFILLING)
            # In the task of one of them, but about all.
            with bound_contextvars(request_ids=sorted(answered)):
                receipt = await self._parts.transactions.execute(
                    IntentKind.FULFILL_BATCH,
                    _batch_call(batch, answered),
                    batch_id=batch_id,
                    still_wanted=lambda: recovery.is_batch_wanted(batch_id),
                )
            await self._settled(answered, receipt)

    async def _settled(self, answered: dict[int, Work], receipt: Receipt) -> None:
        """Takes over, for each request of a batch, what the transaction did with it."""
        fees = {
            int(event.args["requestId"]): int(event.args["fee"])
            for event in receipt.logs
            if event.name == "RequestFulfilled"
        }
        log = structlog.get_logger(__name__)
        log.info(
            "batch-fulfilled",
            request_ids=sorted(fees),
            skipped=sorted(answered.keys() - fees.keys()),
            gas_used=receipt.gas_used,
            tx_hash=receipt.tx_hash,
        )
        for request_id, work in answered.items():
            if request_id in fees:
                await self._journal.move(request_id, WorkState.FULFILLED, fee=fees[request_id])
            else:
                await self._parts.recovery.reconcile(await self._journal.get(work.request_id))
        await self._journal.drop_settled_batches()

    async def _paid(self, work: Work, receipt: Receipt) -> None:
        fee = int(receipt.event("RequestFulfilled").args["fee"])
        await self._journal.move(work.request_id, WorkState.FULFILLED, fee=fee)
        structlog.get_logger(__name__).info(
            "request-fulfilled", fee=fee, gas_used=receipt.gas_used, tx_hash=receipt.tx_hash
        )


def _batch_call(batch: Batch, answered: dict[int, Work]) -> calls.Call:
    """The transaction for those of a batch that still wait, each beside its own row.

    A row whose request has ended names nobody: after a reorganisation its number may be another
    request's, with another input, which would undo the whole batch.
    """
    ids = [entry if entry in answered else _NOBODY for entry in batch.request_ids]
    while ids[-1] == _NOBODY:
        ids.pop()
    return calls.fulfill_batch(
        ids, batch.circuit_index, [batch.packed_inputs], [batch.packed_outputs], batch.proof
    )
