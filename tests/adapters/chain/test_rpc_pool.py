"""Several endpoints as one: what happens when some fail, fall behind or lie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from eth_utils.crypto import keccak
from gateless.adapters.chain import calls
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.endpoint import Backoff
from gateless.adapters.chain.nonce_counts import MOST_WAITING, believed_count
from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.adapters.chain.rpc_pool import COMPARE_SECONDS, RpcPool
from gateless.adapters.chain.sender import Sender
from gateless.core.errors import ChainError
from gateless.devnet import Devnet
from manual_clock import ManualClock
from patience import eventually
from rpc_proxy import Answer, Garbage, Hang, HttpStatus, RpcFault, RpcProxy, rpc_proxy
from scripted_rpc import CHAIN_ID, ScriptedRpc

RAW = "0x02abcd"


@asynccontextmanager
async def pool_of(*endpoints: ScriptedRpc, **options: Any) -> AsyncIterator[RpcPool]:
    options.setdefault("clock", ManualClock())
    pool = RpcPool(endpoints, CHAIN_ID, random=Random(1), **options)
    try:
        yield pool
    finally:
        await pool.close()


def gas_prices(*endpoints: ScriptedRpc) -> list[int]:
    return [endpoint.asked.count("eth_gasPrice") for endpoint in endpoints]


# --- reads ---


@pytest.mark.parametrize(
    "code", ["rpc-unreachable", "rpc-timeout", "rpc-rate-limited", "rpc-refused", "rpc-invalid"]
)
async def test_the_next_endpoint_answers_where_one_fails(code: str) -> None:
    first, second = ScriptedRpc("first"), ScriptedRpc("second")
    async with pool_of(first, second) as pool:
        assert await pool.quantity("eth_gasPrice") == 1
        assert gas_prices(first, second) == [1, 0]
        first.fail(code)
        second.replies["eth_gasPrice"] = "0x2"
        assert await pool.quantity("eth_gasPrice") == 2
        health = pool.health
        assert [entry.state for entry in health] == ["resting", "ok"]
        assert health[0].last_error == code
        assert health[0].faults == 1
        # It is left alone for a while.
        asked = len(first.asked)
        assert await pool.quantity("eth_gasPrice") == 2
        assert len(first.asked) == asked


async def test_an_endpoint_is_asked_again_after_its_rest() -> None:
    clock, first, second = ManualClock(), ScriptedRpc("first"), ScriptedRpc("second")
    async with pool_of(first, second, clock=clock) as pool:
        first.fail("rpc-unreachable")
        await pool.quantity("eth_gasPrice")
        first.heal()
        clock.time += Backoff().most
        await pool.quantity("eth_gasPrice")
        assert gas_prices(first, second)[0] >= 1
        assert pool.health[0].state == "ok"
        assert pool.health[0].faults == 0


async def test_rests_double_up_to_a_bound_with_jitter() -> None:
    clock, only = ManualClock(), ScriptedRpc("only")
    backoff = Backoff(first=1.0, most=20.0)
    async with pool_of(only, clock=clock, backoff=backoff) as pool:
        only.fail("rpc-unreachable")
        rests = []
        for _ in range(8):
            with pytest.raises(ChainError):
                await pool.request("eth_gasPrice")
            clock.time += pool.health[0].resting_seconds
            rests.append(pool.health[0].faults)
        seen = []
        for _ in range(4):
            with pytest.raises(ChainError):
                await pool.request("eth_gasPrice")
            seen.append(pool.health[0].resting_seconds)
            clock.time += pool.health[0].resting_seconds
        assert rests == sorted(rests)
        assert all(10.0 <= rest <= 20.0 for rest in seen)
        assert len(set(seen)) > 1


async def test_the_providers_own_waiting_time_is_kept() -> None:
    clock, only = ManualClock(), ScriptedRpc("only")
    async with pool_of(only, clock=clock) as pool:
        only.fail("rpc-rate-limited", retry_after=7.0)
        with pytest.raises(ChainError) as info:
            await pool.request("eth_gasPrice")
        assert info.value.code == "rpc-rate-limited"
        assert pool.health[0].resting_seconds == 7.0
        assert only.asked == ["eth_chainId"]
        # Until then nothing is sent; the fault is told again.
        with pytest.raises(ChainError) as again:
            await pool.request("eth_gasPrice")
        assert again.value.code == "rpc-rate-limited"
        assert only.asked == ["eth_chainId"]
        only.heal()
        clock.time += 7.0
        assert await pool.quantity("eth_gasPrice") == 1


async def test_short_rests_are_waited_for() -> None:
    clock, only = ManualClock(), ScriptedRpc("only")
    answers = iter([ChainError("rpc-unreachable", "gone"), ChainError("rpc-invalid", "?"), "0x5"])
    only.replies["eth_gasPrice"] = lambda: next(answers)
    async with pool_of(only, clock=clock) as pool:
        assert await pool.quantity("eth_gasPrice") == 5
        assert len(clock.slept) == 2


async def test_a_request_that_timed_out_is_not_repeated_at_the_same_endpoint() -> None:
    only = ScriptedRpc("only")
    async with pool_of(only) as pool:
        await pool.quantity("eth_gasPrice")
        only.replies["eth_gasPrice"] = ChainError("rpc-timeout", "slow")
        with pytest.raises(ChainError) as info:
            await pool.quantity("eth_gasPrice")
        assert info.value.code == "rpc-timeout"
        assert gas_prices(only) == [2]


async def test_answers_of_a_node_are_answers() -> None:
    first, second = ScriptedRpc("first"), ScriptedRpc("second")
    first.replies["eth_call"] = RpcError("eth_call", 3, "execution reverted", "0x1234")
    async with pool_of(first, second) as pool:
        with pytest.raises(RpcError) as info:
            await pool.request("eth_call")
        assert info.value.data == "0x1234"
        assert pool.health[0].state == "ok"
        assert "eth_call" not in second.asked


@pytest.mark.parametrize("message", ["header not found", "missing trie node", "Internal error"])
async def test_what_one_node_lacks_another_is_asked_for(message: str) -> None:
    first, second = ScriptedRpc("first"), ScriptedRpc("second")
    first.replies["eth_call"] = RpcError("eth_call", -32000, message, None)
    second.replies["eth_call"] = "0x07"
    async with pool_of(first, second) as pool:
        assert await pool.data("eth_call") == b"\x07"
        assert pool.health[0].state == "ok"


async def test_who_said_what_is_not_true_is_asked_later() -> None:
    clock, first, second = ManualClock(), ScriptedRpc("first"), ScriptedRpc("second")
    lie = ChainError("zk-verifier-proof-rejected", "the proof holds")
    async with pool_of(first, second, clock=clock) as pool:
        assert pool.distrust(lie)
        await pool.quantity("eth_gasPrice")
        assert gas_prices(first, second) == [0, 1]
        assert pool.health[0].last_error == lie.code
        # Whoever is left is asked, whatever it says.
        assert not pool.distrust(lie)
        await pool.quantity("eth_gasPrice")
        assert gas_prices(first, second) == [0, 2]
        clock.time += Backoff().refused
        await pool.quantity("eth_gasPrice")
        assert gas_prices(first, second) == [1, 2]


async def test_a_result_that_is_none_counts_as_a_fault() -> None:
    first, second = ScriptedRpc("first"), ScriptedRpc("second")
    first.replies["eth_gasPrice"] = "many"
    async with pool_of(first, second) as pool:
        assert await pool.quantity("eth_gasPrice") == 1
        assert pool.health[0].last_error == "rpc-invalid"


async def test_reads_that_belong_together_come_from_one_endpoint() -> None:
    first, second = ScriptedRpc("first"), ScriptedRpc("second")
    seen: list[str] = []

    async def read(one: Rpc) -> int:
        seen.append(one.name)
        head = await one.quantity("eth_blockNumber")
        if one.name.startswith("http://first"):
            first.fail("rpc-unreachable")
        return head + await one.quantity("eth_gasPrice")

    second.replies["eth_blockNumber"] = hex(200)
    async with pool_of(first, second) as pool:
        assert await pool.together(read) == 201
        assert seen == ["http://first.example/…", "http://second.example/…"]


async def test_development_methods_go_to_the_first_endpoint_once() -> None:
    first, second = ScriptedRpc("first"), ScriptedRpc("second")
    async with pool_of(first, second) as pool:
        await pool.quantity("eth_gasPrice")
        first.fail("rpc-unreachable")
        with pytest.raises(ChainError):
            await pool.request("anvil_mine", "0x1")
        assert first.asked.count("anvil_mine") == 1
        assert "anvil_mine" not in second.asked


# --- which chain, which height ---


async def test_an_endpoint_of_another_chain_is_refused() -> None:
    clock, good, other = ManualClock(), ScriptedRpc("good"), ScriptedRpc("other", chain_id=1)
    async with pool_of(other, good, clock=clock) as pool:
        await pool.compare()
        with pytest.raises(ChainError) as info:
            pool.require_one_chain()
        assert info.value.code == "wrong-chain-id"
        assert "http://other.example" in info.value.message
        assert "secret" not in info.value.message
        # A process that runs already goes on with the others.
        clock.time += 10 * 60
        assert await pool.quantity("eth_gasPrice") == 1
        assert gas_prices(other, good) == [0, 1]
        assert pool.health[0].state == "wrong-chain"


async def test_an_endpoint_that_came_back_as_another_chain_is_refused() -> None:
    clock, first, second = ManualClock(), ScriptedRpc("first"), ScriptedRpc("second")
    async with pool_of(first, second, clock=clock) as pool:
        await pool.quantity("eth_gasPrice")
        first.fail("rpc-unreachable")
        await pool.quantity("eth_gasPrice")
        first.heal()
        first.replies["eth_chainId"] = "0x1"
        clock.time += Backoff().most
        before = gas_prices(first)
        assert await pool.quantity("eth_gasPrice") == 1
        assert gas_prices(first) == before
        assert pool.health[0].state == "wrong-chain"


async def test_endpoints_that_are_behind_are_passed_over() -> None:
    behind, ahead = ScriptedRpc("behind", head=94), ScriptedRpc("ahead", head=100)
    async with pool_of(behind, ahead, max_lag=5) as pool:
        await pool.compare()
        await pool.quantity("eth_gasPrice")
        assert gas_prices(behind, ahead) == [0, 1]
        assert [entry.state for entry in pool.health] == ["behind", "ok"]
        assert [entry.head for entry in pool.health] == [94, 100]
        behind.replies["eth_blockNumber"] = hex(95)
        await pool.compare()
        await pool.quantity("eth_gasPrice")
        assert gas_prices(behind, ahead) == [1, 1]
        # Better one that is behind than none.
        behind.replies["eth_blockNumber"] = hex(1)
        await pool.compare()
        ahead.fail("rpc-unreachable")
        assert await pool.quantity("eth_gasPrice") == 1
        assert gas_prices(behind) == [2]


async def test_one_of_three_cannot_put_the_others_behind() -> None:
    honest = [ScriptedRpc("first"), ScriptedRpc("second")]
    liar = ScriptedRpc("liar", head=10**9)
    async with pool_of(*honest, liar) as pool:
        await pool.compare()
        assert [entry.lag for entry in pool.health] == [0, 0, 0]
        await pool.quantity("eth_gasPrice")
        assert gas_prices(*honest, liar) == [1, 0, 0]


async def test_endpoints_are_compared_while_something_is_asked() -> None:
    clock, first, second = ManualClock(), ScriptedRpc("first"), ScriptedRpc("second", head=200)
    async with pool_of(first, second, clock=clock) as pool:

        async def passed_over() -> bool:
            await pool.quantity("eth_gasPrice")
            return pool.health[0].state == "behind"

        await eventually("the first is found to be behind", passed_over)
        first.replies["eth_blockNumber"] = hex(200)
        await pool.quantity("eth_gasPrice")
        assert pool.health[0].state == "behind"  # not at each request
        clock.time += COMPARE_SECONDS

        async def back() -> bool:
            await pool.quantity("eth_gasPrice")
            return pool.health[0].state == "ok"

        await eventually("the first has caught up", back)


# --- transactions ---


async def test_a_transaction_goes_to_all_endpoints() -> None:
    endpoints = [ScriptedRpc(name) for name in ("first", "second", "third")]
    refusal = RpcError("eth_sendRawTransaction", -32000, "transaction pool is full", None)
    endpoints[0].replies["eth_sendRawTransaction"] = refusal
    endpoints[1].replies["eth_sendRawTransaction"] = "0x00"
    endpoints[2].replies["eth_sendRawTransaction"] = "0x00"
    async with pool_of(*endpoints) as pool:
        sent = await pool.request("eth_sendRawTransaction", RAW)
        assert sent == "0x" + keccak(hexstr=RAW).hex()

        async def all_asked() -> bool:
            return all("eth_sendRawTransaction" in entry.asked for entry in endpoints)

        await eventually("each endpoint got it", all_asked)


@pytest.mark.parametrize("text", ["already known", "AlreadyKnown", "known transaction: 0x12"])
async def test_a_transaction_that_is_known_was_taken(text: str) -> None:
    first, second = ScriptedRpc("first"), ScriptedRpc("second")
    first.fail("rpc-unreachable")
    second.replies["eth_sendRawTransaction"] = RpcError(
        "eth_sendRawTransaction", -32000, text, None
    )
    async with pool_of(first, second) as pool:
        assert await pool.request("eth_sendRawTransaction", RAW)


async def test_a_slow_endpoint_does_not_hold_up_an_acceptance() -> None:
    slow, quick = ScriptedRpc("slow"), ScriptedRpc("quick")
    slow.replies["eth_sendRawTransaction"] = asyncio.Event()
    quick.replies["eth_sendRawTransaction"] = "0x00"
    async with pool_of(slow, quick) as pool:
        assert await pool.request("eth_sendRawTransaction", RAW)


async def test_a_refusal_counts_only_where_no_endpoint_may_have_it() -> None:
    first, second = ScriptedRpc("first"), ScriptedRpc("second")
    refusal = RpcError("eth_sendRawTransaction", -32000, "nonce too low", None)
    first.replies["eth_sendRawTransaction"] = refusal
    second.replies["eth_sendRawTransaction"] = ChainError("rpc-timeout", "slow")
    async with pool_of(first, second) as pool:
        with pytest.raises(ChainError) as info:
            await pool.request("eth_sendRawTransaction", RAW)
        assert info.value.code == "rpc-timeout"
        # The silent one rests; the other one's word is what there is.
        with pytest.raises(RpcError) as told:
            await pool.request("eth_sendRawTransaction", RAW)
        assert told.value.rpc_message == "nonce too low"


# --- nonces ---


@pytest.mark.parametrize(
    ("counts", "believed"),
    [
        ([5], 5),
        ([5, 7], 7),
        ([7, 5], 7),
        ([0, 7], 7),
        # Too many to be waiting: the first endpoint decides where there are two,
        ([5, 7 + MOST_WAITING], 5),
        ([7 + MOST_WAITING, 5], 7 + MOST_WAITING),
        # and where there are more, two that agree.
        ([10**6, 5, 7], 7),
        ([5, 10**6, 6], 6),
        ([0, 500, 501], 501),
        ([3, 10**6, 500], 3),
    ],
)
def test_which_count_is_believed(counts: list[int], believed: int) -> None:
    assert believed_count(counts) == believed


async def test_nonces_are_the_highest_that_an_endpoint_counts() -> None:
    endpoints = [ScriptedRpc(name) for name in ("low", "high", "silent", "gone")]
    for endpoint, said in zip(endpoints, ("0x1", "0x9", "nothing", "0x3"), strict=True):
        endpoint.replies["eth_getTransactionCount"] = said
    async with pool_of(*endpoints) as pool:
        endpoints[3].fail("rpc-unreachable")
        assert await pool.quantity("eth_getTransactionCount", "0xab", "pending") == 9
        assert await pool.request("eth_getTransactionCount", "0xab", "pending") == "0x9"
        endpoints[1].fail("rpc-timeout")
        assert await pool.quantity("eth_getTransactionCount", "0xab", "pending") == 1
        endpoints[0].fail("rpc-timeout")
        with pytest.raises(ChainError):
            await pool.quantity("eth_getTransactionCount", "0xab", "pending")


async def test_endpoints_on_one_host_are_told_apart() -> None:
    async with pool_of(ScriptedRpc("one"), ScriptedRpc("two"), ScriptedRpc("one")) as pool:
        assert [entry.name for entry in pool.health] == [
            "http://one.example/…",
            "http://two.example/…",
            "http://one.example/… #2",
        ]


async def test_closing_closes_all_and_what_is_under_way() -> None:
    first, second = ScriptedRpc("first"), ScriptedRpc("second")
    second.replies["eth_blockNumber"] = asyncio.Event()
    async with pool_of(first, second) as pool:
        await pool.quantity("eth_gasPrice")
    assert first.is_closed
    assert second.is_closed


# --- real nodes ---


@asynccontextmanager
async def two_doors(net: Devnet) -> AsyncIterator[tuple[ChainClient, RpcProxy, RpcProxy]]:
    """A client that reaches one node by two proxies."""
    node = net.deployment.rpc_url
    async with rpc_proxy(node) as first, rpc_proxy(node) as second:
        deployment = net.deployment.reached_by([first.url, second.url])
        async with await ChainClient.connect(deployment, request_timeout=5) as client:
            yield client, first, second


@pytest.mark.parametrize(
    "fault",
    [
        HttpStatus(429),
        HttpStatus(503),
        HttpStatus(403),
        Garbage(),
        Hang(30.0),
        RpcFault("internal error"),
    ],
)
async def test_real_faults_are_covered_by_the_other_node(
    isolated_devnet: Devnet, fault: Any
) -> None:
    async with two_doors(isolated_devnet) as (client, first, second):
        first.fail("eth_getBlockByNumber", fault)
        assert (await client.block()).number > 0
        assert second.count("eth_getBlockByNumber") == 1


async def test_transactions_are_sent_through_faults_and_lies(isolated_devnet: Devnet) -> None:
    async with two_doors(isolated_devnet) as (client, first, second):
        sender = Sender(client, isolated_devnet.signers["user"], timeout=30)
        for fault in (Answer("0x0"), HttpStatus(500)):
            first.rules.clear()
            first.fail("eth_getTransactionCount", fault)
            first.fail("eth_sendRawTransaction", HttpStatus(503))
            receipt = await sender.send(calls.mint(sender.address, 1))
            assert receipt.status == 1
        assert second.count("eth_sendRawTransaction") == 2


async def test_one_endpoint_of_another_chain_is_an_error_from_the_start(devnet: Devnet) -> None:
    async with rpc_proxy(devnet.deployment.rpc_url) as elsewhere:
        elsewhere.fail("eth_chainId", Answer("0x1"))
        deployment = replace(devnet.deployment, other_rpc_urls=(elsewhere.url,))
        with pytest.raises(ChainError) as info:
            await ChainClient.connect(deployment)
        assert info.value.code == "wrong-chain-id"
        assert elsewhere.url in info.value.message


async def test_an_endpoint_that_is_away_at_the_start_is_no_obstacle(devnet: Devnet) -> None:
    deployment = devnet.deployment.reached_by(["http://127.0.0.1:9", devnet.deployment.rpc_url])
    async with await ChainClient.connect(deployment) as client:
        assert (await client.block()).number > 0
        assert client.rpc.health[0].last_error == "rpc-unreachable"
