"""What requesters sign: the same hashes as the contract and other signers, and its way on chain."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from chain_scenarios import (
    DOLLAR,
    FIXTURES,
    RealModel,
    deposit,
    publish,
    put_up_stake,
    request_params,
)
from gateless.adapters.chain import calls
from gateless.adapters.chain.signed_requests import (
    MEMBERS,
    PRIMARY_TYPE,
    free_nonce,
    market_domain,
    random_nonce,
    request_id_of,
    sign_request,
    struct_hash,
    typed_data,
)
from gateless.core.errors import ContractError
from gateless.core.types import RequestParams, RequestState, SignedRequest, TrustMode
from gateless.devnet import Devnet

VECTORS = json.loads((FIXTURES / "signed_requests.json").read_text(encoding="utf-8"))


def from_case(case: dict[str, Any]) -> SignedRequest:
    def word(name: str) -> bytes:
        return bytes.fromhex(case[name][2:])

    return SignedRequest(
        requester=case["requester"],
        params=RequestParams(
            version_id=int(case["versionId"]),
            mode=TrustMode(int(case["mode"])),
            input_digest=word("inputDigest"),
            input_binding=word("inputBinding"),
            max_price=int(case["maxPrice"]),
            collateral=int(case["collateral"]),
            deadline=int(case["deadline"]),
            lock_duration=int(case["lockDuration"]),
            executor=case["executor"],
            callback=case["callback"],
            callback_gas=int(case["callbackGas"]),
            min_price=int(case["minPrice"]),
            ramp_start=int(case["rampStart"]),
            ramp_length=int(case["rampLength"]),
        ),
        nonce=int(case["nonce"]),
        input_hint=case["inputHint"],
    )


def test_the_type_is_that_of_the_vectors() -> None:
    assert VECTORS["version"] == 1
    assert VECTORS["primaryType"] == PRIMARY_TYPE
    members = [{"name": name, "type": kind} for name, kind in MEMBERS]
    assert VECTORS["types"] == {PRIMARY_TYPE: members}
    domain = VECTORS["domain"]
    assert market_domain(domain["chainId"], domain["verifyingContract"]) == domain


@pytest.mark.parametrize("case", VECTORS["cases"])
def test_hashes_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    signed = from_case(case)
    assert "0x" + struct_hash(signed).hex() == case["structHash"]
    assert request_id_of(signed, VECTORS["domain"]) == int(case["digest"], 16)


def test_what_a_wallet_signs_is_the_request() -> None:
    signed = from_case(VECTORS["cases"][1])
    data = typed_data(signed, VECTORS["domain"])
    assert list(data.message) == [name for name, _ in MEMBERS]
    assert data.message["inputHint"] == signed.input_hint
    assert data.message["nonce"] == 770


async def test_free_nonces_are_none_that_were_signed_with(isolated_devnet: Devnet) -> None:
    account = isolated_devnet.signers["user"].address
    signed = set(range(256)) - {77}
    assert await free_nonce(isolated_devnet.client, account, signed) == 77
    assert await free_nonce(isolated_devnet.client, account, signed | {77}) in range(256, 512)


def test_random_nonces_differ() -> None:
    assert random_nonce() != random_nonce()


async def test_a_signed_request_is_locked_and_paid(
    isolated_devnet: Devnet, model: RealModel
) -> None:
    net = isolated_devnet
    market, user = net.client.market, net.signers["user"]
    version_id = await publish(net, model, "by-signature")
    await deposit(net, "user", 5 * DOLLAR)
    await put_up_stake(net, 10 * DOLLAR)
    params = await request_params(net, model, version_id)
    signed = SignedRequest(user.address, params, await free_nonce(net.client, user.address))
    request_id, signature = await sign_request(net.client, user, signed)
    before = await net.client.native_balance(user.address)

    receipt = await net.sender("executor").send(calls.lock_signed(signed, signature, 30, DOLLAR))
    assert int(receipt.event("RequestLocked").args["requestId"]) == request_id
    assert int(receipt.event("RequestCreated").args["requestId"]) == request_id
    info = await market.request(request_id)
    assert (info.state, info.requester, info.price) == (
        RequestState.LOCKED,
        user.address,
        2 * DOLLAR,
    )
    assert await market.balance_of(user.address) == 3 * DOLLAR
    packed, _, output, proof = model.case(0)
    await net.sender("executor").send(calls.fulfill(request_id, 0, packed, output, proof))
    assert (await market.request(request_id)).state is RequestState.PAID
    assert await net.client.native_balance(user.address) == before  # no gas


async def test_locked_and_answered_in_one_transaction(
    isolated_devnet: Devnet, model: RealModel
) -> None:
    net = isolated_devnet
    user, executor = net.signers["user"], net.signers["executor"]
    version_id = await publish(net, model, "at-once")
    await deposit(net, "user", 5 * DOLLAR)
    await put_up_stake(net, 10 * DOLLAR)
    params = await request_params(net, model, version_id, executor=executor.address)
    signed = SignedRequest(user.address, params, 1)
    request_id, signature = await sign_request(net.client, user, signed)
    packed, _, output, proof = model.case(0)
    call = calls.lock_signed_and_fulfill(signed, signature, 0, packed, output, proof)
    receipt = await net.sender("executor").send(call)
    assert int(receipt.event("RequestFulfilled").args["requestId"]) == request_id


async def test_a_batch_leaves_out_what_fails(isolated_devnet: Devnet, model: RealModel) -> None:
    net = isolated_devnet
    user = net.signers["user"]
    version_id = await publish(net, model, "batched-locks")
    await deposit(net, "user", 5 * DOLLAR)
    await put_up_stake(net, 10 * DOLLAR)
    params = await request_params(net, model, version_id)
    offers = []
    for nonce in (3, 4, 5):
        signed = SignedRequest(user.address, params, nonce)
        offers.append((signed, *await sign_request(net.client, user, signed)))
    await net.sender("user").send(calls.cancel_nonces(0, 1 << 3))
    assert await net.client.market.nonce_word(user.address, 0) == 1 << 3
    locks = [calls.lock_signed(signed, signature) for signed, _, signature in offers]
    receipt = await net.sender("executor").send(calls.lock_many(locks))
    skipped = [event for event in receipt.logs if event.name == "LockSkipped"]
    assert [event.args["index"] for event in skipped] == [0]
    locked = [event.args["requestId"] for event in receipt.logs if event.name == "RequestLocked"]
    assert locked == [request_id for _, request_id, _ in offers[1:]]


async def test_what_was_not_signed_is_refused(isolated_devnet: Devnet, model: RealModel) -> None:
    net = isolated_devnet
    user = net.signers["user"]
    version_id = await publish(net, model, "forged")
    await deposit(net, "user", 5 * DOLLAR)
    await put_up_stake(net, 10 * DOLLAR)
    signed = SignedRequest(user.address, await request_params(net, model, version_id), 1)
    _, signature = await sign_request(net.client, user, signed)
    dearer = replace(signed, params=replace(signed.params, max_price=3 * DOLLAR))
    with pytest.raises(ContractError) as info:
        await net.sender("executor").send(calls.lock_signed(dearer, signature))
    assert info.value.code == "inference-market-invalid-signature"
    await net.sender("executor").send(calls.lock_signed(signed, signature))
    with pytest.raises(ContractError) as info:
        await net.sender("executor").send(calls.lock_signed(signed, signature))
    assert info.value.code == "inference-market-nonce-used"


async def test_a_rising_price_is_read_and_locked(isolated_devnet: Devnet, model: RealModel) -> None:
    net = isolated_devnet
    version_id = await publish(net, model, "rising")
    await deposit(net, "user", 5 * DOLLAR)
    await put_up_stake(net, 10 * DOLLAR)
    now = (await net.client.block("pending")).timestamp
    params = await request_params(
        net, model, version_id, min_price=DOLLAR, ramp_start=now, ramp_length=500
    )
    created = await net.sender("user").send(calls.request(params, b"", ""))
    request_id = int(created.event("RequestCreated").args["requestId"])
    info = await net.client.market.request(request_id)
    assert (info.price, info.max_price, info.min_price) == (2 * DOLLAR, 2 * DOLLAR, DOLLAR)
    assert info.price_at(now) == DOLLAR
    assert info.price_at(now + 250) == DOLLAR * 3 // 2
    assert info.price_at(now + 500) == 2 * DOLLAR
    receipt = await net.sender("executor").send(calls.lock(info, 0, DOLLAR))
    block = await net.client.block(receipt.block_number)
    price = int(receipt.event("RequestLocked").args["price"])
    assert price == info.price_at(block.timestamp)
    assert await net.client.market.balance_of(net.signers["user"].address) == 5 * DOLLAR - price
    assert (await net.client.market.request(request_id)).price == price
