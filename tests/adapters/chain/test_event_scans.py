from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from chain_scenarios import DOLLAR, deposit
from gateless.adapters.chain import calls
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.events import LogDecoder, scan_logs
from gateless.adapters.chain.log_range import LogRange
from gateless.core.errors import ChainError, InputError
from gateless.devnet import Devnet
from rpc_proxy import Fault, HttpStatus, RpcFault, RpcProxy


def span(params: list[Any]) -> int:
    return int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1


def no_more_than(blocks: int) -> Any:
    """A provider that refuses larger ranges."""

    def rule(method: str, params: list[Any]) -> Fault | None:
        if method != "eth_getLogs" or span(params) <= blocks:
            return None
        return RpcFault("query returned more than 10000 results", -32005)

    return rule


async def mint_over_blocks(net: Devnet, count: int, gap: int) -> list[int]:
    """Mints 1, 2, 3 … with empty blocks in between; returns the block numbers."""
    sender = net.sender("user")
    blocks = []
    for amount in range(1, count + 1):
        receipt = await sender.send(calls.mint(sender.address, amount))
        blocks.append(receipt.block_number)
        await net.control.mine(gap)
    return blocks


async def test_events_come_in_the_order_of_the_chain(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    start = (await net.client.block()).number + 1
    await deposit(net, "user", 5 * DOLLAR)
    events = await net.client.events(["Deposited", "Transfer", "Approval"], start)
    assert [event.name for event in events] == ["Approval", "Transfer", "Deposited"]
    deposited = events[-1]
    assert deposited.contract == "InferenceMarket"
    assert deposited.args["amount"] == 5 * DOLLAR
    block = await net.client.block(deposited.block_number)
    assert deposited.block_hash == block.hash


async def test_qualified_names_pick_one_contract(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    user = net.signers["user"].address
    start = (await net.client.block()).number + 1
    await deposit(net, "user", 2 * DOLLAR)
    sender = net.sender("user")
    await sender.send(calls.withdraw(DOLLAR, user))
    await sender.send(calls.approve(net.client.staking.address, DOLLAR))
    await sender.send(calls.stake(DOLLAR))
    await sender.send(calls.staking_withdraw(DOLLAR, user))
    both = await net.client.events(["Withdrawn"], start)
    assert [event.contract for event in both] == ["InferenceMarket", "ExecutorStaking"]
    one = await net.client.events(["ExecutorStaking.Withdrawn"], start)
    assert one == both[1:]
    # The registry's Transfer has the token's first topic, but not its name.
    assert await net.client.events(["ModelRegistry.Transfer"], start) == []


async def test_range_ends_are_included(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    first, second, third = await mint_over_blocks(net, 3, 2)
    for start, end, values in (
        (first, third, [1, 2, 3]),
        (first, first, [1]),
        (first + 1, third - 1, [2]),
        (third + 1, None, []),
        (third + 1, third, []),
    ):
        events = await net.client.events(["Transfer"], start, end)
        assert [event.args["value"] for event in events] == values
    assert second


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_refused_ranges_are_halved(
    isolated_devnet: Devnet, behind_proxy: ChainClient, proxy: RpcProxy, limit: int
) -> None:
    blocks = await mint_over_blocks(isolated_devnet, 4, 5)
    proxy.rules.append(no_more_than(limit))
    events = await behind_proxy.events(["Transfer"], blocks[0], blocks[-1])
    assert [event.args["value"] for event in events] == [1, 2, 3, 4]
    assert [event.block_number for event in events] == blocks
    asked = [span(params) for method, params in proxy.seen if method == "eth_getLogs"]
    assert max(asked) > limit >= min(asked)


async def test_ranges_grow_again_after_a_success(
    isolated_devnet: Devnet, behind_proxy: ChainClient, proxy: RpcProxy
) -> None:
    await isolated_devnet.control.mine(60)
    head = (await isolated_devnet.client.block()).number
    decoder = LogDecoder(isolated_devnet.deployment)
    behind_proxy.rpc.log_range = LogRange(1)
    await scan_logs(behind_proxy.rpc, decoder, ["Deposited"], 0, head)
    asked = [span(params) for method, params in proxy.seen if method == "eth_getLogs"]
    assert asked[:4] == [1, 2, 4, 8]
    assert sum(asked) == head + 1


async def test_block_whose_logs_nobody_has(
    isolated_devnet: Devnet, behind_proxy: ChainClient, proxy: RpcProxy
) -> None:
    proxy.fail("eth_getLogs", RpcFault("missing trie node"))
    with pytest.raises(ChainError) as info:
        await behind_proxy.events(["Transfer"], 0, 4)
    assert info.value.code == "logs-unavailable"
    assert info.value.context["block"] == 0


async def test_faults_that_no_smaller_range_mends(
    isolated_devnet: Devnet, behind_proxy: ChainClient, proxy: RpcProxy
) -> None:
    proxy.fail("eth_getLogs", HttpStatus(429))
    with pytest.raises(ChainError) as info:
        await behind_proxy.events(["Transfer"], 0, 4)
    assert info.value.code == "rpc-rate-limited"
    # One question, asked again as transports do; no halving.
    assert {span(params) for method, params in proxy.seen if method == "eth_getLogs"} == {5}


async def test_unknown_event(devnet: Devnet) -> None:
    with pytest.raises(InputError) as info:
        await devnet.client.events(["Transferred"], 0)
    assert info.value.code == "unknown-event"


async def test_logs_of_other_contracts_are_nobodys(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    stranger = "0x" + "11" * 20
    elsewhere = replace(
        net.deployment, token=replace(net.deployment.token, address=stranger), contracts={}
    )
    receipt = await net.sender("user").send(calls.mint(stranger, 1))
    raw = await net.client.rpc.request("eth_getTransactionReceipt", receipt.tx_hash)
    assert LogDecoder(net.deployment).decode_all(raw["logs"]) == receipt.logs
    assert LogDecoder(elsewhere).decode_all(raw["logs"]) == ()


def test_log_that_is_none(devnet: Devnet) -> None:
    with pytest.raises(ChainError) as info:
        LogDecoder(devnet.deployment).decode({"topics": ["0x"], "address": 5})
    assert info.value.code == "rpc-invalid"
