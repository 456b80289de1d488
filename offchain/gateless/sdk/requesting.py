"""Asking for inferences and taking requests back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Unpack

from eth_utils.crypto import keccak

from gateless.adapters.chain import calls
from gateless.adapters.chain.permit import sign_permit
from gateless.adapters.storage import content_hint
from gateless.core.amounts import format_amount, plain_amount
from gateless.core.errors import FundsError, InputError
from gateless.core.ids import split_version_id
from gateless.core.types import InputBinding, RequestInfo, RequestParams, RequestState
from gateless.sdk.progress import ProgressSink, Step, ignore
from gateless.sdk.results import (
    InferenceResult,
    Refund,
    RequestSummary,
    ResolvedVersion,
    SubmittedRequest,
)
from gateless.sdk.tensors import pack_inputs
from gateless.sdk.terms import Pricing, RequestTerms, Settled
from gateless.sdk.waiting import Waiting


class Requesting(Waiting, Pricing):
    """Requests as their requester sees them."""

    async def infer(
        self,
        ref: str | int,
        inputs: Any,
        *,
        progress: ProgressSink = ignore,
        **terms: Unpack[RequestTerms],
    ) -> InferenceResult:
        """Asks for a verified inference, pays for it, waits and returns the proven output.

        Args:
            ref: which version, see :mod:`gateless.sdk.references`.
            inputs: mapping from input name to array, or the array where the model has one input.
            progress: told about each stage; the request's id is in its steps as soon as it exists.
            terms: see :class:`gateless.sdk.terms.RequestTerms`.

        Raises:
            InputError: bad input or terms; nothing was sent.
            NotFoundError: unknown model, version or alias, or ``no-executor``.
            StorageError: the version's files cannot be had or are not what was published.
            FundsError: ``balance-too-low``, with what is missing; nothing was sent.
            ChainError: ``request-expired``, ``request-refunded``; the hint says what to do.
        """
        submitted = await self.submit(ref, inputs, progress=progress, **terms)
        return await self.wait(submitted, progress=progress)

    async def submit(
        self,
        ref: str | int,
        inputs: Any,
        *,
        progress: ProgressSink = ignore,
        **terms: Unpack[RequestTerms],
    ) -> SubmittedRequest:
        """As :meth:`infer` without waiting: :meth:`wait` returns the output at any later time."""
        signer = self.signer  # a client that only reads fails before it does any work
        progress(Step("resolve", f"looking up {ref}"))
        resolved = await self.resolve(ref)
        manifest = await self._manifest_of(resolved, progress)
        packed = pack_inputs(manifest, inputs)
        settled = await self._settle(resolved, terms)
        shortage = await self._shortage(settled.price, terms.get("deposit", True))
        data, hint = await self._deliver(packed, terms.get("input_store"))
        params = await self._params(resolved, settled, packed, progress)
        if shortage:
            until = await self._permit_deadline()
            market = self.chain.market.address
            permit = await sign_permit(self.chain, signer, market, shortage, until)
            call = calls.request_with_permit(params, permit, data, hint)
        else:
            call = calls.request(params, data, hint)
        receipt, sent = await self._send(call, progress)
        request_id = int(receipt.event("RequestCreated").args["requestId"])
        progress(
            Step(
                "requested",
                f"request {request_id} is on chain",
                fraction=1.0,
                request_id=request_id,
                tx_hash=sent.tx_hash,
            )
        )
        return SubmittedRequest(
            request_id=request_id,
            resolved=resolved,
            manifest=manifest,
            packed_input=packed,
            price=settled.price,
            deadline=settled.deadline,
            transaction=sent,
            warnings=(*resolved.warnings, *settled.warnings),
        )

    async def request(self, request_id: int) -> RequestInfo:
        """A request as stored; of a paid one the price is read from its payment.

        Raises:
            NotFoundError: ``unknown-request``.
        """
        info = await self.chain.market.request(request_id)
        if info.state is not RequestState.PAID:
            return info
        payment = await self._payment(info)
        return replace(info, price=int(payment.args["fee"]) + int(payment.args["royalty"]))

    async def requests(
        self, requester: str | None = None, *, limit: int = 20
    ) -> tuple[RequestSummary, ...]:
        """The latest requests of an account (default: the signer's), newest first."""
        wanted = (requester or self.signer.address).lower()
        latest = await self.chain.block()
        start = self.chain.deployment.start_block
        events = await self.chain.events(["RequestCreated"], start, latest.number)
        mine = [event for event in events if str(event.args["requester"]).lower() == wanted]
        found: list[RequestSummary] = []
        for event in reversed(mine[-limit:] if limit > 0 else []):
            info = await self.chain.market.request(int(event.args["requestId"]))
            if info.state is RequestState.PAID:
                # It keeps neither: its payment tells the price, its creation the deadline.
                info = await self.request(info.request_id)
                info = replace(info, deadline=int(event.args["params"]["deadline"]))
            model_id, index = split_version_id(info.version_id)
            model = await self.chain.registry.model(model_id)
            found.append(RequestSummary(info, f"{model.name}@{index}", event.tx_hash))
        return tuple(found)

    async def cancel(self, request_id: int, *, progress: ProgressSink = ignore) -> Refund:
        """Takes an open request back before an executor locked it."""
        info = await self.chain.market.request(request_id)
        receipt, sent = await self._send(calls.cancel(request_id), progress)
        return Refund(request_id, info.requester, _refunded(receipt.logs, info), 0, sent)

    async def refund(self, request_id: int, *, progress: ProgressSink = ignore) -> Refund:
        """Returns the price of an expired request to its requester and slashes a missed lock.

        Anyone may do this for anyone.
        """
        info = await self.chain.market.request(request_id)
        receipt, sent = await self._send(calls.refund(request_id), progress)
        slashed = sum(
            int(event.args["slashed"]) for event in receipt.logs if event.name == "RequestRefunded"
        )
        return Refund(request_id, info.requester, _refunded(receipt.logs, info), slashed, sent)

    async def _params(
        self,
        resolved: ResolvedVersion,
        settled: Settled,
        packed: bytes,
        progress: ProgressSink,
    ) -> RequestParams:
        """The request as the market takes it."""
        return RequestParams(
            version_id=resolved.version.version_id,
            mode=settled.mode,
            input_digest=keccak(packed),
            input_binding=await self._binding(resolved, packed, progress),
            max_price=settled.price,
            collateral=settled.collateral,
            deadline=settled.deadline,
            lock_duration=settled.lock_duration,
            executor=settled.executor,
            callback=settled.callback,
            callback_gas=settled.callback_gas,
            min_price=settled.ramp.min_price,
            ramp_start=settled.ramp.start,
            ramp_length=settled.ramp.length,
        )

    async def _shortage(self, price: int, deposit: bool) -> int:
        """What has to be deposited on top; raises where the wallet does not hold it."""
        address, token = self.signer.address, self.chain.deployment.token
        deposited = await self.chain.market.balance_of(address)
        missing = price - deposited
        if missing <= 0:
            return 0
        held = await self.chain.token.balance_of(address)
        if held < missing:
            raise FundsError(
                "balance-too-low",
                f"{format_amount(missing - held, token)} missing: the price is"
                f" {format_amount(price, token)}, {format_amount(deposited, token)} are deposited"
                f" and the wallet holds {format_amount(held, token)}",
                hint=f"send {format_amount(missing - held, token)} to {address}, then:"
                f" gateless wallet deposit {plain_amount(missing, token)}",
                missing=missing - held,
                deposited=deposited,
                wallet=held,
            )
        if not deposit:
            raise FundsError(
                "balance-too-low",
                f"{format_amount(missing, token)} missing in the market's deposit",
                hint=f"gateless wallet deposit {plain_amount(missing, token)}",
                missing=missing,
                deposited=deposited,
                wallet=held,
            )
        return missing

    async def _deliver(self, packed: bytes, input_store: str | None) -> tuple[bytes, str]:
        """How executors get the input: in the transaction, or from a content store."""
        if input_store is not None:
            digest = await self.services.store.put(packed)
            return b"", content_hint(digest, input_store)
        limits = await self.chain.market.limits()
        if len(packed) > limits.max_input_length:
            raise InputError(
                "input-too-long",
                f"the packed input has {len(packed)} bytes, a request carries"
                f" {limits.max_input_length}",
                hint="serve it yourself: gateless store serve, and name its URL with --input-store",
            )
        return packed, ""

    async def _binding(
        self, resolved: ResolvedVersion, packed: bytes, progress: ProgressSink
    ) -> bytes:
        """What the proof must be tied to: the input itself, or its KZG commitment."""
        if resolved.version.binding is InputBinding.PACKED:
            return keccak(packed)
        bundle = await self._bundle_of(resolved, progress)
        progress(Step("commit", "computing the input's commitment"))
        x, y = await self.services.prover.commitment(bundle, packed)
        return keccak(x + y)


def _refunded(logs: Any, info: RequestInfo) -> int:
    for event in logs:
        if event.name == "RequestRefunded":
            return int(event.args["amount"])
    return info.price
