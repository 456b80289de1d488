"""A doubted receipt, from the challenge to the money, through the SDK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from court_fixtures import BOND, CHALLENGE_BOND, DOLLAR, PRICE, CourtNetwork
from eth_utils.crypto import keccak
from gateless.adapters.chain import court_calls
from gateless.core.claims import ClaimState
from gateless.core.errors import ChainError, ContractError, FundsError, InputError, NotFoundError
from gateless.sdk import AsyncGateless, Step
from gateless.sdk.tensors import pack_inputs
from gateless_proofs import KeyCache, Prover
from market_fixtures import ROW, MakeServed

PACKED = b"the packed input"
LIE = {"input_binding": keccak(PACKED), "output_digest": keccak(b"a lie")}


@pytest_asyncio.fixture
async def user(court_network: CourtNetwork, tmp_path: Path) -> AsyncIterator[AsyncGateless]:
    """The client of the challenger: 500 in the wallet, nothing at the court."""
    net = court_network
    async with await AsyncGateless.connect(
        net.deployment, signer=net.challenger, home=tmp_path
    ) as client:
        yield client


async def test_a_lie_costs_the_bond_and_the_harmed_are_paid(
    court_network: CourtNetwork, user: AsyncGateless
) -> None:
    net = court_network
    limits = await net.client.court.limits()
    before = (await user.balances()).wallet
    steps: list[Step] = []
    challenge = await user.challenge_receipt(await net.signed(**LIE), PACKED, progress=steps.append)
    claim = challenge.claim
    assert (claim.state, claim.beneficiary) == (ClaimState.OPEN, net.challenger.address)
    assert [entry.label.split()[0] for entry in challenge.transactions] == [
        "deposit",
        "announce",
        "challenge",
    ]
    assert "committed" in {step.stage for step in steps}
    assert (await user.balances()).wallet == before - limits.max_challenge_bond
    assert await user.court_balance() == limits.max_challenge_bond - CHALLENGE_BOND
    with pytest.raises(ChainError) as caught:
        await user.wait_claim(claim.claim_id, patience=0)
    assert caught.value.code == "wait-timeout"
    with pytest.raises(ContractError) as early:
        await user.slash_claim(claim.claim_id)
    assert early.value.code == "receipt-court-not-overdue"

    await net.devnet.control.advance(claim.deadline - await net.now() + 1)
    assert (await user.wait_claim(claim.claim_id)).state is ClaimState.OPEN
    end = await user.slash_claim(claim.claim_id)
    reward = BOND * limits.reward_bps // 10_000
    assert end.claim.state is ClaimState.SLASHED
    assert (end.compensation, end.reward) == (PRICE, reward)
    assert end.compensation + end.reward + end.burned == BOND
    assert (await user.withdraw_compensations()).amount == PRICE + reward
    assert (await user.withdraw_from_court()).amount == limits.max_challenge_bond
    assert (await user.balances()).wallet == before + PRICE + reward
    with pytest.raises(FundsError) as empty:
        await user.withdraw_from_court()
    assert empty.value.code == "nothing-to-withdraw"
    assert (await user.wait_claim(claim.claim_id)).state is ClaimState.SLASHED


async def test_a_true_receipt_is_proven_and_costs_the_challenger(
    court_network: CourtNetwork, user: AsyncGateless, make_served: MakeServed
) -> None:
    net, served = court_network, await make_served("receipt-true")
    packed = pack_inputs(served.bundle.manifest, ROW)
    proof = await Prover(KeyCache(served.executor.home / "cache")).prove(served.bundle, packed)
    said = {
        "version_id": served.published.version_id,
        "input_binding": keccak(packed),
        "output_digest": keccak(proof.packed_output),
    }
    before = (await user.balances()).wallet
    challenge = await user.challenge_receipt(await net.signed(**said), packed)
    claim_id = challenge.claim.claim_id
    waiting = asyncio.create_task(user.wait_claim(claim_id))
    answer = court_calls.respond([claim_id], 0, packed, proof.packed_output, proof.proof)
    await net.sender(net.executor).send(answer)
    assert (await waiting).state is ClaimState.PROVEN
    await user.withdraw_from_court()
    assert (await user.balances()).wallet == before - CHALLENGE_BOND
    with pytest.raises(InputError) as caught:
        await user.challenge_receipt(await net.signed(**said, slot=1), packed)
    assert caught.value.code == "receipt-proven"


async def test_what_the_court_would_refuse_is_not_sent(
    court_network: CourtNetwork, user: AsyncGateless
) -> None:
    net = court_network
    good = await net.signed(**LIE)
    count = await net.client.court.claim_count()
    before = (await user.balances()).wallet
    foreign = good.court.__class__(1, good.court.address)
    for signed, packed, code in (
        (good, PACKED + b"!", "receipt-other-input"),
        (await net.signed(**LIE, slot=1000), PACKED, "receipt-beyond-capacity"),
        (good.__class__(foreign, good.receipt, good.signature), PACKED, "receipt-other-court"),
    ):
        with pytest.raises(InputError) as caught:
            await user.challenge_receipt(signed, packed)
        assert caught.value.code == code
    with pytest.raises(InputError) as same:
        await user.report_equivocation(good, good)
    assert same.value.code == "no-equivocation"
    with pytest.raises(InputError) as apart:
        await user.report_equivocation(good, await net.signed(**LIE, slot=1))
    assert apart.value.code == "no-equivocation"
    assert await net.client.court.claim_count() == count
    assert (await user.balances()).wallet == before
    with pytest.raises(NotFoundError):
        await user.claim(count + 1)


async def test_a_commitment_that_cannot_be_opened_is_taken_back(
    court_network: CourtNetwork, user: AsyncGateless
) -> None:
    """The receipt dies between the commitment and its opening."""
    net = court_network
    signed = await net.signed(**LIE, expires=await net.now() + 600)
    most = (await net.client.court.limits()).max_challenge_bond

    def progress(step: Step) -> None:
        if step.stage == "committed":
            for method, values in (("evm_increaseTime", [3600]), ("evm_mine", [])):
                body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": values}
                assert "result" in httpx.post(net.deployment.rpc_url, json=body).json()

    with pytest.raises(ContractError) as caught:
        await user.challenge_receipt(signed, PACKED, progress=progress)
    assert caught.value.code == "receipt-court-invalid-receipt"
    assert "expired" in caught.value.message
    assert await user.court_balance() == most


async def test_two_receipts_for_one_slot_are_reported(
    court_network: CourtNetwork, user: AsyncGateless
) -> None:
    net = court_network
    first, second = await net.signed(**LIE), await net.signed(**LIE, price=2 * DOLLAR)
    report = await user.report_equivocation(first, second)
    assert report.claim.state is ClaimState.REPORTED
    assert (await net.pool()).reporter == net.challenger.address
    # The bond is back at once.
    assert await user.court_balance() == (await net.client.court.limits()).max_challenge_bond


async def test_a_commitment_of_an_interrupted_run_comes_back(
    court_network: CourtNetwork, user: AsyncGateless
) -> None:
    net = court_network
    most = (await net.client.court.limits()).max_challenge_bond
    await net.deposit(net.challenger, most)
    sent = await net.sender(net.challenger).send(court_calls.commit(keccak(b"forgotten")))
    claim_id = int(sent.event("Committed").args["claimId"])
    assert (await user.claim(claim_id)).state is ClaimState.COMMITTED
    assert await user.court_balance() == 0
    await user.withdraw_commitment(claim_id)
    assert await user.court_balance() == most
