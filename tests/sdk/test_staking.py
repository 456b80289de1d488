"""Becoming an executor and leaving: resumable, and never below the minimum."""

from __future__ import annotations

import pytest
from gateless.adapters.chain import calls
from gateless.adapters.chain.sender import Sender
from gateless.core.errors import ChainError, FundsError, InputError
from gateless.devnet import Devnet
from gateless_proofs import Bundle
from market_fixtures import MakeAccount, TinyModel

DOLLAR = 1_000_000


async def test_the_whole_flow_in_one(make_account: MakeAccount, tiny_model: TinyModel) -> None:
    builder, executor = await make_account(), await make_account(tokens=100)
    await builder.client.publish(tiny_model.bundle, "stake-whole")
    done = await executor.client.stake(
        40 * DOLLAR,
        serve=["stake-whole", "stake-whole@0"],
        endpoint="https://executor.example.org",
        min_price=DOLLAR,
        capacity=3,
    )
    state = done.state
    assert state.executor.total == 40 * DOLLAR
    assert state.allocation.available == 40 * DOLLAR
    assert state.executor.free == 0
    assert state.versions == ("stake-whole@0",)
    assert (state.executor.min_price, state.executor.capacity) == (DOLLAR, 3)
    assert state.executor.endpoint == "https://executor.example.org"
    assert state.executor.receipt_key == executor.address
    assert (await executor.client.balances()).wallet == 60 * DOLLAR

    # Nothing is left to do, so nothing is sent; a change sends that change alone.
    assert (await executor.client.stake(0, serve=["stake-whole"])).transactions == ()
    changed = await executor.client.stake(0, min_price=2 * DOLLAR)
    assert [sent.label for sent in changed.transactions] == ["publish the executor's profile"]
    assert changed.state.executor.endpoint == "https://executor.example.org"
    (offer,) = await executor.client.offers(
        (await builder.client.resolve("stake-whole")).version.version_id
    )
    assert (offer.address, offer.min_price) == (executor.address, 2 * DOLLAR)

    await executor.client.leave(["stake-whole"])
    assert (await executor.client.executor()).versions == ()
    with pytest.raises(InputError) as caught:
        await executor.client.leave(["stake-whole"])
    assert caught.value.code == "not-enrolled"


async def test_a_bare_name_leaves_every_version_that_is_served(
    make_account: MakeAccount, tiny_model: TinyModel, committed_bundle: Bundle
) -> None:
    builder, executor = await make_account(), await make_account(tokens=100)
    await builder.client.publish(tiny_model.bundle, "leave-all")
    await executor.client.stake(20 * DOLLAR, serve=["leave-all@0"])
    await builder.client.publish(committed_bundle, "leave-all")  # `latest` is another one now
    await executor.client.leave(["leave-all"])
    assert (await executor.client.executor()).versions == ()


async def test_money_moves_when_the_chain_s_clock_is_ahead(
    isolated_devnet: Devnet, make_account: MakeAccount
) -> None:
    """A permit's deadline is judged by the chain, which may be ahead of this machine."""
    account = await make_account(tokens=100)
    await isolated_devnet.control.advance(7_200)
    assert (await account.client.stake(20 * DOLLAR)).state.executor.total == 20 * DOLLAR
    await account.client.deposit(5 * DOLLAR)
    assert (await account.client.balances()).market == 5 * DOLLAR


async def test_an_interrupted_flow_goes_on(make_account: MakeAccount) -> None:
    executor = await make_account(tokens=100)
    sender = Sender(executor.client.chain, executor.signer)
    staking = executor.client.chain.staking.address
    await sender.send(calls.approve(staking, 20 * DOLLAR))
    await sender.send(calls.stake(20 * DOLLAR))  # stopped here: staked, not allocated
    done = await executor.client.stake(0)
    assert done.state.allocation.allocated == 20 * DOLLAR
    assert done.transactions[0].label == "allocate stake"
    assert (await executor.client.balances()).wallet == 80 * DOLLAR


async def test_refusals_move_nothing(make_account: MakeAccount) -> None:
    executor = await make_account(tokens=15)
    block = (await executor.client.chain.block()).number
    with pytest.raises(FundsError) as low:
        await executor.client.stake(9 * DOLLAR)
    assert low.value.code == "stake-too-low"
    assert low.value.context["missing"] == DOLLAR
    with pytest.raises(FundsError) as poor:
        await executor.client.stake(16 * DOLLAR)
    assert poor.value.code == "token-balance-too-low"
    with pytest.raises(InputError):
        await executor.client.stake(-1)
    with pytest.raises(FundsError) as nothing:
        await executor.client.unstake()
    assert nothing.value.code == "nothing-staked"
    assert (await executor.client.chain.block()).number == block
    assert (await executor.client.balances()).wallet == 15 * DOLLAR


async def test_leaving_takes_two_runs_and_the_delay(
    isolated_devnet: Devnet, make_account: MakeAccount
) -> None:
    executor = await make_account(tokens=50)
    await executor.client.stake(50 * DOLLAR)
    asked = await executor.client.unstake()
    assert (asked.returned, asked.exiting) == (0, 50 * DOLLAR)
    assert asked.exit_ready_at > (await executor.client.chain.block()).timestamp
    # Asking again before the delay is over changes nothing.
    waiting = await executor.client.unstake()
    assert waiting.transactions == ()
    assert waiting.exit_ready_at == asked.exit_ready_at

    delay = (await executor.client.chain.staking.limits()).exit_delay
    await isolated_devnet.control.advance(delay + 1)
    done = await executor.client.unstake()
    assert (done.returned, done.exiting) == (50 * DOLLAR, 0)
    assert (await executor.client.balances()).wallet == 50 * DOLLAR
    assert (await executor.client.executor()).executor.total == 0


async def test_part_of_the_stake_and_a_change_of_mind(make_account: MakeAccount) -> None:
    executor = await make_account(tokens=50)
    await executor.client.stake(50 * DOLLAR)
    asked = await executor.client.unstake(20 * DOLLAR)
    assert asked.exiting == 20 * DOLLAR
    await executor.client.cancel_unstake()
    state = await executor.client.executor()
    assert state.allocation.exiting == 0
    assert state.allocation.available == 50 * DOLLAR
    with pytest.raises(ChainError) as caught:
        await executor.client.cancel_unstake()
    assert caught.value.code == "executor-staking-no-exit"


async def test_compensations_need_one(make_account: MakeAccount) -> None:
    account = await make_account(tokens=0)
    with pytest.raises(FundsError) as caught:
        await account.client.withdraw_compensations()
    assert caught.value.code == "nothing-to-withdraw"
