"""Deposits, withdrawals, royalties."""

from __future__ import annotations

import pytest
from gateless.core.errors import FundsError, GatelessError, InputError
from market_fixtures import MakeAccount, TinyModel

DOLLAR = 1_000_000


async def test_money_goes_in_and_out(make_account: MakeAccount) -> None:
    owner, other = await make_account(tokens=10), await make_account(tokens=0)
    moved = await owner.client.deposit(4 * DOLLAR)
    assert moved.transaction.label == "deposit"
    balances = await owner.client.balances()
    assert (balances.wallet, balances.market) == (6 * DOLLAR, 4 * DOLLAR)
    assert balances.native_wei > 0

    await owner.client.withdraw(DOLLAR, to=other.address.lower())
    assert (await other.client.balances()).wallet == DOLLAR
    rest = await owner.client.withdraw()
    assert (rest.amount, rest.to) == (3 * DOLLAR, owner.address)
    assert (await owner.client.balances()).market == 0


async def test_refusals_move_nothing(make_account: MakeAccount, tiny_model: TinyModel) -> None:
    owner = await make_account(tokens=3)
    await owner.client.deposit(DOLLAR)
    await owner.client.publish(tiny_model.bundle, "accounts-unpaid")
    before = await owner.client.balances()

    async def code_of(work: object) -> str:
        with pytest.raises(GatelessError) as caught:
            await work  # type: ignore[misc]
        return caught.value.code

    assert await code_of(owner.client.deposit(3 * DOLLAR)) == "token-balance-too-low"
    assert await code_of(owner.client.deposit(0)) == "invalid-amount"
    assert await code_of(owner.client.withdraw(2 * DOLLAR)) == "balance-too-low"
    assert await code_of(owner.client.withdraw(-1)) == "invalid-amount"
    assert await code_of(owner.client.withdraw(DOLLAR, to="0x12")) == "invalid-address"
    assert (
        await code_of(owner.client.withdraw_royalties("accounts-unpaid")) == "nothing-to-withdraw"
    )
    assert await owner.client.balances() == before

    await owner.client.withdraw()
    with pytest.raises(FundsError) as caught:
        await owner.client.withdraw()
    assert caught.value.code == "nothing-to-withdraw"
    with pytest.raises(InputError):
        await owner.client.balances("nobody")
