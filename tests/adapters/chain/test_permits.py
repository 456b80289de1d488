from __future__ import annotations

import pytest
from chain_scenarios import DOLLAR, RealModel, publish, request_params
from gateless.adapters.chain import calls
from gateless.adapters.chain.permit import sign_permit
from gateless.core.errors import ContractError, FundsError
from gateless.devnet import Devnet


async def test_domain_is_read_from_the_token(devnet: Devnet) -> None:
    assert await devnet.client.token.domain() == {
        "name": "Test Dollar",
        "version": "1",
        "chainId": 31337,
        "verifyingContract": devnet.deployment.token.address,
    }


async def test_deposit_stake_and_request_by_permit(
    isolated_devnet: Devnet, model: RealModel
) -> None:
    net = isolated_devnet
    client, user = net.client, net.signers["user"]
    version_id = await publish(net, model, "by-permit")
    end = (await client.block("pending")).timestamp + 600
    sender = net.sender("user")
    nonce = await client.token.nonce(user.address)

    permit = await sign_permit(client, user, client.market.address, 3 * DOLLAR, end)
    await sender.send(calls.deposit_with_permit(permit))
    assert await client.market.balance_of(user.address) == 3 * DOLLAR

    permit = await sign_permit(client, user, client.staking.address, 4 * DOLLAR, end)
    await sender.send(calls.stake_with_permit(permit))
    assert await client.staking.free_stake(user.address) == 4 * DOLLAR

    permit = await sign_permit(client, user, client.market.address, DOLLAR, end)
    params = await request_params(net, model, version_id)
    await sender.send(calls.request_with_permit(params, permit, model.case(0)[0]))
    assert await client.market.balance_of(user.address) == 2 * DOLLAR
    assert await client.token.nonce(user.address) == nonce + 3
    assert await client.token.allowance(user.address, client.market.address) == 0


async def test_permit_without_the_money_is_not_signed(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    balance = await net.client.token.balance_of(net.signers["user"].address)
    with pytest.raises(FundsError, match=r"2\.50 tUSD less") as info:
        await sign_permit(
            net.client,
            net.signers["user"],
            net.client.market.address,
            balance + 2_500_000,
            2**40,
        )
    assert info.value.code == "token-balance-too-low"
    assert info.value.context["missing"] == 2_500_000
    assert net.signers["user"].address in info.value.hint


async def test_expired_permit_moves_nothing(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    user = net.signers["user"]
    permit = await sign_permit(net.client, user, net.client.market.address, DOLLAR, 1)
    with pytest.raises((ContractError, FundsError)) as info:
        await net.sender("user").send(calls.deposit_with_permit(permit))
    # A permit that fails is no error where the allowance is there already; here it is not.
    assert info.value.code == "erc20-insufficient-allowance"
    assert await net.client.market.balance_of(user.address) == 0
