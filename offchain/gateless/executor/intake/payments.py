"""What pays for a direct call: a signed request of either market, for the same input."""

from __future__ import annotations

from dataclasses import dataclass

from gateless.adapters.chain.lazy_requests import parse_lazy_offer
from gateless.adapters.chain.offers import parse_offer
from gateless.executor.intake.lazy_offers import is_lazy


@dataclass(frozen=True, slots=True)
class Payment:
    """What a signed request says about who is paid, for what, and how much.

    ``price`` is None where it rises along a ramp: then nobody knows what it will be.
    """

    version_id: int
    input_digest: bytes
    executor: str | None
    price: int | None


def payment_of(body: bytes) -> Payment:
    """Reads a signed request as a payment.

    Raises:
        InputError: ``invalid-signed-request``.
    """
    if is_lazy(body):
        request = parse_lazy_offer(body).request
        price = None if request.ramp_length else request.max_price
        return Payment(request.version_id, request.input_digest, request.named_executor, price)
    params = parse_offer(body).signed.params
    price = None if params.ramp_length else params.max_price
    return Payment(params.version_id, params.input_digest, params.executor, price)
