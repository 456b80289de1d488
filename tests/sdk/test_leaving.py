"""All stake can be taken out again, whatever it was behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from gateless.adapters.chain import calls, quorum_calls
from gateless.core.errors import ContractError, FundsError, InputError
from gateless.core.quorums import MemberTerms
from gateless.devnet import Devnet
from market_fixtures import Account, MakeAccount, send
from quorum_fixtures import DOLLAR, STAKE, QuorumStage, quorum_stage


async def exit_delay(account: Account) -> int:
    return (await account.client.chain.staking.limits()).exit_delay + 1


async def test_stake_that_is_left_free_returns_at_once(make_account: MakeAccount) -> None:
    executor = await make_account(tokens=50)
    state = (await executor.client.stake(50 * DOLLAR, keep_free=True)).state
    assert (state.executor.free, dict(state.behind)) == (50 * DOLLAR, {})
    done = await executor.client.unstake()
    assert (done.returned, done.exiting) == (50 * DOLLAR, 0)
    assert (await executor.client.balances()).wallet == 50 * DOLLAR


async def test_stake_behind_lazy_answers(
    isolated_devnet: Devnet, make_account: MakeAccount
) -> None:
    executor = await make_account(tokens=50)
    await executor.client.back_lazily(50 * DOLLAR)
    behind = (await executor.client.executor()).behind
    assert {what: found.allocated for what, found in behind.items()} == {"lazy": 50 * DOLLAR}
    with pytest.raises(FundsError) as nothing:
        await executor.client.unstake()
    assert nothing.value.code == "nothing-staked"
    assert "unstake --behind lazy" in nothing.value.hint

    await executor.client.unback_lazily(50 * DOLLAR)
    asked = await executor.client.unstake(behind="lazy")
    assert asked.exiting == 50 * DOLLAR
    await executor.client.cancel_unstake(behind="lazy")
    assert (await executor.client.executor()).behind["lazy"].exiting == 0
    await executor.client.unstake(behind="lazy")
    await isolated_devnet.control.advance(await exit_delay(executor))
    done = await executor.client.unstake(behind="lazy")
    assert done.returned == 50 * DOLLAR
    assert (await executor.client.balances()).wallet == 50 * DOLLAR


async def enrolled(stage: QuorumStage, account: Account) -> None:
    pool = stage.market.members.address
    await send(account, calls.allocate(pool, STAKE))
    terms = MemberTerms(capacity=1, min_price=0)
    await send(account, quorum_calls.enroll(stage.version_id, stage.runtime_class, STAKE, terms))


async def test_stake_behind_quorums(
    isolated_devnet: Devnet, make_account: MakeAccount, tmp_path: Path
) -> None:
    stage = await quorum_stage(isolated_devnet, make_account, tmp_path, "left", executors=1)
    (executor,) = stage.executors
    with pytest.raises(InputError) as outside:
        await executor.client.leave_quorums("left")
    assert outside.value.code == "not-enrolled"

    await enrolled(stage, executor)
    found = (await executor.client.executor()).behind["quorums"]
    assert (found.allocated, found.locked) == (STAKE, STAKE)
    assert (await executor.client.unstake(behind="quorums")).exiting == STAKE
    await isolated_devnet.control.advance(await exit_delay(executor))
    with pytest.raises(ContractError):  # what a member locks stays where it is
        await executor.client.unstake(behind="quorums")

    assert len(await executor.client.leave_quorums("left")) == 1
    assert not (await stage.member(executor)).is_enrolled
    before = (await executor.client.balances()).wallet
    done = await executor.client.unstake(behind="quorums")
    assert done.returned == STAKE
    assert (await executor.client.balances()).wallet == before + STAKE


async def test_what_stake_cannot_be_behind(make_account: MakeAccount) -> None:
    executor = await make_account()
    with pytest.raises(InputError) as caught:
        await executor.client.unstake(behind="mining")
    assert caught.value.code == "unknown-backing"
