"""A watchtower and handed receipts: the true one is let be, the lie is challenged and slashed."""

from __future__ import annotations

from gateless.adapters.chain import court_calls
from gateless.core.claims import ClaimState
from gateless.core.handovers import Handover
from gateless.devnet import Devnet
from gateless.watchtower.cases import CaseState
from gateless.watchtower.court import receipt_case
from market_fixtures import MakeAccount, MakeServed, send
from watchtower_fixtures import (
    COMMIT_BOND,
    DOLLAR,
    TERMS,
    put_into,
    reading,
    signing_executor,
    watch_config,
    watching,
    with_bundle,
)


async def test_a_lie_is_slashed_and_a_true_receipt_is_not_challenged(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "watched")
    tower = await with_bundle(await make_account(), says.served)
    true = await says.receipt(says.truth.packed_output, slot=0)
    lie = await says.receipt(says.lie, slot=1)
    inbox = watch_config(tower).inbox
    assert inbox is not None
    put_into(inbox, "true", Handover(true, says.packed, says.truth.packed_output).to_json())
    put_into(inbox, "lie", Handover(lie, says.packed).to_json())
    async with watching(devnet, tower) as watch:
        await watch.reaches(true.digest, CaseState.RIGHT)
        case = await watch.reaches(lie.digest, CaseState.OPEN)
        assert case.bond == TERMS.challenge_bond
        await devnet.control.advance(case.deadline - (await says.chain.block()).timestamp + 1)
        ended = await watch.reaches(lie.digest, CaseState.WON)
        assert ended.bond == 0 and ended.lost == 0 and ended.reward == TERMS.bond // 5
        assert await watch.journal.at_risk() == 0
    claim = await says.chain.court.claim(case.claim_id)
    assert claim.state is ClaimState.SLASHED
    assert await says.chain.court.claim_count() == 1
    assert await says.chain.court.balance_of(tower.address) == COMMIT_BOND
    assert await says.chain.staking.credit_of(tower.address) == ended.reward
    assert await says.chain.staking.credit_of(says.served.builder.address) == DOLLAR


async def test_a_proof_costs_the_bond_and_is_counted(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    """A watchtower whose judgement fails it (here: its journal says so) pays for the proof."""
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "proves")
    tower = await with_bundle(await make_account(), says.served)
    true = await says.receipt(says.truth.packed_output)
    async with reading(devnet, tower) as journal:
        await journal.take(receipt_case(Handover(true, says.packed)))
        await journal.move(true.digest, CaseState.WRONG)
    async with watching(devnet, tower) as watch:
        case = await watch.reaches(true.digest, CaseState.OPEN)
        answer = court_calls.respond(
            [case.claim_id], 0, says.packed, says.truth.packed_output, says.truth.proof
        )
        await send(says.served.executor, answer)
        ended = await watch.reaches(true.digest, CaseState.LOST)
        assert ended.lost == TERMS.challenge_bond and ended.reward == 0
    assert await says.chain.court.balance_of(tower.address) == COMMIT_BOND - ended.lost
