"""A watchtower and the lazy market: lies are challenged and slashed, true answers let be."""

from __future__ import annotations

from gateless.adapters.chain import lazy_calls
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.sender import Sender
from gateless.core.lazy import LazyState
from gateless.devnet import Devnet
from gateless.watchtower.cases import CaseState, IntentKind
from gateless.watchtower.lazy import lot_id_of
from lazy_fixtures import (
    CHALLENGE_BOND,
    COLLATERAL,
    answering_executor,
    serving_store,
)
from market_fixtures import ROW, MakeAccount, MakeServed, send
from patience import eventually
from watchtower_fixtures import watching, with_bundle


def case_id(request_id: int) -> bytes:
    return request_id.to_bytes(32, "big")


async def test_a_lie_is_slashed_and_a_true_answer_is_not_challenged(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "lazily")
    tower = await with_bundle(await make_account(), says.served)
    async with serving_store(says.user) as url, watching(devnet, tower) as watch:
        hint = await says.hint(url)
        true = await says.answers(await says.asks(hint), says.truth.packed_output)
        lie = await says.answers(await says.asks(hint), says.lie)
        await watch.reaches(case_id(true), CaseState.RIGHT)
        case = await watch.reaches(case_id(lie), CaseState.OPEN)
        assert case.bond == CHALLENGE_BOND
        assert await says.lazy.state(true) is LazyState.ANSWERED
        await devnet.control.advance(case.deadline - await says.now() + 1)
        ended = await watch.reaches(case_id(lie), CaseState.WON)
        assert ended.reward == COLLATERAL // 5 and ended.lost == 0
    assert await says.lazy.state(lie) is LazyState.SLASHED
    staking = says.user.client.chain.staking
    assert await staking.credit_of(tower.address) == ended.reward
    assert await tower.client.disputes.balance_of(tower.address) == CHALLENGE_BOND


async def test_what_was_won_is_withdrawn_above_the_threshold(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    """The reward from the staking contract, and the bond from the court when nothing needs it."""
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "rewarding")
    tower = await with_bundle(await make_account(), says.served)
    wallet = await devnet.client.token.balance_of(tower.address)
    reward = COLLATERAL // 5
    async with (
        serving_store(says.user) as url,
        watching(devnet, tower, withdraw_threshold=reward) as watch,
    ):
        lie = await says.answers(await says.asks(await says.hint(url)), says.lie)
        case = await watch.reaches(case_id(lie), CaseState.OPEN)
        assert await devnet.client.token.balance_of(tower.address) == wallet - CHALLENGE_BOND
        await devnet.control.advance(case.deadline - await says.now() + 1)
        await watch.reaches(case_id(lie), CaseState.WON)

        async def withdrawn() -> bool:
            held = await devnet.client.token.balance_of(tower.address)
            return held == wallet + reward and not (await watch.watchtower.status()).winnings

        await eventually("bond and reward are in the wallet", withdrawn)
        kinds = [intent.kind for intent in await watch.journal.intents()]
        assert kinds.count(IntentKind.COLLECT) == 2


async def test_without_a_threshold_what_was_won_is_shown_and_left(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "patient")
    tower = await with_bundle(await make_account(), says.served)
    async with serving_store(says.user) as url, watching(devnet, tower) as watch:
        lie = await says.answers(await says.asks(await says.hint(url)), says.lie)
        case = await watch.reaches(case_id(lie), CaseState.OPEN)
        await devnet.control.advance(case.deadline - await says.now() + 1)
        await watch.reaches(case_id(lie), CaseState.WON)
        held = {"ExecutorStaking": COLLATERAL // 5, "DisputeCourt": CHALLENGE_BOND}

        async def shown() -> bool:
            return (await watch.watchtower.status()).winnings == held

        await eventually("the status shows what can be withdrawn", shown)
        assert IntentKind.COLLECT not in [intent.kind for intent in await watch.journal.intents()]


async def test_an_input_that_came_with_the_request_is_enough(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "carried")
    tower = await with_bundle(await make_account(), says.served)
    async with watching(devnet, tower) as watch:
        asked = await says.user.client.ask_lazily(
            says.served.name,
            ROW,
            send=True,
            collateral=COLLATERAL,
            executor=says.executor.address,
        )
        await send(says.executor, lazy_calls.lock_and_fulfill(asked.request, says.lie))
        await watch.reaches(case_id(asked.request_id), CaseState.OPEN)


async def test_without_the_input_nothing_is_challenged(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "hidden")
    tower = await with_bundle(await make_account(), says.served)
    async with watching(devnet, tower) as watch:
        lie = await says.answers(await says.asks(), says.lie)
        await watch.reaches(case_id(lie), CaseState.UNDECIDED, reason="input-missing")
        assert await says.lazy.state(lie) is LazyState.ANSWERED


async def test_a_lot_obliges_the_executor_to_prove(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    """Certain audit: the lot falls on every answer, and its executor proves nothing."""
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "audited")
    tower = await make_account()
    async with watching(devnet, tower) as watch:
        lie = await says.answers(await says.asks(audit_bps=10_000), says.lie)
        await devnet.control.mine(3)
        claim = (await says.user.client.lazy_answer(lie)).claim
        assert claim is not None
        case = await watch.reaches(lot_id_of(claim), CaseState.OPEN)
        assert case.bond == 0
        await devnet.control.advance(case.deadline - await says.now() + 1)
        ended = await watch.reaches(lot_id_of(claim), CaseState.WON)
        assert ended.reward == COLLATERAL // 5


async def test_a_lot_that_is_answered_by_a_proof_costs_nothing(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "audited-honest")
    tower = await make_account()
    async with watching(devnet, tower) as watch:
        true = await says.answers(await says.asks(audit_bps=10_000), says.truth.packed_output)
        await devnet.control.mine(3)
        claim = (await says.user.client.lazy_answer(true)).claim
        assert claim is not None
        await watch.reaches(lot_id_of(claim), CaseState.OPEN)
        await says.user.client.prove_lazily(true, says.packed)
        ended = await watch.reaches(lot_id_of(claim), CaseState.MOOT)
        assert (ended.reward, ended.lost) == (0, 0)


async def test_an_answer_that_a_fork_replaced_is_judged_and_challenged_anew(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "forked-lie")
    tower = await with_bundle(await make_account(), says.served)
    async with serving_store(says.user) as url:
        offer = await says.asks(await says.hint(url))
        before = await devnet.control.snapshot()
        async with watching(devnet, tower) as watch:
            lie = await says.answers(offer, says.lie)
            await watch.reaches(case_id(lie), CaseState.OPEN)
        await devnet.control.revert(before)
        # On the new branch the same request is answered in another block: it is another claim.
        await devnet.control.mine(2)
        async with await ChainClient.connect(devnet.deployment) as fresh:
            answer = lazy_calls.lock_signed_and_fulfill(offer.request, offer.signature, says.lie)
            await Sender(fresh, says.executor.signer).send(answer)
        async with watching(devnet, tower):

            async def disputed() -> bool:
                return await says.lazy.state(lie) is LazyState.DISPUTED

            await eventually("the new answer is disputed", disputed)
        dispute = await says.user.client.disputes.dispute(lie)
        assert dispute is not None and dispute.challenger == tower.address
