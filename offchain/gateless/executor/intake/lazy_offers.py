"""Takes signed lazy requests in: judged by everything that can be known before, then journaled."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from gateless.adapters.chain.lazy_requests import FORMAT, LazyOffer
from gateless.adapters.chain.signatures import SignatureReader
from gateless.core.errors import ConfigError, FundsError, InputError
from gateless.core.types import InputBinding, TrustMode
from gateless.executor.config import IntakeConfig
from gateless.executor.intake.slots import Slots
from gateless.executor.lazy.desk import LazyDesk
from gateless.executor.lazy.states import UNCOMMITTED, LazyWork
from gateless.executor.policy import Answer, Verdict

log = structlog.get_logger(__name__)


def is_lazy(body: bytes) -> bool:
    """Whether a body means to be a lazy request: then it is read as one, and refused as one."""
    return f'"{FORMAT}"'.encode() in body


class LazyOfferIntake:
    """Signed lazy requests for one executor.

    Args:
        desk: serves them.
        config: whether, and how many.
    """

    def __init__(self, desk: LazyDesk, config: IntakeConfig) -> None:
        self._desk = desk
        self._context = desk.context
        self._parts = desk.context.parts
        self._config = config
        client = desk.context.parts.client
        self._signatures = SignatureReader(client.rpc, client.deployment)
        self._slots = Slots[LazyWork](config.max_offers, lambda work: work.request)
        self._turn = asyncio.Lock()

    async def accept(self, offer: LazyOffer) -> LazyWork:
        """Journals a signed lazy request; handed in again, it is the same work.

        Raises:
            ConfigError: ``offers-closed``.
            InputError: ``other-market``, ``request-not-served``, ``nonce-spent``,
                ``invalid-signature``, ``no-input``, ``input-digest-mismatch``, ``wrong-length``,
                ``input-binding-mismatch``, ``mode-not-allowed``.
            NotFoundError: ``unknown-version``.
            FundsError: ``deposit-too-low``.
            StorageError: ``intake-full``.
        """
        client = self._parts.client
        if (offer.chain_id, offer.market) != (client.chain_id, self._context.market.address):
            raise InputError(
                "other-market",
                f"it was signed for the market {offer.market} on chain {offer.chain_id}",
                hint=f"this executor works for {self._context.market.address}"
                f" on chain {client.chain_id}",
            )
        request_id = offer.request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            return await self._parts.journal.lazy(request_id)
        except LookupError:
            pass
        if not (self._desk.is_open and self._config.signed_requests):
            raise ConfigError(
                "offers-closed",
                "this executor takes no lazy requests now",
                hint="hand it to another one",
            )
        async with self._turn:
            waiting = await self._parts.journal.list_lazy(UNCOMMITTED, signed=True)
            same = offer.request.requester.lower()
            own = [work for work in waiting if work.request.requester.lower() == same]
            self._slots.require_share(len(own))
            now, verdict = await self._judge(
                offer, request_id, beside=sum(work.request.max_price for work in own)
            )
            packed = await self._parts.inputs.of_request(
                offer.packed_input,
                offer.request.input_digest,
                offer.request.input_hint,
                self._parts.versions.known(offer.request.version_id),
            )
            place = self._slots.place(waiting, now=now, at_once=verdict.answer is Answer.TAKE)
            if place is not None:
                await self._desk.give_way(place)
            work = LazyWork(request_id, offer.request, offer.signature, packed_input=packed)
            if not await self._parts.journal.take_lazy(work):  # its event was faster
                work = await self._parts.journal.lazy(request_id)
        self._parts.stopwatch.seen(request_id)
        log.info("lazy-offer-taken", version_id=offer.request.version_id)
        await self._desk.welcome(work)
        return work

    async def _judge(
        self, offer: LazyOffer, request_id: int, *, beside: int
    ) -> tuple[int, Verdict]:
        """Refuses what would not be served; returns the chain's time and the verdict of now."""
        parts, context, request = self._parts, self._context, offer.request
        ready = parts.versions.known(request.version_id)
        if ready is None:
            version = await parts.client.registry.version(request.version_id)
        else:
            version = ready.info
        if not version.allows(TrustMode.LAZY_ZK):
            raise InputError(
                "mode-not-allowed",
                f"version {version.version_id} does not allow LAZY_ZK",
                hint="the version's page lists the modes that it allows",
            )
        packed = version.binding is InputBinding.PACKED
        if packed and request.input_binding != request.input_digest:
            raise InputError(
                "input-binding-mismatch",
                "the version binds packed inputs, so binding and digest must be the same",
                hint="sign the request again",
            )
        seconds = None if ready is None else await context.auditor.seconds(ready)
        now, standing, backing, gas_price, is_spent = await asyncio.gather(
            parts.now(),
            parts.standing.current(),
            context.market.backing(context.me),
            context.gas_price(),
            context.is_spent(offer),
        )
        verdict = context.policy.judge(
            request,
            standing,
            backing,
            now=now,
            answer_seconds=0.0,
            prove_seconds=seconds or 0.0,
            royalty_bps=version.royalty_bps,
            gas_price=gas_price,
        )
        if verdict.answer is Answer.SKIP:
            raise InputError(
                "request-not-served",
                f"this executor would not serve it: {verdict.text}",
                hint="/v1/info says what it serves, and from which price",
                reason=verdict.reason,
            )
        if is_spent:
            raise InputError(
                "nonce-spent",
                f"nonce {request.nonce} of {request.requester} was used or cancelled",
                hint="sign the request again with another nonce",
            )
        missing = await context.shortage(offer, beside)
        if missing:
            raise FundsError(
                "deposit-too-low",
                f"the deposit of {request.requester} lacks {missing} token units for the highest"
                " price, beside what waits here for it",
                hint="deposit at the lazy market, then hand the request in again",
                missing=missing,
            )
        digest = request_id.to_bytes(32)
        if not await self._signatures.is_valid(request.requester, digest, offer.signature):
            raise InputError(
                "invalid-signature",
                f"the signature is not one of {request.requester} for this request",
                hint="sign exactly what is handed in, for this chain and market",
            )
        return now, verdict


def lazy_progress_of(work: LazyWork) -> dict[str, Any]:
    """A lazy request as the intake shows it."""
    return {
        "requestId": f"0x{work.request_id:064x}",
        "versionId": str(work.version_id),
        "state": work.state.value,
        "reason": work.reason,
        "text": work.text,
        "deadline": work.request.deadline,
        "lockDeadline": 0 if work.lock is None else work.lock.lock_deadline,
        "challengeDeadline": 0 if work.claim is None else work.claim.challenge_deadline,
        "output": None
        if work.claim is None or work.packed_output is None
        else f"0x{work.packed_output.hex()}",
    }
