"""Lazy requests: what is signed, and how it travels."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from gateless.adapters.chain.lazy_requests import (
    TYPE_TEXT,
    LazyOffer,
    lazy_domain,
    lazy_typed_data,
    parse_lazy_offer,
    sign_lazy_request,
)
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import InputError
from gateless.core.lazy import LazyClaim, LazyRequest
from gateless.core.types import ZERO_ADDRESS

MARKET = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
REQUEST = LazyRequest(
    requester="0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    version_id=(7 << 32) | 3,
    input_digest=bytes(range(32)),
    input_binding=bytes(range(32)),
    max_price=10**6,
    min_price=10,
    ramp_start=1_800_000_000,
    ramp_length=60,
    collateral=10**6,
    deadline=1_800_003_600,
    lock_duration=60,
    challenge_window=600,
    response_window=900,
    audit_bps=100,
    executor=ZERO_ADDRESS,
    callback=ZERO_ADDRESS,
    callback_gas=0,
    nonce=2**255,
    input_hint="ipfs://bafkrei",
)


def test_the_type_is_the_contracts() -> None:
    assert TYPE_TEXT == (
        "LazyInferenceRequest(address requester,uint64 versionId,bytes32 inputDigest,"
        "bytes32 inputBinding,uint128 maxPrice,uint128 minPrice,uint64 rampStart,"
        "uint32 rampLength,uint128 collateral,uint64 deadline,uint32 lockDuration,"
        "uint32 challengeWindow,uint32 responseWindow,uint16 auditBps,address executor,"
        "address callback,uint32 callbackGas,uint256 nonce,string inputHint)"
    )


async def test_the_id_is_the_digest_that_is_signed() -> None:
    signer = LocalSigner.random()
    offer = await sign_lazy_request(signer, REQUEST, 31337, MARKET)
    data = lazy_typed_data(REQUEST, lazy_domain(31337, MARKET))
    message = encode_typed_data(dict(data.domain), dict(data.types), dict(data.message))
    assert Account.recover_message(message, signature=offer.signature) == signer.address
    assert offer.request_id != replace(offer, chain_id=1).request_id
    digest = Account._recover_hash(offer.request_id.to_bytes(32), signature=offer.signature)
    assert digest == signer.address


@pytest.mark.parametrize("packed", [b"\x00\xff", None])
def test_there_and_back(packed: bytes | None) -> None:
    offer = LazyOffer(31337, MARKET, REQUEST, b"\x01" * 65, packed)
    assert parse_lazy_offer(offer.to_json()) == offer


@pytest.mark.parametrize(
    ("name", "value"),
    [("auditBps", "65536"), ("collateral", str(2**128)), ("callback", "0x12"), ("nonce", "-1")],
)
def test_values_have_their_types(name: str, value: str) -> None:
    data = json.loads(LazyOffer(31337, MARKET, REQUEST, b"\x01" * 65).to_json())
    data["request"][name] = value
    with pytest.raises(InputError) as caught:
        parse_lazy_offer(json.dumps(data))
    assert caught.value.code == "invalid-signed-request"


def test_prices_rise_along_the_ramp() -> None:
    assert REQUEST.price_at(1_800_000_000) == 10
    assert REQUEST.price_at(1_800_000_060) == 10**6
    assert replace(REQUEST, ramp_length=0).price_at(0) == 10**6


def test_claims_of_one_subject() -> None:
    claim = LazyClaim(
        *(1, 2, REQUEST.requester, MARKET, bytes(32), bytes(32), bytes(32)),
        *(5, 100, 7, 8, 9, 10, 11, ZERO_ADDRESS, 0),
    )
    other = replace(claim, request_id=2, price=6)
    assert claim.subject == other.subject and claim.hash() != other.hash()
    assert LazyClaim.of_struct(claim.struct()) == claim
    with pytest.raises(InputError) as caught:
        replace(claim, price=2**128)
    assert caught.value.code == "invalid-struct"
