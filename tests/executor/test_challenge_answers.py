"""A running executor keeps its bonds: it signs what it can prove, and proves what is doubted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from eth_utils.crypto import keccak
from executor_fixtures import Running, config_of, running
from gateless.adapters.signer import LocalSigner
from gateless.core.claims import ClaimState, PoolState
from gateless.core.errors import GatelessError, ProofError
from gateless.core.receipts import SignedReceipt
from gateless.devnet import Devnet
from gateless.executor import ReceiptsConfig
from gateless.executor.journal_claims import ClaimStanding
from gateless.executor.receipts.desk import ReceiptDesk
from gateless.sdk import PoolTerms
from gateless.sdk.tensors import pack_inputs
from gateless_proofs import Bundle, KeyCache, Proof, Prover, Witness
from market_fixtures import ROW, Account, MakeAccount, MakeServed, Served, fund
from patience import eventually

DOLLAR = 1_000_000
TERMS = PoolTerms(bond=10 * DOLLAR, capacity=4, challenge_bond=2 * DOLLAR)
RECEIPTS = ReceiptsConfig(
    bond=TERMS.bond,
    capacity=TERMS.capacity,
    challenge_bond=TERMS.challenge_bond,
    tend_seconds=0.2,
)


@dataclass(frozen=True)
class Signing:
    """A running executor that signs receipts."""

    run: Running
    served: Served
    key: LocalSigner
    desk: ReceiptDesk

    async def signed(self, beneficiary: str, number: int, row: list[float] = ROW) -> SignedReceipt:
        answer = await self.desk.answer(
            self.served.published.version_id,
            pack_inputs(self.served.bundle.manifest, row),
            beneficiary,
            keccak(number.to_bytes(32)),
        )
        return answer.receipt


async def backed(devnet: Devnet, executor: Account, key: LocalSigner, epochs: int = 1) -> None:
    """Stake for the court, a published receipt key, and pools."""
    await fund(devnet, executor.address, 500)
    await executor.client.back_receipts(TERMS, epochs=epochs, receipt_key=key.address)


@asynccontextmanager
async def signing(
    devnet: Devnet, served: Served, key: LocalSigner, prover: Prover | None = None
) -> AsyncIterator[Signing]:
    config = config_of(served.executor, receipts=RECEIPTS)
    async with running(devnet, served.executor, config, receipt_key=key, prover=prover) as run:
        desk = run.executor.receipts.desk
        assert desk is not None
        yield Signing(run, served, key, desk)


async def proven(account: Account, *claim_ids: int) -> None:
    async def all_proven() -> bool:
        claims = [await account.client.claim(claim_id) for claim_id in claim_ids]
        return all(claim.state is ClaimState.PROVEN for claim in claims)

    await eventually(f"claims {claim_ids} are proven", all_proven)


async def test_challenges_are_answered(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served, user, doubter = await make_served("doubted"), await make_account(), await make_account()
    key = LocalSigner.random()
    await backed(isolated_devnet, served.executor, key, epochs=2)
    packed = pack_inputs(served.bundle.manifest, ROW)
    async with signing(isolated_devnet, served, key) as up:
        same = [await up.signed(user.address, number) for number in range(2)]
        other = await up.signed(user.address, 2, [0.0, 0.5, -0.5, 1.0])
        assert [entry.receipt.slot for entry in (*same, other)] == [0, 1, 2]
        # Asked again, a question has the receipt that it had.
        assert await up.signed(user.address, 0) == same[0]
        first = await doubter.client.challenge_receipt(same[0], packed)
        await proven(doubter, first.claim.claim_id)
        claim = await doubter.client.challenge_receipt(
            other, pack_inputs(served.bundle.manifest, [0.0, 0.5, -0.5, 1.0])
        )
        await proven(doubter, claim.claim.claim_id)

        async def written_down() -> bool:
            return (await up.run.journal.claim_counts()) == {ClaimStanding.PROVEN: 2}

        await eventually("the journal says so", written_down)
        await up.run.has_problems()
        intents = [entry.kind for entry in await up.run.journal.intents()]
        assert intents.count("respond") == 2


async def test_equal_claims_share_a_response(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served, user, doubter = await make_served("equal"), await make_account(), await make_account()
    key = LocalSigner.random()
    await backed(isolated_devnet, served.executor, key, epochs=2)
    packed = pack_inputs(served.bundle.manifest, ROW)
    async with signing(isolated_devnet, served, key) as up:
        receipts = [await up.signed(user.address, number) for number in range(3)]
    # Nobody is there while they are challenged; whoever comes back finds them all.
    ids = [
        (await doubter.client.challenge_receipt(signed, packed)).claim.claim_id
        for signed in receipts
    ]
    async with signing(isolated_devnet, served, key) as up:
        await proven(doubter, *ids)
        responses = [e for e in await up.run.journal.intents() if e.kind == "respond"]
        assert len(responses) == 1


async def test_a_lie_is_not_defended_and_ends_signing(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served, user, doubter = await make_served("liar"), await make_account(), await make_account()
    key = LocalSigner.random()
    await backed(isolated_devnet, served.executor, key, epochs=2)
    packed = pack_inputs(served.bundle.manifest, ROW)
    async with signing(isolated_devnet, served, key) as up:
        signed = await up.signed(user.address, 1)
        lie = replace(signed.receipt, output_digest=keccak(b"a lie"), slot=3)
        stolen = await SignedReceipt.sign(signed.court, lie, key)
        claim = (await doubter.client.challenge_receipt(stolen, packed)).claim
        await up.run.has_problems("version-halted")
        (kept,) = await up.run.journal.claims_of(lie.subject)
        assert (kept.standing, kept.reason) == (ClaimStanding.INDEFENSIBLE, "receipt-indefensible")
        assert (await doubter.client.claim(claim.claim_id)).state is ClaimState.OPEN


class Forging(Prover):
    """Proves something else than what is asked: as a key that is not the circuit's would."""

    async def prove(self, bundle: Bundle, packed_input: bytes, *rest: Any, **options: Any) -> Proof:
        proof = await super().prove(bundle, packed_input, *rest, **options)
        return replace(proof, proof=proof.proof[:-1] + bytes([proof.proof[-1] ^ 1]))


class Choking(Prover):
    """Finds no witness: as for an input beyond the range that a circuit has."""

    async def witness(self, bundle: Bundle, packed_input: bytes, circuit_index: int = 0) -> Witness:
        raise ProofError("input-not-provable", "a value is out of the circuit's range")


@pytest.mark.parametrize(
    ("kind", "code"), [(Forging, "zk-verifier-proof-rejected"), (Choking, "input-not-provable")]
)
async def test_nothing_is_signed_that_could_not_be_proven(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    kind: type[Prover],
    code: str,
) -> None:
    served, user, key = await make_served("poisoned"), await make_account(), LocalSigner.random()
    await backed(isolated_devnet, served.executor, key, epochs=2)
    prover = kind(KeyCache(served.executor.home / "cache"))
    async with signing(isolated_devnet, served, key, prover) as up:
        with pytest.raises(GatelessError) as caught:
            await up.signed(user.address, 1)
        assert caught.value.code == code
        terms = await up.desk.terms()
        assert (terms.problem, terms.free_slots) == ("", TERMS.capacity)


async def test_pools_are_opened_ahead_and_let_go(
    isolated_devnet: Devnet, make_served: MakeServed
) -> None:
    served, key = await make_served("pools"), LocalSigner.random()
    executor, chain = served.executor, served.executor.client.chain
    # Enough for three pools, one of which is open.
    await backed(isolated_devnet, executor, key)
    await executor.client.stake(0)
    await fund(isolated_devnet, executor.address, 500)
    limits = await chain.court.limits()

    async def states(first: int, count: int) -> list[PoolState]:
        epochs = range(first, first + count)
        return [(await chain.court.pool(executor.address, epoch)).state for epoch in epochs]

    current = limits.epoch_at((await chain.block("pending")).timestamp)
    async with signing(isolated_devnet, served, key) as up:
        (problem,) = await up.run.has_problems("receipt-stake-too-low")
        # What to do about it is a whole command.
        bond = f"{TERMS.bond // 10**6}.00"
        assert f"receipt back --bond {bond} --capacity {TERMS.capacity} " in problem.hint
        await executor.client.back_receipts(TERMS, epochs=2, receipt_key=key.address)
        await up.run.has_problems()
        assert await states(current, 3) == [PoolState.OPEN, PoolState.OPEN, PoolState.NONE]
        pool = await chain.court.pool(executor.address, current + 1)
        ahead = pool.releasable_at - (await chain.block("pending")).timestamp
        await isolated_devnet.control.advance(ahead)

        async def released() -> bool:
            return await states(current, 2) == [PoolState.RELEASED, PoolState.RELEASED]

        await eventually("the old pools are released", released)
        now = limits.epoch_at((await chain.block("pending")).timestamp)

        async def opened() -> bool:
            return await states(now, 2) == [PoolState.OPEN, PoolState.OPEN]

        await eventually("pools of the new epochs are open, from the same stake", opened)

        async def forgotten() -> bool:
            return await up.run.journal.pooled_epochs() == [now, now + 1]

        await eventually("the journal knows of no others", forgotten)
