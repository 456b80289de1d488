"""What a client says when the node is away, wrong, or the chain is another one."""

from __future__ import annotations

import asyncio
import email.utils
import json
import pickle
import socket
from dataclasses import replace

import pytest
from gateless.adapters.chain import calls
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.http_rpc import HttpRpc
from gateless.adapters.chain.rpc import RpcError
from gateless.core.errors import ChainError
from gateless.devnet import Devnet
from manual_clock import ManualClock
from rpc_proxy import Answer, DropAfter, Fault, Garbage, Hang, HttpStatus, RpcFault, RpcProxy

TOO_WIDE = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": -32614, "message": "eth_getLogs is limited to a 10,000 range"},
    }
)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_node_is_down(devnet: Devnet) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(ChainError) as info:
        await ChainClient.connect(replace(devnet.deployment, rpc_url=url))
    assert info.value.code == "rpc-unreachable"
    assert url in info.value.message
    assert "gateless devnet" in info.value.hint


async def test_wrong_chain_id(devnet: Devnet) -> None:
    with pytest.raises(ChainError) as info:
        await ChainClient.connect(replace(devnet.deployment, chain_id=11155111, name="sepolia"))
    assert info.value.code == "wrong-chain-id"
    assert info.value.context == {"expected": 11155111, "found": 31337}
    assert "--network" in info.value.hint


@pytest.mark.parametrize("missing", ["InferenceMarket", "ModelRegistry", "token"])
async def test_no_contract_at_the_address(devnet: Devnet, missing: str) -> None:
    nowhere = "0x00000000000000000000000000000000DeaDBeef"
    deployment = devnet.deployment
    if missing == "token":
        deployment = replace(deployment, token=replace(deployment.token, address=nowhere))
    else:
        deployment = replace(deployment, contracts={**deployment.contracts, missing: nowhere})
    with pytest.raises(ChainError) as info:
        await ChainClient.connect(deployment)
    assert info.value.code == "no-contract"
    assert nowhere in info.value.message


async def test_node_that_lost_a_contract_under_a_running_client(
    isolated_devnet: Devnet, behind_proxy: ChainClient, proxy: RpcProxy
) -> None:
    proxy.fail("eth_call", Answer("0x"))
    with pytest.raises(ChainError) as info:
        await behind_proxy.market.request_count()
    # Its contracts were there when the connection was made.
    assert info.value.code == "rpc-invalid"
    assert "the chain was reset" in info.value.hint


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (HttpStatus(429), "rpc-rate-limited"),
        (HttpStatus(503), "rpc-unreachable"),
        (HttpStatus(401), "rpc-refused"),
        (Garbage(), "rpc-invalid"),
        (Garbage(b"[]"), "rpc-invalid"),
        (Garbage(b'{"jsonrpc": "2.0", "id": 1}'), "rpc-invalid"),
        (Garbage(b"\xff\xfe"), "rpc-invalid"),
        (DropAfter(), "rpc-unreachable"),
        (RpcFault("the method is not available"), "rpc-error"),
        (Answer("not a number"), "rpc-invalid"),
        (Answer(None), "rpc-invalid"),
    ],
)
async def test_faults_of_the_endpoint(
    behind_proxy: ChainClient, proxy: RpcProxy, fault: Fault, code: str
) -> None:
    proxy.fail("eth_blockNumber", fault)
    with pytest.raises(ChainError) as info:
        await behind_proxy.rpc.quantity("eth_blockNumber")
    assert info.value.code == code
    assert info.value.to_dict()["context"]["method"] == "eth_blockNumber"


async def test_endpoint_that_does_not_answer(proxy: RpcProxy) -> None:
    proxy.fail("eth_blockNumber", Hang(1.0))
    rpc = HttpRpc(proxy.url, timeout=0.2)
    with pytest.raises(ChainError) as info:
        await rpc.quantity("eth_blockNumber")
    assert info.value.code == "rpc-timeout"
    # It took long enough once: a request that timed out is not repeated.
    assert proxy.count("eth_blockNumber") == 1
    await rpc.close()


async def test_when_to_come_back_is_read_from_the_answer(proxy: RpcProxy) -> None:
    clock = ManualClock()
    rpc = HttpRpc(proxy.url, clock=clock)
    in_a_minute = email.utils.formatdate(clock.now() + 60, usegmt=True)
    for said, seconds in (("7", 7.0), ("0.5", 0.5), (in_a_minute, 60.0), ("soon", None)):
        proxy.rules.clear()
        proxy.fail("eth_blockNumber", HttpStatus(429, {"Retry-After": said}))
        with pytest.raises(ChainError) as info:
            await rpc.quantity("eth_blockNumber")
        assert info.value.code == "rpc-rate-limited"
        assert info.value.context.get("retry_after") == seconds
    await rpc.close()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (RpcFault("project ID request rate exceeded", -32005), "rpc-rate-limited"),
        # Providers send what is wrong with a call by HTTP errors, too.
        (HttpStatus(413, body=TOO_WIDE), "rpc-error"),
        (HttpStatus(400, body=TOO_WIDE), "rpc-error"),
        (HttpStatus(400, body="<html>no</html>"), "rpc-refused"),
        (HttpStatus(403, body=TOO_WIDE), "rpc-refused"),
        (HttpStatus(429, body=TOO_WIDE), "rpc-rate-limited"),
        (HttpStatus(503, body=TOO_WIDE), "rpc-unreachable"),
    ],
)
async def test_errors_in_other_places_than_usual(proxy: RpcProxy, fault: Fault, code: str) -> None:
    rpc = HttpRpc(proxy.url)
    proxy.fail("eth_getLogs", fault)
    with pytest.raises(ChainError) as info:
        await rpc.request("eth_getLogs", {})
    assert info.value.code == code
    if isinstance(info.value, RpcError):
        assert info.value.rpc_message == "eth_getLogs is limited to a 10,000 range"
    await rpc.close()


async def test_short_faults_are_survived(behind_proxy: ChainClient, proxy: RpcProxy) -> None:
    proxy.fail("eth_blockNumber", DropAfter(), times=2)
    assert await behind_proxy.rpc.quantity("eth_blockNumber") > 0
    assert proxy.count("eth_blockNumber") == 3


async def test_answers_that_fit_no_interface(behind_proxy: ChainClient, proxy: RpcProxy) -> None:
    proxy.fail("eth_call", Answer("0x01"))
    with pytest.raises(ChainError) as info:
        await behind_proxy.market.request_count()
    assert info.value.code == "rpc-invalid"


async def test_block_that_the_node_does_not_have(devnet: Devnet) -> None:
    with pytest.raises(ChainError) as info:
        await devnet.client.block(10**9)
    assert info.value.code == "unknown-block"


async def test_blocks_by_number_and_tag(devnet: Devnet) -> None:
    latest = await devnet.client.block()
    assert await devnet.client.block(latest.number) == latest
    pending = await devnet.client.block("pending")
    assert pending.number == latest.number + 1
    assert len(latest.hash) == 66


async def test_closed_client_can_be_used_again(devnet: Devnet) -> None:
    rpc = HttpRpc(devnet.deployment.rpc_url)
    await rpc.quantity("eth_chainId")
    await rpc.close()
    assert await rpc.quantity("eth_chainId") == 31337
    await rpc.close()


async def test_many_requests_at_once_share_connections(devnet: Devnet) -> None:
    async with await ChainClient.connect(devnet.deployment) as client:
        results = await asyncio.gather(*(client.market.request_count() for _ in range(100)))
    assert len(set(results)) == 1


async def test_call_of_an_unknown_name_is_not_sent(devnet: Devnet) -> None:
    with pytest.raises(ChainError) as info:
        calls.abi_of("InferenceMarket").encode_call("setOwner", 1)
    assert info.value.code == "unknown-function"


def test_node_error_survives_a_process_boundary() -> None:
    error = RpcError("eth_call", 3, "execution reverted", "0x1234")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.rpc_code, copy.data, copy.code) == (3, "0x1234", "rpc-error")
