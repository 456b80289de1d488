"""Pools of receipts: opened in one run, resumable, released when nothing needs them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from gateless.adapters.chain import calls, court_calls
from gateless.adapters.signer import LocalSigner
from gateless.core.claims import PoolState
from gateless.core.errors import ContractError, FundsError, InputError
from gateless.devnet import Devnet
from gateless.sdk import PoolTerms
from market_fixtures import MakeAccount, send

DOLLAR = 1_000_000
TERMS = PoolTerms(bond=2 * DOLLAR, capacity=5, challenge_bond=3 * DOLLAR)
EACH = TERMS.bond * TERMS.capacity


async def test_from_nothing_to_pools_in_one_run(
    isolated_devnet: Devnet, make_account: MakeAccount
) -> None:
    executor = await make_account(tokens=100)
    client, key = executor.client, LocalSigner.random().address
    done = await client.back_receipts(TERMS, epochs=3, receipt_key=key)
    assert [pool.state for pool in done.pools] == [PoolState.OPEN] * 3
    assert {pool.receipt_key for pool in done.pools} == {key}
    assert {(p.bond, p.capacity, p.challenge_bond, p.locked) for p in done.pools} == {
        (TERMS.bond, TERMS.capacity, TERMS.challenge_bond, EACH)
    }
    limits = await client.chain.court.limits()
    assert done.pools[0].starts == done.first_epoch * limits.epoch_length
    assert (await client.balances()).wallet == 100 * DOLLAR - 3 * EACH
    # Nothing is left to do; other terms change no pool that is there.
    other = PoolTerms(TERMS.bond, 1, TERMS.challenge_bond)
    again = await client.back_receipts(other, epochs=3, first_epoch=done.first_epoch)
    assert (again.pools, again.transactions) == (done.pools, ())


async def test_gaps_are_filled_and_free_stake_is_used_first(
    isolated_devnet: Devnet, make_account: MakeAccount
) -> None:
    executor = await make_account(tokens=100)
    client = executor.client
    first = (await client.back_receipts(TERMS)).first_epoch
    await client.back_receipts(TERMS, first_epoch=first + 2)
    await send(executor, calls.approve(client.chain.staking.address, 15 * DOLLAR))
    await send(executor, calls.stake(15 * DOLLAR))
    before = (await client.balances()).wallet
    done = await client.back_receipts(TERMS, epochs=4, first_epoch=first)
    assert [pool.state for pool in done.pools] == [PoolState.OPEN] * 4
    assert [tx.label.split()[0] for tx in done.transactions] == [
        "stake",
        "allocate",
        "open",
        "open",
    ]
    assert (await client.balances()).wallet == before - (2 * EACH - 15 * DOLLAR)
    assert await client.chain.staking.free_stake(executor.address) == 0
    # The profile's key, once named, stays.
    assert {pool.receipt_key for pool in done.pools} == {executor.address}


async def test_a_pool_is_released_when_its_receipts_are_dead(
    isolated_devnet: Devnet, make_account: MakeAccount
) -> None:
    executor = await make_account(tokens=100)
    client, court = executor.client, executor.client.chain.court
    done = await client.back_receipts(TERMS)
    with pytest.raises(ContractError) as early:
        await client.release_pool(done.first_epoch)
    assert early.value.code == "receipt-court-pool-still-needed"
    now = (await client.chain.block("pending")).timestamp
    await isolated_devnet.control.advance(done.pools[0].releasable_at - now)
    other = await make_account(tokens=0)
    await other.client.release_pool(done.first_epoch, executor=executor.address)
    assert (await court.pool(executor.address, done.first_epoch)).state is PoolState.RELEASED
    allocation = await client.chain.staking.allocation(executor.address, court.address)
    assert (allocation.locked, allocation.available) == (0, EACH)
    # What is allocated backs the next pool; nothing is staked anew.
    again = await client.back_receipts(TERMS)
    assert [tx.label.split()[0] for tx in again.transactions] == ["open"]


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"bond": DOLLAR // 2}, {}),
        ({"capacity": 0}, {}),
        ({"capacity": 2**31}, {}),
        ({"challenge_bond": 0}, {}),
        ({"challenge_bond": 10**12}, {}),
        ({}, {"epochs": 0}),
        ({}, {"first_epoch": 1}),
    ],
)
async def test_terms_that_the_court_refuses_send_nothing(
    isolated_devnet: Devnet,
    make_account: MakeAccount,
    changes: dict[str, Any],
    options: dict[str, Any],
) -> None:
    executor = await make_account(tokens=100)
    terms = replace(TERMS, **changes)
    with pytest.raises(InputError) as caught:
        await executor.client.back_receipts(terms, **options)
    assert caught.value.code == "pool-terms-out-of-range"
    assert caught.value.hint


async def test_stake_that_is_not_there_opens_nothing(
    isolated_devnet: Devnet, make_account: MakeAccount
) -> None:
    executor = await make_account(tokens=19)
    with pytest.raises(FundsError) as short:
        await executor.client.back_receipts(TERMS, epochs=2)
    assert short.value.code == "token-balance-too-low"
    least = PoolTerms(bond=DOLLAR, capacity=1, challenge_bond=DOLLAR)
    with pytest.raises(FundsError) as low:
        await executor.client.back_receipts(least)
    assert low.value.code == "stake-too-low"
    assert (await executor.client.balances()).wallet == 19 * DOLLAR


async def test_a_closed_epoch_may_be_opened_again(
    isolated_devnet: Devnet, make_account: MakeAccount
) -> None:
    executor = await make_account(tokens=100)
    first = (await executor.client.back_receipts(TERMS, epochs=2)).first_epoch
    await send(executor, court_calls.close_pool(first + 1))
    other = PoolTerms(TERMS.bond, 3, TERMS.challenge_bond)
    done = await executor.client.back_receipts(other, first_epoch=first + 1)
    assert done.pools[0].capacity == 3
