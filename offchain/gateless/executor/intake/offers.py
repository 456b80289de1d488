"""Takes signed requests in: judged by everything that can be known before, then journaled."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog
from eth_utils.crypto import keccak

from gateless.adapters.chain.offers import Offer
from gateless.adapters.chain.signatures import SignatureReader
from gateless.core.errors import ConfigError, FundsError, InputError, StorageError
from gateless.core.types import InputBinding, RequestInfo, RequestState
from gateless.executor.config import IntakeConfig
from gateless.executor.intake.inputs import InputRoom
from gateless.executor.offers import OfferReader, as_request
from gateless.executor.parts import Parts
from gateless.executor.policy import Answer
from gateless.executor.work import NewWork, Work

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
        self._turn = asyncio.Lock()
        self._closed = not config.signed_requests

    @property
    def is_open(self) -> bool:
        """Whether signed requests are taken in."""
        return not self._closed

    def close(self) -> None:
        """Takes no more."""
        self._closed = True

    async def accept(self, offer: Offer) -> Work:
        """Journals a signed request; from then on it is worked on like any other.

        Handed in again, it is the same work.

        Raises:
            ConfigError: ``offers-closed``.
            InputError: ``other-market``, ``request-not-served``, ``nonce-spent``,
                ``invalid-signature``, ``no-input``, ``input-digest-mismatch``,
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
        if self._closed:
            raise ConfigError(
                "offers-closed",
                "this executor takes no signed requests now",
                hint="hand it to another one",
            )
        async with self._turn:
            if await self._parts.journal.waiting_offers() >= self._config.max_offers:
                raise StorageError(
                    "intake-full",
                    f"{self._config.max_offers} signed requests wait here already",
                    hint="try again later, or hand it to another executor",
                )
            await self._judge(offer, request_id)
            packed = await self._input(offer)
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

    async def _judge(self, offer: Offer, request_id: int) -> None:
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
        await self._require_wanted(
            as_request(signed, request_id, RequestState.OPEN, version.royalty_bps)
        )
        if await self._offers.is_spent(signed):
            raise InputError(
                "nonce-spent",
                f"nonce {signed.nonce} of {signed.requester} was used or cancelled",
                hint="sign the request again with another nonce",
            )
        missing = await self._offers.shortage(signed)
        if missing:
            raise FundsError(
                "deposit-too-low",
                f"the deposit of {signed.requester} lacks {missing} token units for the price",
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

    async def _require_wanted(self, request: RequestInfo) -> None:
        """Applies the operator's policy; what only has to wait is taken in."""
        parts = self._parts
        block = await parts.client.block("pending")
        now = max(block.timestamp, int(parts.clock.now()))
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

    async def _input(self, offer: Offer) -> bytes | None:
        """The packed input where it is here; None where the hint says where it is."""
        digest, packed = offer.signed.params.input_digest, offer.packed_input
        if packed is None:
            packed = await self._inputs.find(digest)
        elif keccak(packed) != digest:
            raise InputError(
                "input-digest-mismatch",
                "the input is not the one that the request's digest names",
                hint="hand in the packed input that was signed for",
            )
        else:
            # Should the request be set aside and looked at again. It is kept with it as well.
            with suppress(StorageError, InputError):
                await self._inputs.keep(packed, digest)
        if packed is None and not offer.signed.input_hint:
            raise InputError(
                "no-input",
                "the input is not here, and the request does not say where it is",
                hint="send it along, or hand it in first: PUT /v1/inputs/0x…",
            )
        return packed


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
