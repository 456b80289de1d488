"""Asking without gas: signed, locked by an executor, answered and paid from the deposit."""

from __future__ import annotations

import asyncio

import pytest
from eth_utils.crypto import keccak
from gateless.adapters.chain import calls
from gateless.adapters.chain.sender import Sender
from gateless.adapters.storage import parse_hint
from gateless.core.errors import ContractError, FundsError, InputError
from gateless.core.types import RequestState
from gateless.devnet import Devnet
from gateless.sdk import SignedOffer
from gateless_proofs import KeyCache, Prover
from market_fixtures import PRICE, ROW, MakeAccount, MakeServed, Served, with_files

DOLLAR = 1_000_000


async def take(served: Served, offer: SignedOffer) -> None:
    """Locks, proves and fulfils what was signed, with nothing but the offer."""
    sender = Sender(served.executor.client.chain, served.executor.signer)
    await sender.send(calls.lock_signed(offer.signed, offer.signature, 30, PRICE))
    prover = Prover(KeyCache(served.executor.home / "cache"))
    proof = await prover.prove(served.bundle, offer.packed_input)
    await sender.send(
        calls.fulfill(offer.request_id, 0, offer.packed_input, proof.packed_output, proof.proof)
    )


async def test_a_signature_is_enough(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("sign-whole")
    user = await with_files(await make_account(), served)
    await user.client.deposit(DOLLAR)
    gas_money = await devnet.client.native_balance(user.address)
    offer = await user.client.sign(served.name, ROW, price=DOLLAR)
    assert offer.signed.requester == user.address
    assert offer.signed.params.input_digest == keccak(offer.packed_input)
    await take(served, offer)
    result = await user.client.wait(offer.request_id)
    assert (result.price, result.requester) == (DOLLAR, user.address)
    assert await devnet.client.native_balance(user.address) == gas_money
    (listed,) = await user.client.requests()
    assert (listed.info.request_id, listed.info.price) == (offer.request_id, DOLLAR)


async def test_nonces_are_chosen_and_cancelled(
    make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("sign-nonces")
    user = await with_files(await make_account(), served)
    await user.client.deposit(DOLLAR)
    chosen = await user.client.sign(served.name, ROW, nonce=513)
    assert chosen.signed.nonce == 513
    drawn = await user.client.sign(served.name, ROW)
    sent = await user.client.cancel_signed([513, 514, drawn.signed.nonce])
    assert len(sent) == 2  # two words
    for offer in (chosen, drawn):
        with pytest.raises(ContractError) as caught:
            await take(served, offer)
        assert caught.value.code == "inference-market-nonce-used"
    fresh = await user.client.sign(served.name, ROW)
    assert fresh.signed.nonce != drawn.signed.nonce


async def test_requests_signed_at_once_are_no_alternatives(
    make_served: MakeServed, make_account: MakeAccount
) -> None:
    """Of 32 nonces that are drawn from 256 without looking, two are the same nine times in ten."""
    served = await make_served("sign-many")
    user = await with_files(await make_account(), served)
    await user.client.deposit(DOLLAR)
    offers = await asyncio.gather(*(user.client.sign(served.name, ROW) for _ in range(32)))
    assert len({offer.signed.nonce for offer in offers}) == 32


async def test_a_price_that_rises(make_served: MakeServed, make_account: MakeAccount) -> None:
    served = await make_served("sign-rising")
    user = await with_files(await make_account(), served)
    submitted = await user.client.submit(served.name, ROW, price=DOLLAR, min_price=PRICE, ramp=100)
    info = await user.client.request(submitted.request_id)
    assert (info.price, info.min_price, info.ramp_length) == (DOLLAR, PRICE, 100)
    assert info.price_at(info.ramp_start) == PRICE
    assert info.price_at(info.ramp_start + 50) == (PRICE + DOLLAR) // 2
    await served.answer(submitted.request_id)
    result = await user.client.wait(submitted.request_id)
    assert PRICE <= result.price <= DOLLAR
    balances = await user.client.balances()
    assert balances.market == DOLLAR - result.price  # the change
    assert (await user.client.request(submitted.request_id)).state is RequestState.PAID


async def test_large_inputs_are_hinted_at(
    make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("sign-hint")
    user = await with_files(await make_account(), served)
    await user.client.deposit(DOLLAR)
    offer = await user.client.sign(served.name, ROW, input_store="http://127.0.0.1:9")
    assert parse_hint(offer.signed.input_hint) is not None


async def test_what_could_not_be_paid_is_not_signed(
    make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("sign-poor")
    user = await with_files(await make_account(), served)
    with pytest.raises(FundsError) as poor:
        await user.client.sign(served.name, ROW)
    assert poor.value.code == "balance-too-low"


@pytest.mark.parametrize(
    ("code", "terms"),
    [
        ("ramp-without-price", {"ramp": 10}),
        ("min-price-out-of-range", {"price": DOLLAR, "min_price": DOLLAR}),
        ("ramp-out-of-range", {"price": DOLLAR, "min_price": 1, "ramp": 10**6}),
        ("ramp-out-of-range", {"price": DOLLAR, "min_price": 1, "ramp": 0}),
    ],
)
async def test_ramps_that_are_none(
    make_served: MakeServed, make_account: MakeAccount, code: str, terms: dict[str, int]
) -> None:
    served = await make_served(f"sign-{code}-{terms.get('ramp', 'none')}")
    user = await with_files(await make_account(), served)
    with pytest.raises(InputError) as caught:
        await user.client.submit(served.name, ROW, **terms)  # type: ignore[arg-type]
    assert caught.value.code == code
