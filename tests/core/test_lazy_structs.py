"""The lazy market's structs: their values fit Solidity's types, and hash as the contract hashes."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from gateless.core.errors import InputError
from gateless.core.lazy import LazyClaim, LazyDispute, LazyLock, LazyRequest, lazy_commitment

SOMEONE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
ANOTHER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
CLAIM = LazyClaim(
    request_id=2**255 + 7,
    version_id=1 << 32,
    requester=SOMEONE,
    executor=ANOTHER,
    input_binding=keccak(b"input"),
    input_digest=keccak(b"input"),
    output_digest=keccak(b"output"),
    price=5,
    royalty_bps=500,
    collateral=20,
    challenge_deadline=1_900_000_000,
    response_window=300,
    audit_bps=100,
    answered_block=9,
    callback="0x" + 40 * "0",
    callback_gas=0,
)


@pytest.mark.parametrize("kind", [LazyRequest, LazyLock, LazyClaim, LazyDispute])
def test_members_are_the_attributes_in_order(kind: Any) -> None:
    def snake(name: str) -> str:
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)

    assert [snake(name) for name, _ in kind.MEMBERS] == [entry.name for entry in fields(kind)]


def test_a_struct_comes_back_from_its_values() -> None:
    assert LazyClaim.of_struct(CLAIM.struct()) == CLAIM


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price", 1 << 128),
        ("price", -1),
        ("price", True),
        ("audit_bps", 1 << 16),
        ("executor", ANOTHER.lower()),
        ("output_digest", b"\x00" * 31),
        ("request_id", 1 << 256),
    ],
)
def test_what_does_not_fit_its_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        replace(CLAIM, **{name: value})
    assert caught.value.code == "invalid-struct"


def test_every_member_is_in_a_claims_hash_and_in_a_commitment() -> None:
    salt = keccak(b"salt")
    seen = {CLAIM.hash()}
    for entry in fields(LazyClaim):
        before = getattr(CLAIM, entry.name)
        if isinstance(before, bytes):
            after: Any = keccak(before)
        elif isinstance(before, int):
            after = before + 1
        else:
            after = SOMEONE if before != SOMEONE else ANOTHER
        seen.add(replace(CLAIM, **{entry.name: after}).hash())
    assert len(seen) == 1 + len(fields(LazyClaim))
    words = encode(
        ["address", "address", "bytes32", "bytes32"], [SOMEONE, ANOTHER, CLAIM.hash(), salt]
    )
    assert lazy_commitment(SOMEONE, ANOTHER, CLAIM, salt) == keccak(words)
