"""What clients hand to watchtowers: a receipt, its input and its output, and nothing else."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from eth_account import Account
from eth_utils.crypto import keccak
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import InputError
from gateless.core.handovers import MAX_HANDOVER_BYTES, Handover, parse_handover
from gateless.core.receipts import ZERO_BYTES32, Court, Receipt, SignedReceipt

PACKED, OUTPUT = b"\x01\x02\x03", b"\x05\xfd"


def signed(**changes: object) -> SignedReceipt:
    someone = Account.create().address
    receipt = Receipt(
        version_id=1 << 32,
        input_binding=keccak(PACKED),
        input_digest=ZERO_BYTES32,
        output_digest=keccak(OUTPUT),
        executor=someone,
        beneficiary=someone,
        price=1,
        bond=10,
        issued=1_800_000_000,
        expires=1_800_000_100,
        epoch=5,
        slot=3,
    )
    key = LocalSigner.random()
    return asyncio.run(SignedReceipt.sign(Court(31337, someone), replace(receipt, **changes), key))


@pytest.mark.parametrize("packed", [None, PACKED])
@pytest.mark.parametrize("output", [None, OUTPUT])
def test_it_survives_the_way(packed: bytes | None, output: bytes | None) -> None:
    given = Handover(signed(), packed, output)
    assert parse_handover(given.to_json()) == given


def test_a_receipt_alone_is_a_handover() -> None:
    receipt = signed()
    assert parse_handover(receipt.to_json()) == Handover(receipt)


def test_the_input_is_looked_for_where_the_receipt_names_it() -> None:
    """Where a version commits to its input, the binding is something else."""
    given = Handover(signed(input_binding=keccak(b"x"), input_digest=keccak(PACKED)), PACKED)
    assert parse_handover(given.to_json()).packed_input == PACKED


@pytest.mark.parametrize("name", ["input", "output"])
def test_what_the_receipt_does_not_name_is_refused(name: str) -> None:
    document = json.loads(Handover(signed(), PACKED, OUTPUT).to_json())
    document[name] = "0x00"
    with pytest.raises(InputError) as caught:
        parse_handover(json.dumps(document))
    assert caught.value.code == "handover-mismatch"


@pytest.mark.parametrize(
    "change",
    [
        {"more": "0x00"},
        {"input": "00"},
        {"input": "0x0"},
        {"input": "0xAB"},
        {"input": 5},
        {"receipt": "text"},
        {"format": None},
    ],
)
def test_anything_else_is_no_handover(change: dict[str, object]) -> None:
    document = json.loads(Handover(signed(), PACKED, OUTPUT).to_json())
    with pytest.raises(InputError) as caught:
        parse_handover(json.dumps(document | change))
    assert caught.value.code in ("invalid-handover", "invalid-receipt")


@pytest.mark.parametrize(
    "data", ["", "{", "[]", "null", "[" * 100_000, " " * (MAX_HANDOVER_BYTES + 1), b"\xff\xfe"]
)
def test_what_is_no_json_object_is_refused(data: str | bytes) -> None:
    with pytest.raises(InputError) as caught:
        parse_handover(data)
    assert caught.value.code in ("invalid-handover", "invalid-receipt")
