from __future__ import annotations

import asyncio

import pytest
from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.chain.fees import FeePolicy, Fees, current_fees, priority_fee
from gateless.adapters.chain.refusals import Refusal, classify_refusal
from gateless.core.errors import ChainError, ConfigError
from gateless.devnet import Devnet


def test_gas_limit_has_a_margin_and_fits_a_block() -> None:
    policy = FeePolicy(gas_margin_percent=25)
    assert policy.gas_limit(100_000, 30_000_000) == 125_000
    assert policy.gas_limit(29_000_000, 30_000_000) == 30_000_000


async def test_fees_double_the_base_fee(devnet: Devnet) -> None:
    fees = await current_fees(devnet.client.rpc, FeePolicy(), 100, 3)
    assert fees == Fees(203, 3)
    assert fees.fields() == {"maxFeePerGas": 203, "maxPriorityFeePerGas": 3, "type": 2}


@pytest.mark.parametrize(("cap", "offered"), [(203, 203), (150, 150), (103, 103)])
async def test_cap_takes_the_headroom_first(devnet: Devnet, cap: int, offered: int) -> None:
    policy = FeePolicy(max_fee_per_gas=cap)
    assert (await current_fees(devnet.client.rpc, policy, 100, 3)).per_gas == offered


async def test_cap_below_the_present_fee(devnet: Devnet) -> None:
    policy = FeePolicy(max_fee_per_gas=102)
    with pytest.raises(ChainError) as info:
        await current_fees(devnet.client.rpc, policy, 100, 3)
    assert info.value.code == "fee-above-cap"
    assert info.value.context == {"needed": 103, "cap": 102}


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        ("already known", Refusal.ALREADY_KNOWN),
        ("Known transaction: 0x12", Refusal.ALREADY_KNOWN),
        ("nonce too low: next nonce 5, tx nonce 4", Refusal.NONCE_USED),
        ("replacement transaction underpriced", Refusal.NONCE_WAITING),
        ("transaction underpriced: tip needed 1", Refusal.UNDERPRICED),
        ("max fee per gas less than block base fee: address 0x1", Refusal.UNDERPRICED),
        ("Insufficient funds for gas * price + value", Refusal.GAS_MONEY),
        ("intrinsic gas too low", Refusal.OTHER),
    ],
)
def test_refusals_are_told_apart(message: str, refusal: Refusal) -> None:
    assert classify_refusal(message) is refusal


@pytest.mark.parametrize(
    ("policy", "tip"),
    [
        (FeePolicy(priority_fee=3), 3),
        (FeePolicy(priority_fee=3, max_priority_fee_per_gas=2), 2),
        (FeePolicy(max_priority_fee_per_gas=1), 1),
    ],
)
async def test_tips_are_the_policys_and_capped(devnet: Devnet, policy: FeePolicy, tip: int) -> None:
    assert await priority_fee(devnet.client.rpc, policy) == tip


async def test_concurrent_reservations_are_consecutive(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    address = net.signers["user"].address
    book = net.client.nonces(address)
    first = await net.client.rpc.quantity("eth_getTransactionCount", address, "pending")
    reserved = await asyncio.gather(*(book.reserve() for _ in range(5)))
    assert sorted(reserved) == list(range(first, first + 5))
    book.release(first + 2)
    book.release(first + 4)
    assert [await book.reserve() for _ in range(3)] == [first + 2, first + 4, first + 5]
    assert net.client.nonces(address) is book


async def test_connection_without_a_deployment_knows_no_names(devnet: Devnet) -> None:
    connection = ChainConnection(devnet.client.rpc, 31337)
    with pytest.raises(ConfigError) as info:
        connection.resolve("InferenceMarket")
    assert info.value.code == "unknown-contract"
    address = devnet.client.market.address
    assert connection.resolve(address) == address == devnet.client.resolve("InferenceMarket")
