"""What a client hands to a watchtower: a receipt, and what went with it.

A receipt holds digests only. Whoever is to judge it needs the packed input; where a circuit leaves
a choice between neighbouring outputs he needs the packed output, too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from eth_utils.crypto import keccak
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from gateless.core.errors import InputError
from gateless.core.receipts import SignedReceipt, parse_receipt

FORMAT: Literal["gateless/handover/1"] = "gateless/handover/1"
#: Two hex digits a byte for the largest input and output that any court takes, and the receipt.
MAX_HANDOVER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Handover:
    """A receipt with the packed input and output that it is about, as far as they are known.

    Raises:
        InputError: ``handover-mismatch`` where they are not those that the receipt names.
    """

    signed: SignedReceipt
    packed_input: bytes | None = None
    packed_output: bytes | None = None

    def __post_init__(self) -> None:
        receipt = self.signed.receipt
        for name, data, digest in (
            ("input", self.packed_input, receipt.packed_digest),
            ("output", self.packed_output, receipt.output_digest),
        ):
            if data is not None and keccak(data) != digest:
                raise InputError(
                    "handover-mismatch",
                    f"the receipt is about another {name}",
                    hint=f"give exactly the packed {name} that went with this receipt",
                )

    def to_json(self) -> str:
        """The handover as it travels."""
        data: dict[str, Any] = {
            "format": FORMAT,
            "receipt": json.loads(self.signed.to_json()),
        }
        if self.packed_input is not None:
            data["input"] = f"0x{self.packed_input.hex()}"
        if self.packed_output is not None:
            data["output"] = f"0x{self.packed_output.hex()}"
        return json.dumps(data, indent=2) + "\n"


_Bytes = Annotated[str, Field(pattern=r"^0x(?:[0-9a-f]{2})*$")]


class _HandoverFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: Literal["gateless/handover/1"]
    receipt: dict[str, Any]
    input: _Bytes | None = None
    output: _Bytes | None = None


def parse_handover(data: str | bytes) -> Handover:
    """Reads a handover's JSON; a receipt's own JSON is a handover of the receipt alone.

    Raises:
        InputError: ``invalid-handover``, ``invalid-receipt``, ``handover-mismatch``.
    """
    if len(data) > MAX_HANDOVER_BYTES:
        raise _invalid(f"it is longer than {MAX_HANDOVER_BYTES} bytes")
    try:
        document = from_json(data)  # refuses deep nesting; the json module dies of it
    except ValueError as error:
        raise _invalid("it is no JSON") from error
    if isinstance(document, dict) and document.get("format") != FORMAT:
        return Handover(parse_receipt(data))
    try:
        parsed = _HandoverFile.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _invalid(f"{where}: {first['msg']}" if where else first["msg"]) from error
    return Handover(
        parse_receipt(json.dumps(parsed.receipt)), _bytes(parsed.input), _bytes(parsed.output)
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text[2:])


def _invalid(why: str) -> InputError:
    return InputError(
        "invalid-handover",
        f"this is no handover of a receipt: {why}",
        hint="make one: gateless watchtower hand RECEIPT --input FILE --output HEX --to PLACE",
    )
