"""Takes signed requests in: judged by everything that can be known before, then journaled."""

from __future__ import annotations

import asyncio

import structlog

from gateless.adapters.chain.offers import Offer
from gateless.adapters.chain.signatures import SignatureReader
from gateless.core.errors import ConfigError, FundsError, GatelessError, InputError
from gateless.core.types import InputBinding, RequestInfo, RequestState
from gateless.executor.config import IntakeConfig
from gateless.executor.intake.inputs import InputRoom
from gateless.executor.intake.slots import Slots
from gateless.executor.offers import OfferReader, as_request, terms_of
from gateless.executor.parts import Parts
from gateless.executor.policy import Answer, Verdict
from gateless.executor.states import GAVE_WAY, WorkState
from gateless.executor.work import NewWork, WaitingOffer, Work

log = structlog.get_logger(__name__)


class OfferIntake:
    """Signed requests for one executor.

    Args:
        parts: what to work with.
        offers: what the chain says about them.
        inputs: handed in beside them.
        config: whether, and how many.
    """

    def __init__(
        self, parts: Parts, offers: OfferReader, inputs: InputRoom, config: IntakeConfig
    ) -> None:
        self._parts = parts
        self._offers = offers
        self._inputs = inputs
        self._config = config
        self._signatures = SignatureReader(parts.client.rpc, parts.client.deployment)
        self._slots = Slots(config.max_offers, terms_of)
        self._turn = asyncio.Lock()
        self._closed = not config.signed_requests

    @property
    def is_open(self) -> bool:
        """Whether signed requests are taken in."""
        return not self._closed and not self._parts.breaker.halted.everything

    def close(self) -> None:
        """Takes no more."""
        self._closed = True

    async def accept(self, offer: Offer) -> Work:
        """Journals a signed request; from then on it is worked on like any other.

        Handed in again, it is the same work.

        Raises:
            ConfigError: ``offers-closed``.
            InputError: ``other-market``, ``request-not-served``, ``nonce-spent``,
                ``invalid-signature``, ``no-input``, ``input-digest-mismatch``, ``wrong-length``,
                ``input-binding-mismatch``, ``mode-not-allowed``.
            NotFoundError: ``unknown-version``.
            FundsError: ``deposit-too-low``.
            StorageError: ``intake-full``.
        """
        self._require_market(offer)
        request_id = offer.request_id
        try:
            return await self._parts.journal.get(request_id)
        except LookupError:
            pass
        if not self.is_open:
            raise ConfigError(
                "offers-closed",
                "this executor takes no signed requests now",
                hint="hand it to another one",
            )
        async with self._turn:
            waiting = await self._parts.journal.waiting_offers()
            same = offer.signed.requester.lower()
            own = [work for work in waiting if work.requester.lower() == same]
            self._slots.require_share(len(own))
            now, verdict = await self._judge(
                offer, request_id, beside=sum(work.price for work in own)
            )
            params = offer.signed.params
            packed = await self._inputs.of_request(
                offer.packed_input,
                params.input_digest,
                offer.signed.input_hint,
                self._parts.versions.known(params.version_id),
            )
            place = self._slots.place(waiting, now=now, at_once=verdict.answer is Answer.TAKE)
            if place is not None:
                await self._give_way(place)
            await self._parts.journal.take_offer(
                _new_work(offer, request_id), _without_input(offer).to_json(), packed
            )
        log.info("offer-taken", request_id=request_id, version_id=offer.signed.params.version_id)
        return await self._parts.journal.get(request_id)

    def _require_market(self, offer: Offer) -> None:
        client = self._parts.client
        if (offer.chain_id, offer.market) != (client.chain_id, client.market.address):
            raise InputError(
                "other-market",
                f"it was signed for the market {offer.market} on chain {offer.chain_id}",
                hint=f"this executor works for {client.market.address} on chain {client.chain_id}",
            )

    async def _give_way(self, waiting: WaitingOffer) -> None:
        """Lets go of a request that waits, for one that need not wait."""
        try:
            await self._parts.journal.move(
                waiting.request_id,
                WorkState.SKIPPED,
                reason=GAVE_WAY,
                text="it could not be locked yet, and another request could: its place was needed",
            )
        except GatelessError as error:
            if error.code != "forbidden-transition":
                raise
            # It was locked, or ended, meanwhile: it waits no more, and its place is free as well.

    async def _judge(self, offer: Offer, request_id: int, *, beside: int) -> tuple[int, Verdict]:
        """Refuses what would not be served; returns the chain's time and the verdict of now."""
        parts, signed = self._parts, offer.signed
        version = await parts.client.registry.version(signed.params.version_id)
        if not version.allows(signed.params.mode):
            raise InputError(
                "mode-not-allowed",
                f"version {version.version_id} does not allow {signed.params.mode.name}",
                hint="the version's page lists the modes that it allows",
            )
        if (
            version.binding is InputBinding.PACKED
            and signed.params.input_binding != signed.params.input_digest
        ):
            raise InputError(
                "input-binding-mismatch",
                "the version binds packed inputs, so binding and digest must be the same",
                hint="sign the request again",
            )
        now, verdict = await self._require_wanted(
            as_request(signed, request_id, RequestState.OPEN, version.royalty_bps)
        )
        if await self._offers.is_spent(signed):
            raise InputError(
                "nonce-spent",
                f"nonce {signed.nonce} of {signed.requester} was used or cancelled",
                hint="sign the request again with another nonce",
            )
        missing = await self._offers.shortage(signed, beside)
        if missing:
            raise FundsError(
                "deposit-too-low",
                f"the deposit of {signed.requester} lacks {missing} token units for the highest"
                " price, beside what waits here for it",
                hint="deposit at the market, then hand the request in again",
                missing=missing,
            )
        digest = request_id.to_bytes(32)
        if not await self._signatures.is_valid(signed.requester, digest, offer.signature):
            raise InputError(
                "invalid-signature",
                f"the signature is not one of {signed.requester} for this request",
                hint="sign exactly what is handed in, for this chain and market",
            )
        return now, verdict

    async def _require_wanted(self, request: RequestInfo) -> tuple[int, Verdict]:
        """Applies the operator's policy; what only has to wait is taken in."""
        parts = self._parts
        now = await parts.now()
        ready = parts.versions.known(request.version_id)
        seconds = None
        if ready is not None:
            seconds = await parts.journal.timing(request.version_id, ready.circuit_index)
        standing = await parts.standing.current()
        verdict = parts.policy.judge(request, standing, now=now, prove_seconds=seconds)
        if verdict.answer is Answer.SKIP:
            raise InputError(
                "request-not-served",
                f"this executor would not serve it: {verdict.text}",
                hint="/v1/info says what it serves, and from which price",
                reason=verdict.reason,
            )
        return now, verdict


def _new_work(offer: Offer, request_id: int) -> NewWork:
    params = offer.signed.params
    return NewWork(
        request_id=request_id,
        version_id=params.version_id,
        requester=offer.signed.requester,
        mode=params.mode,
        price=params.max_price,
        collateral=params.collateral,
        deadline=params.deadline,
        input_digest=params.input_digest,
        input_binding=params.input_binding,
        named_executor=params.executor,
        created_block=0,
        callback_gas=params.callback_gas,
    )


def _without_input(offer: Offer) -> Offer:
    """The input is kept beside it."""
    return Offer(offer.chain_id, offer.market, offer.signed, offer.signature)
