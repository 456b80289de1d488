"""The court through its typed reader and calls, against the real contract and real proofs."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from chain_scenarios import RealModel, publish
from court_fixtures import BOND, CAPACITY, CHALLENGE_BOND, DOLLAR, PRICE, SALT, STAKE, CourtNetwork
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from gateless.adapters.chain import calls, court_calls
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.permit import sign_permit
from gateless.core.claims import ClaimQueue, ClaimState, PoolState, ReceiptFlaw, SlotState
from gateless.core.errors import ConfigError, ContractError, FundsError, NotFoundError
from gateless.core.receipts import MEMBERS, SignedReceipt, commitment, pair_digest
from gateless.core.types import ZERO_ADDRESS
from gateless.devnet import Devnet


async def opened(
    net: CourtNetwork, signed: SignedReceipt, packed: bytes, salt: bytes = SALT
) -> int:
    """Commits to a challenge and opens it in the next block."""
    sender = net.sender(net.challenger)
    me = net.challenger.address
    sent = await sender.send(court_calls.commit(commitment(me, signed.digest, salt)))
    claim_id = int(sent.event("Committed").args["claimId"])
    await sender.send(court_calls.challenge(claim_id, signed, packed, salt))
    return claim_id


async def test_a_network_without_a_court_says_so(devnet: Devnet) -> None:
    contracts = {k: v for k, v in devnet.deployment.contracts.items() if k != court_calls.COURT}
    async with await ChainClient.connect(replace(devnet.deployment, contracts=contracts)) as client:
        with pytest.raises(ConfigError) as caught:
            _ = client.court
    assert caught.value.code == "unknown-contract"


async def test_hashes_are_the_courts_own(court_network: CourtNetwork) -> None:
    court = court_network.client.court
    stated = await court.call("eip712Domain")
    assert {name: stated[name] for name in court.court.domain} == court.court.domain
    receipt = await court_network.receipt()
    variants = [receipt]
    for member, (_, kind) in zip(fields(receipt), MEMBERS, strict=True):
        most = {
            "address": to_checksum_address("0x" + "ff" * 20),
            "bytes32": b"\xff" * 32,
        }.get(kind)
        value = most if most is not None else (1 << int(kind[4:])) - 1
        variants.append(replace(receipt, **{member.name: value}))
    digests = [await court.digest(variant) for variant in variants]
    assert digests == [court.court.digest(variant) for variant in variants]
    assert len(set(digests)) == len(variants)
    who = court_network.challenger.address
    first, second = digests[:2]
    assert await court.call("commitmentOf", who, first, SALT) == commitment(who, first, SALT)
    assert await court.call("pairDigestOf", first, second) == pair_digest(first, second)


async def test_pools_and_slots_read_back(court_network: CourtNetwork) -> None:
    net = court_network
    limits = await net.client.court.limits()
    assert limits.max_capacity >= CAPACITY
    assert 0 < limits.min_challenge_bond <= limits.max_challenge_bond
    pool = await net.pool()
    assert (pool.state, pool.receipt_key) == (PoolState.OPEN, net.receipt_key.address)
    assert (pool.bond, pool.challenge_bond, pool.capacity) == (BOND, CHALLENGE_BOND, CAPACITY)
    assert (pool.slashed_slots, pool.open_claims, pool.reporter) == (0, 0, None)
    assert (pool.locked, pool.in_exit) == (BOND * CAPACITY, False)
    assert pool.starts == net.epoch * limits.epoch_length
    assert pool.ends == pool.starts + limits.epoch_length
    assert pool.releasable_at == pool.ends + limits.max_receipt_life
    court, who = net.client.court, net.executor.address
    assert await court.slot(who, net.epoch, CAPACITY - 1) is SlotState.INTACT
    assert await court.slot(who, net.epoch, CAPACITY) is SlotState.WORTHLESS
    assert (await court.pool(who, net.epoch + 2)).state is PoolState.NONE

    sender = net.sender(net.executor)
    await sender.send(court_calls.grow_pool(net.epoch, 2))
    assert (await net.pool()).capacity == CAPACITY + 2
    await sender.send(court_calls.close_pool(net.epoch + 1))
    assert (await court.pool(who, net.epoch + 1)).state is PoolState.NONE
    await sender.send(calls.request_exit(court.address, STAKE))
    assert (await net.pool()).in_exit
    with pytest.raises(ContractError) as early:
        await sender.send(court_calls.release_pool(who, net.epoch))
    assert early.value.code == "receipt-court-pool-still-needed"
    await net.devnet.control.advance(pool.releasable_at - await net.now())
    await sender.send(court_calls.release_pool(who, net.epoch))
    assert (await net.pool()).state is PoolState.RELEASED


async def test_flaws_are_named(court_network: CourtNetwork) -> None:
    net, court = court_network, court_network.client.court
    now = await net.now()
    life = (await court.limits()).max_receipt_life
    assert await court.flaw(await net.signed()) is ReceiptFlaw.NONE
    for flaw, changes in (
        (ReceiptFlaw.NO_POOL, {"epoch": net.epoch + 2}),
        (ReceiptFlaw.BEYOND_CAPACITY, {"slot": CAPACITY}),
        (ReceiptFlaw.OTHER_BOND, {"bond": BOND - 1}),
        (ReceiptFlaw.OTHER_EPOCH, {"epoch": net.epoch + 1}),
        (ReceiptFlaw.NOT_YET_ISSUED, {"issued": now + 1000, "expires": now + 1000}),
        (ReceiptFlaw.LIFE_OUT_OF_RANGE, {"expires": now + life + 1, "issued": now}),
    ):
        assert await court.flaw(await net.signed(**changes)) is flaw
    receipt = await net.receipt()
    foreign = await SignedReceipt.sign(court.court, receipt, net.executor)
    assert await court.flaw(foreign) is ReceiptFlaw.FOREIGN_SIGNATURE
    short = await net.signed(expires=now + 10, issued=now)
    await net.devnet.control.advance(60)
    assert await court.flaw(short) is ReceiptFlaw.EXPIRED


async def test_money_goes_in_and_out(court_network: CourtNetwork) -> None:
    net, court = court_network, court_network.client.court
    me, sender = net.challenger.address, net.sender(net.challenger)
    await net.deposit(net.challenger, 3 * DOLLAR)
    permit = await sign_permit(
        net.client, net.challenger, court.address, 2 * DOLLAR, await net.now() + 600
    )
    await sender.send(court_calls.deposit_with_permit(permit))
    assert await court.balance_of(me) == 5 * DOLLAR
    with pytest.raises(FundsError) as caught:
        await sender.send(court_calls.withdraw(6 * DOLLAR, me))
    assert caught.value.code == "receipt-court-insufficient-balance"
    assert caught.value.context["missing"] == DOLLAR
    await sender.send(court_calls.withdraw(5 * DOLLAR, me))
    assert await court.balance_of(me) == 0


async def test_a_true_receipt_is_proven_and_the_challenger_pays(
    court_network: CourtNetwork, model: RealModel
) -> None:
    net, court = court_network, court_network.client.court
    version_id = await publish(net.devnet, model, "court-true")
    packed, binding, output, proof = model.case(0)
    said = {"version_id": version_id, "input_binding": binding, "output_digest": keccak(output)}
    signed = await net.signed(**said)
    limits = await court.limits()
    await net.deposit(net.challenger, 2 * limits.max_challenge_bond)
    claim_id = await opened(net, signed, packed)
    again = await opened(net, await net.signed(**said, slot=1), packed)

    claim = await court.claim(claim_id)
    assert (claim.state, claim.challenger) == (ClaimState.OPEN, net.challenger.address)
    assert (claim.subject, claim.version_id) == (signed.receipt.subject, version_id)
    assert (claim.slot, claim.beneficiary, claim.price) == (0, net.challenger.address, PRICE)
    assert claim.pool_id == (await net.pool()).pool_id
    queue = await court.queue(net.executor.address)
    assert queue == ClaimQueue(2, (await court.claim(again)).deadline, 2)
    assert queue.last_deadline == claim.deadline + limits.response_window

    before = await court.balance_of(net.executor.address)
    answer = court_calls.respond([claim_id, again], 0, packed, output, proof)
    sent = await net.sender(net.executor).send(answer)
    assert sum(event.name == "ClaimProven" for event in sent.logs) == 2
    assert (await court.claim(claim_id)).state is ClaimState.PROVEN
    assert await court.is_proven(signed.receipt)
    paid = CHALLENGE_BOND * limits.executor_bps // 10_000
    assert await court.balance_of(net.executor.address) == before + 2 * paid
    assert await court.pending_burn() == 2 * (CHALLENGE_BOND - paid)
    await net.sender(net.executor).send(court_calls.burn())
    assert await court.pending_burn() == 0
    with pytest.raises(ContractError) as caught:
        await opened(net, signed, packed, bytes(32))
    assert caught.value.code == "receipt-court-already-proven"


async def test_a_lie_is_slashed_after_its_deadline(court_network: CourtNetwork) -> None:
    net, court = court_network, court_network.client.court
    signed = await net.signed(input_binding=keccak(b"the input"), slot=3)
    limits = await court.limits()
    await net.deposit(net.challenger, limits.max_challenge_bond)
    claim_id = await opened(net, signed, b"the input")
    with pytest.raises(ContractError) as early:
        await net.sender(net.challenger).send(court_calls.slash(claim_id))
    assert early.value.code == "receipt-court-not-overdue"
    await net.devnet.control.advance((await court.claim(claim_id)).deadline - await net.now() + 1)
    await net.sender(net.challenger).send(court_calls.slash(claim_id))
    assert (await court.claim(claim_id)).state is ClaimState.SLASHED
    assert await court.slot(net.executor.address, net.epoch, 3) is SlotState.SLASHED
    pool = await net.pool()
    assert (pool.slashed_slots, pool.open_claims) == (1, 0)
    assert pool.locked == BOND * (CAPACITY - 1)
    reward = BOND * limits.reward_bps // 10_000
    assert await net.client.staking.credit_of(net.challenger.address) == PRICE + reward
    assert await court.balance_of(net.challenger.address) == limits.max_challenge_bond


async def test_commitments_are_opened_later_or_taken_back(court_network: CourtNetwork) -> None:
    net, court = court_network, court_network.client.court
    limits = await court.limits()
    sender, me = net.sender(net.challenger), net.challenger.address
    await net.deposit(net.challenger, limits.max_challenge_bond)
    made = commitment(me, keccak(b"receipt"), SALT)
    sent = await sender.send(court_calls.commit(made))
    claim_id = int(sent.event("Committed").args["claimId"])
    claim = await court.claim(claim_id)
    assert (claim.state, claim.commitment) == (ClaimState.COMMITTED, made)
    assert claim.committed_block == sent.block_number
    assert claim.deadline == claim.version_id == claim.price == 0
    await sender.send(court_calls.withdraw_commitment(claim_id))
    assert (await court.claim(claim_id)).state is ClaimState.WITHDRAWN
    assert await court.balance_of(me) == limits.max_challenge_bond
    assert await court.claim_count() == claim_id
    with pytest.raises(NotFoundError) as caught:
        await court.claim(claim_id + 1)
    assert caught.value.code == "unknown-claim"


async def test_two_receipts_for_a_slot_forfeit_the_pool(court_network: CourtNetwork) -> None:
    net, court = court_network, court_network.client.court
    limits = await court.limits()
    first, second = await net.signed(price=1), await net.signed(price=2)
    sender, me = net.sender(net.challenger), net.challenger.address
    await net.deposit(net.challenger, limits.max_challenge_bond)
    made = commitment(me, pair_digest(first.digest, second.digest), SALT)
    sent = await sender.send(court_calls.commit(made))
    claim_id = int(sent.event("Committed").args["claimId"])
    await sender.send(court_calls.report_equivocation(claim_id, first, second, SALT))
    assert (await court.claim(claim_id)).state is ClaimState.REPORTED
    assert (await net.pool()).reporter == me
    (event,) = await net.client.events(["Equivocation"], 0)
    assert event.args["firstDigest"] == first.digest
    assert event.args["reporter"] == me != ZERO_ADDRESS
