"""Signed requests that no transaction has made yet, as the chain would have them if one had."""

from __future__ import annotations

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.offers import Offer, parse_offer
from gateless.core.errors import GatelessError
from gateless.core.types import RequestInfo, RequestState, SignedRequest
from gateless.executor.policy import Answer, Verdict
from gateless.executor.work import WaitingOffer, Work


class OfferReader:
    """Looks at what the chain says about offers.

    Args:
        client: the chain.
    """

    def __init__(self, client: ChainClient) -> None:
        self._client = client
        self._royalties: dict[int, int] = {}

    async def request(self, work: Work) -> RequestInfo:
        """An offer as a request: open, unless its requester took it back.

        Raises:
            NotFoundError: ``unknown-version``.
        """
        signed = offer_of(work).signed
        spent = await self.is_spent(signed)
        state = RequestState.REFUNDED if spent else RequestState.OPEN
        royalty = await self._royalty(signed.params.version_id)
        return as_request(signed, work.request_id, state, royalty)

    async def is_spent(self, signed: SignedRequest) -> bool:
        """Whether the request's nonce was used by another one, or cancelled."""
        word = await self._client.market.nonce_word(signed.requester, signed.nonce >> 8)
        return bool(word >> (signed.nonce & 0xFF) & 1)

    async def shortage(self, signed: SignedRequest, beside: int = 0) -> int:
        """What the requester's deposit lacks for the lock, at the highest price that he offers.

        Args:
            signed: the request.
            beside: what others of his that wait here may cost him.
        """
        deposit = await self._client.market.balance_of(signed.requester)
        return max(0, signed.params.max_price + beside - deposit)

    async def obstacle(self, work: Work) -> Verdict | None:
        """What keeps an offer from being locked now that no request on chain could meet."""
        missing = await self.shortage(offer_of(work).signed)
        if not missing:
            return None
        return Verdict(
            Answer.WAIT,
            "deposit-too-low",
            f"the deposit of {work.requester} lacks {missing} for the price",
            "its requester has to deposit it at the market",
        )

    async def _royalty(self, version_id: int) -> int:
        if version_id not in self._royalties:
            version = await self._client.registry.version(version_id)
            self._royalties[version_id] = version.royalty_bps
        return self._royalties[version_id]


def offer_of(work: Work) -> Offer:
    """The offer that work is about.

    Raises:
        GatelessError: ``journal-incomplete``: it is about none, a defect.
    """
    if work.offer is None:
        raise GatelessError("journal-incomplete", f"request {work.request_id} lost its signature")
    return parse_offer(work.offer)


def terms_of(waiting: WaitingOffer) -> RequestInfo:
    """What a signed request that waits is paid when, at most: without the version's royalty."""
    signed = parse_offer(waiting.offer).signed
    return as_request(signed, waiting.request_id, RequestState.OPEN, 0)


def as_request(
    signed: SignedRequest, request_id: int, state: RequestState, royalty_bps: int
) -> RequestInfo:
    """A signed request as the market would store it."""
    params = signed.params
    return RequestInfo(
        request_id=request_id,
        requester=signed.requester,
        version_id=params.version_id,
        state=state,
        mode=params.mode,
        royalty_bps=royalty_bps,
        input_digest=params.input_digest,
        input_binding=params.input_binding,
        price=params.max_price,
        collateral=params.collateral,
        deadline=params.deadline,
        lock_deadline=0,
        lock_duration=params.lock_duration,
        callback_gas=params.callback_gas,
        lock_block=0,
        named_executor=params.executor,
        executor=None,
        callback=params.callback,
        output_digest=bytes(32),
        refundable=False,
        max_price=params.max_price,
        min_price=params.min_price,
        ramp_start=params.ramp_start,
        ramp_length=params.ramp_length,
    )
