"""Signed requests as JSON: what is read is what was written, and anything else is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from gateless.adapters.chain.offers import Offer, parse_offer
from gateless.core.errors import InputError
from gateless.core.types import RequestParams, SignedRequest, TrustMode

ALICE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
BOB = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
OFFER = Offer(
    chain_id=31337,
    market=BOB,
    signed=SignedRequest(
        requester=ALICE,
        params=RequestParams(
            version_id=(7 << 32) | 3,
            mode=TrustMode.ZK,
            input_digest=bytes(range(32)),
            input_binding=bytes(range(32)),
            max_price=2**127,
            min_price=5,
            ramp_start=1_800_000_000,
            ramp_length=60,
            collateral=1_000_000,
            deadline=1_800_003_600,
            lock_duration=120,
            executor=BOB,
            callback_gas=0,
        ),
        nonce=2**255 + 1,
        input_hint="ipfs://bafkrei",
    ),
    signature=b"\x01" * 65,
    packed_input=b"\x00\xff",
)


@pytest.mark.parametrize("packed", [b"\x00\xff", b"", None])
def test_there_and_back(packed: bytes | None) -> None:
    offer = replace(OFFER, packed_input=packed)
    assert parse_offer(offer.to_json()) == offer
    assert parse_offer(offer.to_json()).request_id == offer.request_id


def changed(path: str, value: Any) -> str:
    data = json.loads(OFFER.to_json())
    place, _, name = path.rpartition(".")
    target = data[place] if place else data
    if value is None:
        del target[name]
    else:
        target[name] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", "gateless/signed-request/2"),
        ("chainId", 31337),
        ("chainId", "031337"),
        ("market", BOB.lower()),
        ("market", "0x12"),
        ("signature", "0xABcd"),
        ("signature", "0x" + "00" * 20_000),
        ("input", "ff"),
        ("surprise", "1"),
        ("signature", None),
        ("request.nonce", None),
        ("request.nonce", str(2**256)),
        ("request.nonce", 1),
        ("request.mode", "4"),
        ("request.mode", "-1"),
        ("request.maxPrice", str(2**128)),
        ("request.maxPrice", "1e3"),
        ("request.requester", ALICE.lower()),
        ("request.inputDigest", "0x" + "AB" * 32),
        ("request.surprise", "1"),
    ],
)
def test_anything_else_is_no_offer(path: str, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        parse_offer(changed(path, value))
    assert caught.value.code == "invalid-signed-request"


@pytest.mark.parametrize("text", ["", "[]", "{}", b"\xff\xfe", "x" * (1 << 21)])
def test_what_is_no_json_is_no_offer(text: str | bytes) -> None:
    with pytest.raises(InputError):
        parse_offer(text)
