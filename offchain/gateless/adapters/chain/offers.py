"""A signed request as it travels: JSON that a requester hands to executors.

::

    {"format": "gateless/signed-request/1", "chainId": "31337", "market": "0x…",
     "request": {"requester": "0x…", "versionId": "4294967296", …},
     "signature": "0x…", "input": "0x…"}

``request`` has the members of the EIP-712 type, by their names. Integers are text, since JSON
numbers lose digits elsewhere; bytes are lower-case hex; addresses carry their checksum. ``input``,
the packed input, may be missing where the executor has it or the hint says where it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateless.adapters.chain.signed_requests import (
    MEMBERS,
    market_domain,
    message_of,
    request_id_of,
)
from gateless.core.addresses import is_checksum_address
from gateless.core.errors import InputError
from gateless.core.types import ZERO_ADDRESS, RequestParams, SignedRequest, TrustMode

FORMAT: Literal["gateless/signed-request/1"] = "gateless/signed-request/1"
#: Two hex digits a byte of the largest input that goes with a request, signature and hint.
MAX_OFFER_BYTES = 1 << 20
#: ERC-6492 signatures hold the call that makes the account.
MAX_SIGNATURE_BYTES = 1 << 14

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}")


@dataclass(frozen=True, slots=True)
class Offer:
    """A signed request on its way to an executor.

    Attributes:
        chain_id: chain of the market.
        market: that it was signed for.
        signed: the request.
        signature: its requester's.
        packed_input: the input, where it comes along.
    """

    chain_id: int
    market: str
    signed: SignedRequest
    signature: bytes
    packed_input: bytes | None = None

    @property
    def request_id(self) -> int:
        """The id that the request has once it is locked."""
        return request_id_of(self.signed, market_domain(self.chain_id, self.market))

    def to_json(self) -> str:
        """The offer as it travels."""
        data: dict[str, Any] = {
            "format": FORMAT,
            "chainId": str(self.chain_id),
            "market": self.market,
            "request": {name: spell(value) for name, value in message_of(self.signed).items()},
            "signature": spell(self.signature),
        }
        if self.packed_input is not None:
            data["input"] = spell(self.packed_input)
        return json.dumps(data, indent=2) + "\n"


_Number = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,77})$")]
_Bytes = Annotated[str, Field(pattern=r"^0x(?:[0-9a-f]{2})*$")]
_Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]


class OfferFields(BaseModel):
    """What is common to signed requests of all markets."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    chainId: _Number
    market: _Address
    request: dict[str, str]
    signature: Annotated[_Bytes, Field(max_length=2 + 2 * MAX_SIGNATURE_BYTES)]
    input: _Bytes | None = None


class _OfferFile(OfferFields):
    format: Literal["gateless/signed-request/1"]


def parse_offer(data: str | bytes) -> Offer:
    """Reads an offer's JSON. Whether it is worth anything is another question.

    Raises:
        InputError: ``invalid-signed-request``.
    """
    if len(data) > MAX_OFFER_BYTES:
        raise invalid_offer(f"it is longer than {MAX_OFFER_BYTES} bytes")
    try:
        parsed = _OfferFile.model_validate_json(data)
    except ValidationError as error:
        raise invalid_offer(why_invalid(error)) from error
    values = read_members(parsed, MEMBERS)
    return Offer(
        chain_id=int(parsed.chainId),
        market=parsed.market,
        signed=_signed(values),
        signature=bytes.fromhex(parsed.signature[2:]),
        packed_input=None if parsed.input is None else bytes.fromhex(parsed.input[2:]),
    )


def read_members(parsed: OfferFields, members: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The values of a request's members, each checked to be of its Solidity type.

    Raises:
        InputError: ``invalid-signed-request``.
    """
    wanted = dict(members)
    if parsed.request.keys() != wanted.keys():
        raise invalid_offer("request has other members than the signed type")
    _read("market", "address", parsed.market)
    return {name: _read(name, kind, parsed.request[name]) for name, kind in wanted.items()}


def why_invalid(error: ValidationError) -> str:
    """The first of pydantic's reasons."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])


def _signed(values: Mapping[str, Any]) -> SignedRequest:
    try:
        mode = TrustMode(values["mode"])
    except ValueError as error:
        raise invalid_offer(f"there is no trust mode {values['mode']}") from error
    params = RequestParams(
        version_id=values["versionId"],
        mode=mode,
        input_digest=values["inputDigest"],
        input_binding=values["inputBinding"],
        max_price=values["maxPrice"],
        min_price=values["minPrice"],
        ramp_start=values["rampStart"],
        ramp_length=values["rampLength"],
        collateral=values["collateral"],
        deadline=values["deadline"],
        lock_duration=values["lockDuration"],
        executor=_optional(values["executor"]),
        callback=_optional(values["callback"]),
        callback_gas=values["callbackGas"],
    )
    return SignedRequest(values["requester"], params, values["nonce"], values["inputHint"])


def _read(name: str, kind: str, text: str) -> Any:
    if kind == "string":
        return text
    if kind == "address":
        if not is_checksum_address(text):
            raise invalid_offer(f"{name} is no address with a checksum")
        return text
    if kind == "bytes32":
        if re.fullmatch(r"0x[0-9a-f]{64}", text) is None:
            raise invalid_offer(f"{name} is no {kind}")
        return bytes.fromhex(text[2:])
    if _DECIMAL.fullmatch(text) is None or int(text) >> int(kind.removeprefix("uint")):
        raise invalid_offer(f"{name} is no {kind}")
    return int(text)


def spell(value: Any) -> str:
    """A value as it travels."""
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def _optional(address: str) -> str | None:
    return None if address == ZERO_ADDRESS else address


def invalid_offer(why: str) -> InputError:
    """``invalid-signed-request``."""
    return InputError(
        "invalid-signed-request",
        f"this is no signed request: {why}",
        hint="hand it in exactly as it was signed",
    )
