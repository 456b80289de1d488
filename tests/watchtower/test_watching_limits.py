"""What a watchtower does not do: exceed its budget, work for too little, judge what it cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gateless.core.errors import SandboxError
from gateless.core.handovers import Handover
from gateless.devnet import Devnet
from gateless.watchtower import open_watchtower
from gateless.watchtower.cases import CaseState
from gateless_proofs.isolation import NOTHING, Ways
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from watchtower_fixtures import (
    COMMIT_BOND,
    TERMS,
    Signing,
    put_into,
    signing_executor,
    watch_config,
    watching,
    with_bundle,
)


async def lies(says: Signing, tower: object, count: int) -> list[bytes]:
    """So many lies in an inbox, the first to expire first."""
    inbox = watch_config(tower).inbox  # type: ignore[arg-type]
    assert inbox is not None
    found = []
    now = (await says.chain.block("pending")).timestamp
    for slot in range(count):
        lie = await says.receipt(says.lie, slot=slot, expires=now + 7000 + slot)
        put_into(inbox, f"lie-{slot}", Handover(lie, says.packed).to_json())
        found.append(lie.digest)
    return found


async def test_bonds_at_risk_stay_within_the_budget(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "budget")
    tower = await with_bundle(await make_account(), says.served)
    first, second = await lies(says, tower, 2)
    async with watching(devnet, tower, max_at_risk=COMMIT_BOND) as watch:
        case = await watch.reaches(first, CaseState.OPEN)
        await watch.reaches(second, CaseState.WRONG, reason="budget-used")
        status = await watch.watchtower.status()
        assert [problem.code for problem in status.problems] == ["budget-used"]
        assert status.at_risk == TERMS.challenge_bond
        await devnet.control.advance(case.deadline - (await says.chain.block()).timestamp + 1)
        await watch.reaches(first, CaseState.WON)
        await watch.reaches(second, CaseState.OPEN)


async def test_a_reward_that_is_too_low_is_left(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "cheap")
    tower = await with_bundle(await make_account(), says.served)
    (lie,) = await lies(says, tower, 1)
    async with watching(devnet, tower, min_reward=TERMS.bond // 5 + 1) as watch:
        await watch.reaches(lie, CaseState.LEFT, reason="reward-too-low")
    assert await says.chain.court.claim_count() == 0


async def test_without_tokens_it_says_what_is_missing(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "broke")
    tower = await with_bundle(await make_account(tokens=1), says.served)
    (lie,) = await lies(says, tower, 1)
    async with watching(devnet, tower) as watch:
        await watch.reaches(lie, CaseState.WRONG, reason="token-balance-too-low")
        (problem,) = (await watch.watchtower.status()).problems
        assert problem.code == "token-balance-too-low" and problem.hint


async def test_files_that_cannot_be_had_leave_a_case_undecided_until_they_can(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "withheld")
    tower = await make_account()
    (lie,) = await lies(says, tower, 1)
    async with watching(devnet, tower) as watch:
        await watch.reaches(lie, CaseState.UNDECIDED, reason="content-not-found")
        assert await says.chain.court.claim_count() == 0
        await with_bundle(tower, says.served)
        await watch.reaches(lie, CaseState.OPEN)


async def test_a_slot_that_somebody_else_challenges_is_left_to_him(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "taken")
    tower, other = await with_bundle(await make_account(), says.served), await make_account()
    lie = await says.receipt(says.lie)
    await other.client.challenge_receipt(lie, says.packed)
    inbox = watch_config(tower).inbox
    assert inbox is not None
    put_into(inbox, "lie", Handover(lie, says.packed).to_json())
    async with watching(devnet, tower) as watch:
        await watch.reaches(lie.digest, CaseState.WRONG, reason="already-challenged")
    assert await says.chain.court.claim_count() == 1


async def test_two_receipts_for_a_slot_are_reported(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "twice")
    tower = await make_account()
    inbox = watch_config(tower).inbox
    assert inbox is not None
    # Neither input is known: that they are two is enough.
    for name, output in (("one", says.lie), ("two", says.truth.packed_output)):
        put_into(inbox, name, (await says.receipt(output)).to_json())
    async with watching(devnet, tower) as watch:

        async def reported() -> bool:
            pool = await says.chain.court.pool(says.served.executor.address, says.epoch)
            return pool.reporter == tower.address

        await eventually("the pool is forfeited", reported)

        async def counted() -> bool:
            return (await watch.journal.counts()).get(CaseState.WON) == 1

        await eventually("the report is in the journal", counted)
        assert await watch.journal.at_risk() == 0
    assert await says.chain.court.balance_of(tower.address) == COMMIT_BOND


async def test_a_useless_file_stops_no_other(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "useless")
    tower = await with_bundle(await make_account(), says.served)
    inbox = watch_config(tower).inbox
    assert inbox is not None
    put_into(inbox, "0-junk", "{}")
    put_into(inbox, "1-deep", "[" * 100_000)
    put_into(inbox, "2-absurd", (await says.receipt(says.lie, epoch=2**64 - 1)).to_json())
    put_into(inbox, "3-foreign", (await says.receipt(says.lie, executor=tower.address)).to_json())
    (lie,) = await lies(says, tower, 1)
    async with watching(devnet, tower) as watch:
        await watch.reaches(lie, CaseState.OPEN)
        assert await watch.journal.counts() == {CaseState.OPEN: 1}


async def test_models_are_not_run_where_nothing_keeps_them_in(
    devnet: Devnet, make_account: MakeAccount
) -> None:
    tower = await make_account()
    config = watch_config(tower)
    with pytest.raises(SandboxError) as caught:
        async with open_watchtower(
            config, deployment=devnet.deployment, signer=tower.signer, ways=NOTHING
        ):
            pass
    assert caught.value.code == "sandbox-unavailable"
    accepted = replace(config, allow_unsandboxed=True)
    for settings, ways, network in (
        (accepted, NOTHING, "none"),
        (config, Ways(namespaces=False), "seccomp"),
    ):
        async with open_watchtower(
            settings, deployment=devnet.deployment, signer=tower.signer, ways=ways
        ) as watchtower:
            status = (await watchtower.status()).to_dict()
            [node] = status["proving"]["nodes"]
            assert node["isolation"]["network"] == network
            samples = (await watchtower.exposition()).decode()
            assert f'gateless_sandbox{{network="{network}"}} 1.0' in samples
