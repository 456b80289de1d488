"""kill -9 of a watchtower at every journaled step: one challenge, one reward, no bond left."""

from __future__ import annotations

import pytest
from gateless.devnet import Devnet
from gateless.watchtower.cases import CaseState
from gateless.watchtower.lazy import lot_id_of
from lazy_fixtures import (
    CHALLENGE_BOND,
    COLLATERAL,
    Answering,
    answering_executor,
    serving_store,
)
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from tried import PATIENCE_SECONDS
from watched import Watched, the_case, told_a_lie, watched
from watchtower_fixtures import COMMIT_BOND, Signing, signing_executor, with_bundle

# --- receipts ---


@pytest.fixture
async def says(isolated_devnet: Devnet, make_served: MakeServed) -> Signing:
    return await signing_executor(isolated_devnet, make_served, "lying")


@pytest.fixture
async def told(isolated_devnet: Devnet, says: Signing, make_account: MakeAccount) -> Watched:
    return await told_a_lie(isolated_devnet, says, make_account)


@pytest.mark.parametrize(
    "step",
    ["intended:deposit", "intended:commit", "moved:committed", "intended:open", "moved:open"],
)
async def test_a_lie_is_challenged_once(told: Watched, says: Signing, step: str) -> None:
    await told.dies(step)
    async with told.runs() as watch:
        await told.passes((await the_case(watch, CaseState.OPEN)).deadline)
        await the_case(watch, CaseState.WON)
    await slashed_once(told, says)


@pytest.mark.parametrize("step", ["intended:slash", "moved:won"])
async def test_a_lie_is_slashed_once(told: Watched, says: Signing, step: str) -> None:
    async with told.runs() as watch:
        case = await the_case(watch, CaseState.OPEN)
    await told.passes(case.deadline)
    await told.dies(step)
    async with told.runs() as watch:
        await the_case(watch, CaseState.WON)
    await slashed_once(told, says)


async def slashed_once(told: Watched, says: Signing) -> None:
    """And both bonds are back."""
    events = await says.chain.events(["ReceiptCourt.Committed", "ReceiptCourt.ClaimSlashed"], 0)
    assert sorted(event.name for event in events) == ["ClaimSlashed", "Committed"]
    assert await says.chain.court.balance_of(told.tower.address) >= COMMIT_BOND
    await told.judged()


@pytest.mark.parametrize("step", ["intended:withdraw", "moved:left"])
async def test_an_announcement_is_taken_back_once(
    told: Watched, says: Signing, make_account: MakeAccount, step: str
) -> None:
    """Another challenges the slot between its announcement and its challenge."""
    await told.dies("moved:committed")
    assert told.lie is not None
    await (await make_account()).client.challenge_receipt(told.lie, says.packed)
    await told.dies(step)
    async with told.runs() as watch:
        await the_case(watch, CaseState.LEFT)
    assert await says.chain.court.balance_of(told.tower.address) == COMMIT_BOND
    await told.judged()


# --- lazy answers ---


@pytest.fixture
async def answers(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> Answering:
    return await answering_executor(isolated_devnet, make_served, make_account, "lazily-lying")


@pytest.mark.parametrize("step", ["intended:commit", "intended:open", "intended:slash"])
async def test_a_lazy_lie_is_challenged_and_slashed_once(
    answers: Answering, isolated_devnet: Devnet, make_account: MakeAccount, step: str
) -> None:
    lazily = await watched(isolated_devnet, await with_bundle(await make_account(), answers.served))
    async with serving_store(answers.user) as url:
        await answers.answers(await answers.asks(await answers.hint(url)), answers.lie)
        if step == "intended:slash":
            async with lazily.runs() as watch:
                case = await the_case(watch, CaseState.OPEN)
            await lazily.passes(case.deadline)
        await lazily.dies(step)
        async with lazily.runs() as watch:
            case = await the_case(watch, CaseState.OPEN, CaseState.WON)
            await lazily.passes(case.deadline)
            await the_case(watch, CaseState.WON)
    await paid_once(lazily, answers, bond=CHALLENGE_BOND)


async def paid_once(lazily: Watched, answers: Answering, *, bond: int) -> None:
    """One slash, one reward, and the bond is back."""
    events = await lazily.devnet.client.events(["LazyMarket.ClaimSlashed"], 0)
    assert [event.args["challenger"] for event in events] == [lazily.tower.address]
    staking = answers.user.client.chain.staking
    assert await staking.credit_of(lazily.tower.address) == COLLATERAL // 5
    assert await lazily.tower.client.disputes.balance_of(lazily.tower.address) == bond
    await lazily.judged()


@pytest.mark.parametrize("step", ["intended:draw_lot", "intended:slash"])
async def test_a_lot_is_drawn_once(
    answers: Answering, isolated_devnet: Devnet, make_account: MakeAccount, step: str
) -> None:
    lazily = await watched(isolated_devnet, await make_account())
    lie = await answers.answers(await answers.asks(audit_bps=10_000), answers.lie)
    await isolated_devnet.control.mine(3)
    claim = (await answers.user.client.lazy_answer(lie)).claim
    assert claim is not None
    lot = lot_id_of(claim)
    if step == "intended:slash":
        async with lazily.runs() as watch:
            case = await watch.reaches(lot, CaseState.OPEN)
        await lazily.passes(case.deadline)
    await lazily.dies(step)
    async with lazily.runs() as watch:
        case = await watch.reaches(lot, CaseState.OPEN, CaseState.WON)
        await lazily.passes(case.deadline)
        await watch.reaches(lot, CaseState.WON)
    await paid_once(lazily, answers, bond=0)


@pytest.mark.parametrize("step", ["intended:collect"])
async def test_what_was_won_is_collected_once(
    answers: Answering, isolated_devnet: Devnet, make_account: MakeAccount, step: str
) -> None:
    devnet, tower = isolated_devnet, await with_bundle(await make_account(), answers.served)
    wallet = await devnet.client.token.balance_of(tower.address)
    lazily = await watched(devnet, tower)
    async with serving_store(answers.user) as url:
        await answers.answers(await answers.asks(await answers.hint(url)), answers.lie)
        async with lazily.runs() as watch:
            await lazily.passes((await the_case(watch, CaseState.OPEN)).deadline)
            await the_case(watch, CaseState.WON)
    lazily.changes = {"withdraw_threshold": 1}
    await lazily.dies(step)

    async def collected() -> bool:
        held = await devnet.client.token.balance_of(tower.address)
        return held == wallet + COLLATERAL // 5

    async with lazily.runs():
        await eventually("bond and reward are in the wallet", collected, PATIENCE_SECONDS)
    await lazily.judged()
