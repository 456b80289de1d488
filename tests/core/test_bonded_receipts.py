"""Receipts: typed data, signatures and the strict JSON form."""

from __future__ import annotations

import asyncio
import json
from dataclasses import fields, replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from gateless.core.errors import InputError
from gateless.core.receipts import (
    MEMBERS,
    ZERO_BYTES32,
    Court,
    Receipt,
    SignedReceipt,
    commitment,
    pair_digest,
    parse_receipt,
)
from gateless.core.types import ZERO_ADDRESS
from hypothesis import given, settings
from hypothesis import strategies as st

#: Order of secp256k1.
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
COURT = Court(31337, to_checksum_address("0x" + "c0" * 20))
KEY = Account.from_key(b"\x07" * 32)


class Key:
    """Signs by eth_account's own reading of EIP-712."""

    async def sign_typed_data(
        self, domain: Any, types: Any, primary_type: str, message: Any
    ) -> bytes:
        return bytes(
            KEY.sign_typed_data(
                full_message={
                    "types": {
                        "EIP712Domain": [
                            {"name": "name", "type": "string"},
                            {"name": "version", "type": "string"},
                            {"name": "chainId", "type": "uint256"},
                            {"name": "verifyingContract", "type": "address"},
                        ],
                        **types,
                    },
                    "primaryType": primary_type,
                    "domain": domain,
                    "message": message,
                }
            ).signature
        )


RECEIPT = Receipt(
    version_id=1 << 32,
    input_binding=b"\x01" * 32,
    input_digest=ZERO_BYTES32,
    output_digest=b"\x02" * 32,
    executor=to_checksum_address("0x" + "e0" * 20),
    beneficiary=to_checksum_address("0x" + "b0" * 20),
    price=1_000_000,
    bond=10_000_000,
    issued=1_800_000_000,
    expires=1_800_050_000,
    epoch=83_333,
    slot=7,
)
SIGNED = asyncio.run(SignedReceipt.sign(COURT, RECEIPT, Key()))

addresses = st.binary(min_size=20, max_size=20).map(to_checksum_address)
BY_KIND = {
    "address": addresses,
    "bytes32": st.binary(min_size=32, max_size=32),
    **{f"uint{bits}": st.integers(0, 2**bits - 1) for bits in (32, 64, 128)},
}
receipts = st.tuples(*(BY_KIND[kind] for _, kind in MEMBERS)).map(lambda values: Receipt(*values))


def other(kind: str, value: Any) -> Any:
    if kind == "address":
        return to_checksum_address("0x" + "99" * 20)
    return bytes(reversed(range(32))) if kind == "bytes32" else value + 1


@settings(max_examples=50, deadline=None)
@given(receipts, st.integers(1, 2**64), addresses)
def test_the_digest_is_that_of_another_implementation(
    receipt: Receipt, chain_id: int, address: str
) -> None:
    court = Court(chain_id, address)
    data = court.typed_data(receipt)
    message = encode_typed_data(data.domain, data.types, data.message)
    assert court.digest(receipt) == keccak(b"\x19\x01" + message.header + message.body)


def test_a_signature_names_its_key() -> None:
    assert SIGNED.signer == KEY.address
    assert COURT.recover(RECEIPT, SIGNED.signature) == KEY.address


@pytest.mark.parametrize("place", range(len(MEMBERS)))
def test_a_signature_holds_for_no_other_value_of_any_member(place: int) -> None:
    field = fields(Receipt)[place].name
    changed = replace(RECEIPT, **{field: other(MEMBERS[place][1], getattr(RECEIPT, field))})
    assert changed != RECEIPT
    assert COURT.digest(changed) != COURT.digest(RECEIPT)
    assert COURT.recover(changed, SIGNED.signature) != KEY.address


@pytest.mark.parametrize(
    "court", [Court(1, COURT.address), Court(31337, to_checksum_address("0x" + "c1" * 20))]
)
def test_a_signature_holds_for_no_other_court_or_chain(court: Court) -> None:
    assert court.recover(RECEIPT, SIGNED.signature) != KEY.address


def test_what_the_court_takes_for_no_signature_is_nobodys() -> None:
    r, s, v = SIGNED.signature[:32], SIGNED.signature[32:64], SIGNED.signature[64]
    mirrored = (ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")
    for bad in (
        b"",
        SIGNED.signature[:64],
        SIGNED.signature + b"\x00",
        r + s + bytes([v - 27]),
        r + mirrored + bytes([55 - v]),
        bytes(64) + bytes([v]),
        b"\xff" * 32 + s + bytes([v]),
    ):
        assert COURT.recover(RECEIPT, bad) is None


def test_the_packed_input_is_named_by_the_binding_where_no_digest_is_given() -> None:
    assert RECEIPT.packed_digest == RECEIPT.input_binding
    committed = replace(RECEIPT, input_digest=b"\x03" * 32)
    assert committed.packed_digest == b"\x03" * 32
    assert committed.subject == RECEIPT.subject
    assert replace(RECEIPT, output_digest=b"\x04" * 32).subject != RECEIPT.subject


def test_commitments_hold_who_and_what() -> None:
    salt = b"\x05" * 32
    made = commitment(KEY.address, SIGNED.digest, salt)
    assert made != commitment(COURT.address, SIGNED.digest, salt)
    assert made != commitment(KEY.address, RECEIPT.hash(), salt)
    assert made != commitment(KEY.address, SIGNED.digest, bytes(32))
    assert pair_digest(b"\x01" * 32, b"\x02" * 32) != pair_digest(b"\x02" * 32, b"\x01" * 32)


@settings(max_examples=50, deadline=None)
@given(receipts, st.binary(min_size=65, max_size=65))
def test_json_brings_back_every_bit(receipt: Receipt, signature: bytes) -> None:
    signed = SignedReceipt(COURT, receipt, signature)
    assert parse_receipt(signed.to_json()) == signed
    assert parse_receipt(signed.to_json().encode()).to_json() == signed.to_json()


def wire(*path: str, value: Any = None, drop: bool = False) -> str:
    data = json.loads(SIGNED.to_json())
    place = data
    for name in path[:-1]:
        place = place[name]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        " " * (1 << 15),
        wire("format", value="gateless/receipt/2"),
        wire("more", value="1"),
        wire("receipt", "more", value="1"),
        wire("court", drop=True),
        wire("receipt", "slot", drop=True),
        wire("receipt", "slot", value=7),
        wire("receipt", "slot", value="07"),
        wire("receipt", "slot", value="-7"),
        wire("receipt", "slot", value="7.0"),
        wire("receipt", "slot", value="7\n"),
        wire("receipt", "slot", value=str(2**32)),
        wire("receipt", "price", value=str(2**128)),
        wire("receipt", "inputBinding", value="0x" + "AB" * 32),
        wire("receipt", "inputBinding", value="0x" + "ab" * 31),
        wire("receipt", "executor", value=RECEIPT.executor.lower()),
        wire("receipt", "executor", value=None),
        wire("court", value=COURT.address.lower()),
        wire("court", value=ZERO_ADDRESS),
        wire("signature", value="0x" + "11" * 64),
    ],
)
def test_whatever_is_not_exactly_a_receipt_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_receipt(text)
    assert caught.value.code == "invalid-receipt"
    assert caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"slot": -1},
        {"slot": True},
        {"slot": 2**32},
        {"version_id": 2**64},
        {"input_binding": b""},
        {"executor": "0x" + "e0" * 20},
    ],
)
def test_values_must_fit_their_solidity_types(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        replace(RECEIPT, **changes)
    assert caught.value.code == "invalid-receipt"
