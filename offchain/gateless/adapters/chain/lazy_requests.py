"""What a requester signs for the lazy market, and how it travels as JSON.

::

    {"format": "gateless/lazy-request/1", "chainId": "31337", "market": "0x…",
     "request": {"requester": "0x…", "versionId": "4294967296", …},
     "signature": "0x…", "input": "0x…"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from pydantic import ValidationError

from gateless.adapters.chain.offers import (
    MAX_OFFER_BYTES,
    OfferFields,
    invalid_offer,
    read_members,
    spell,
    why_invalid,
)
from gateless.adapters.chain.signed_requests import domain_separator
from gateless.adapters.signer.protocol import Signer
from gateless.core.lazy import LazyRequest
from gateless.core.types import TypedData

FORMAT: Literal["gateless/lazy-request/1"] = "gateless/lazy-request/1"
PRIMARY_TYPE = "LazyInferenceRequest"
DOMAIN_NAME = "Gateless LazyMarket"
DOMAIN_VERSION = "1"

TYPE_TEXT = f"{PRIMARY_TYPE}({','.join(f'{kind} {name}' for name, kind in LazyRequest.MEMBERS)})"


def lazy_domain(chain_id: int, market: str) -> dict[str, Any]:
    """The EIP-712 domain of a lazy market."""
    return {
        "name": DOMAIN_NAME,
        "version": DOMAIN_VERSION,
        "chainId": chain_id,
        "verifyingContract": market,
    }


def lazy_typed_data(request: LazyRequest, domain: Mapping[str, Any]) -> TypedData:
    """What a wallet shows and signs."""
    types = {PRIMARY_TYPE: [{"name": name, "type": kind} for name, kind in LazyRequest.MEMBERS]}
    return TypedData(dict(domain), types, PRIMARY_TYPE, request.struct())


def lazy_id_of(request: LazyRequest, chain_id: int, market: str) -> int:
    """The request's id: the digest that is signed."""
    values = request.struct()
    values["inputHint"] = keccak(text=request.input_hint)
    kinds = ["bytes32" if kind == "string" else kind for _, kind in LazyRequest.MEMBERS]
    words = encode(["bytes32", *kinds], [keccak(text=TYPE_TEXT), *values.values()])
    separator = domain_separator(lazy_domain(chain_id, market))
    return int.from_bytes(keccak(b"\x19\x01" + separator + keccak(words)), "big")


async def sign_lazy_request(
    signer: Signer, request: LazyRequest, chain_id: int, market: str
) -> LazyOffer:
    """The request with its requester's signature."""
    data = lazy_typed_data(request, lazy_domain(chain_id, market))
    signature = await signer.sign_typed_data(
        data.domain, data.types, data.primary_type, data.message
    )
    return LazyOffer(chain_id, market, request, signature)


@dataclass(frozen=True, slots=True)
class LazyOffer:
    """A signed lazy request on its way to an executor.

    Attributes:
        chain_id: chain of the market.
        market: that it was signed for.
        request: the request.
        signature: its requester's.
        packed_input: the input, where it comes along.
    """

    chain_id: int
    market: str
    request: LazyRequest
    signature: bytes
    packed_input: bytes | None = None

    @property
    def request_id(self) -> int:
        """The request's id."""
        return lazy_id_of(self.request, self.chain_id, self.market)

    def to_json(self) -> str:
        """The offer as it travels."""
        data: dict[str, Any] = {
            "format": FORMAT,
            "chainId": str(self.chain_id),
            "market": self.market,
            "request": {name: spell(value) for name, value in self.request.struct().items()},
            "signature": spell(self.signature),
        }
        if self.packed_input is not None:
            data["input"] = spell(self.packed_input)
        return json.dumps(data, indent=2) + "\n"


class _LazyOfferFile(OfferFields):
    format: Literal["gateless/lazy-request/1"]


def parse_lazy_offer(data: str | bytes) -> LazyOffer:
    """Reads a lazy offer's JSON. Whether it is worth anything is another question.

    Raises:
        InputError: ``invalid-signed-request``.
    """
    if len(data) > MAX_OFFER_BYTES:
        raise invalid_offer(f"it is longer than {MAX_OFFER_BYTES} bytes")
    try:
        parsed = _LazyOfferFile.model_validate_json(data)
    except ValidationError as error:
        raise invalid_offer(why_invalid(error)) from error
    values = read_members(parsed, LazyRequest.MEMBERS)
    return LazyOffer(
        chain_id=int(parsed.chainId),
        market=parsed.market,
        request=LazyRequest.of_struct(values),
        signature=bytes.fromhex(parsed.signature[2:]),
        packed_input=None if parsed.input is None else bytes.fromhex(parsed.input[2:]),
    )
