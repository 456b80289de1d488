"""Signed lazy requests that no event tells: they are in the calldata that answered them.

``LazyMarket.lockSignedAndFulfill`` emits the answer alone, as everything that goes on from there
needs no more. Whoever wants the request again reads it where the chain got it from.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateless.adapters.chain.abi import decode_parameters
from gateless.adapters.chain.calls import abi_of
from gateless.adapters.chain.lazy_calls import LAZY_MARKET
from gateless.adapters.chain.lazy_requests import lazy_id_of
from gateless.core.errors import ChainError
from gateless.core.lazy import LazyRequest


def signed_request_in(
    calldata: bytes, request_id: int, chain_id: int, market: str
) -> LazyRequest | None:
    """The request of an id that a transaction locked and answered; None where it is not in there.

    The call may be the transaction's own, one of a batch, or one that an account's contract passed
    on: wherever the market's function is named, what follows is read. Only the request itself has
    its id, so nothing else can pass for it.
    """
    function = abi_of(LAZY_MARKET).function("lockSignedAndFulfill")
    for start in _places(calldata, function.selector):
        try:
            values = decode_parameters(function.inputs, calldata[start + len(function.selector) :])
        except ChainError:
            continue  # four bytes that happen to be the same
        request = LazyRequest.of_struct(next(iter(values.values())))
        if lazy_id_of(request, chain_id, market) == request_id:
            return request
    return None


def _places(data: bytes, part: bytes) -> Iterator[int]:
    place = data.find(part)
    while place >= 0:
        yield place
        place = data.find(part, place + 1)
