"""Endpoints whose answers are no answers: the wrong kind of thing, broken JSON, or without end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web
from gateless.adapters.chain.calls import approve
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.http_rpc import HttpRpc
from gateless.adapters.chain.lane import Lane, SendingPolicy
from gateless.adapters.chain.results import CHECKED
from gateless.adapters.chain.rpc_pool import RpcPool
from gateless.adapters.chain.sender import Sender
from gateless.adapters.clock import SystemClock
from gateless.core.errors import ChainError, GatelessError
from gateless.devnet import Devnet
from rpc_proxy import Answer, RpcProxy

STRANGE: list[Any] = [
    *({}, [], [[]], [5], ["0x1"], [{}], {"result": {}}, {"number": 5}, {"logs": None}),
    *(5, -1, 0.5, True, False, None),
    *("0x", "zz", "0xzz", "", "0x0", "0x1", "-0x1", " 0x1", "0x" + "f" * 65, "0x" + "f" * 99_999),
    *("0x" + "ab" * 20, "0x" + "ab" * 32, "é", "\x00"),
]
#: What is an answer all the same, by method.
_NUMBERS = ("0x0", "0x1")
_NONE = (None,)
FITTING: dict[str, tuple[Any, ...]] = {
    "eth_call": ("0x", "0x" + "ab" * 20, "0x" + "ab" * 32),
    "eth_getCode": ("0x", "0x" + "ab" * 20, "0x" + "ab" * 32),
    "eth_getLogs": ([],),
    "eth_sendRawTransaction": ("0x" + "ab" * 32,),
    "eth_getBlockByNumber": _NONE,
    "eth_getTransactionByHash": _NONE,
    "eth_getTransactionReceipt": _NONE,
    "eth_blockNumber": _NUMBERS,
    "eth_estimateGas": _NUMBERS,
    "eth_getTransactionCount": _NUMBERS,
}
_WIDE = (*_NUMBERS, "0x" + "ab" * 20, "0x" + "ab" * 32)
#: Longer than any answer that is read.
_ENDLESS_BYTES = 256 * 2**20

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post("/", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("method", sorted(CHECKED))
async def test_only_what_fits_a_method_is_its_result(method: str) -> None:
    said: Any = None

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": said})

    async with served(answer) as url:
        rpc = HttpRpc(url)
        for said in STRANGE:
            kind = type(said)
            fits = any(type(fit) is kind and fit == said for fit in FITTING.get(method, _WIDE))
            if fits:
                assert await rpc.request(method) == said
                continue
            with pytest.raises(ChainError) as info:
                await rpc.request(method)
            assert info.value.code == "rpc-invalid", said
        await rpc.close()


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"result": ' + b"[" * 100_000,
        b'{"result": ' + b"9" * 10_000 + b"}",
        b'{"result": NaN}',
        b'{"error": 5, "result": "0x1"}',
        b'{"error": {"code": true, "message": {"a": []}, "data": {"data": [1]}}}',
        b'{"error": {"message": null}}',
        b"\xff\xfe\x00",
        b"null",
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_bodies_that_are_no_answers(body: bytes) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="application/json")

    async with served(answer) as url:
        rpc = HttpRpc(url)
        with pytest.raises(ChainError):
            await rpc.request("eth_blockNumber")
        await rpc.close()


@pytest.mark.parametrize("method", ["eth_blockNumber", "eth_getLogs"])
async def test_of_an_endless_answer_no_more_is_read_than_an_answer_can_have(method: str) -> None:
    sent = 0
    left = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        try:
            await response.prepare(request)
            while sent < _ENDLESS_BYTES:
                await response.write(b"0" * 2**20)
                sent += 2**20
        except ConnectionError:
            left.set()
        return response

    async with served(answer) as url:
        rpc = HttpRpc(url)
        with pytest.raises(ChainError) as info:
            await rpc.request(method)
        assert info.value.code == "rpc-invalid"
        await asyncio.wait_for(left.wait(), 60)
        assert sent < _ENDLESS_BYTES // 4
        await rpc.close()


async def test_another_endpoint_answers_for_an_endless_one() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        try:
            await response.prepare(request)
            for _ in range(_ENDLESS_BYTES // 2**20):
                await response.write(b"0" * 2**20)
        except ConnectionError:
            pass
        return response

    async def right(request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": "0x7"})

    async with served(endless) as bad, served(right) as good:
        pool = RpcPool([HttpRpc(bad, retries=1), HttpRpc(good, retries=1)], 7)
        assert await pool.quantity("eth_gasPrice") == 7
        await pool.close()


@pytest.mark.parametrize("strange", ["0x", "0x01", {}, None, 5, "zz"], ids=json.dumps)
async def test_contracts_are_read_from_the_endpoint_that_has_them(
    isolated_devnet: Devnet, proxy: RpcProxy, strange: Any
) -> None:
    devnet = isolated_devnet
    both = devnet.deployment.reached_by([proxy.url, devnet.deployment.rpc_url])
    async with await ChainClient.connect(both) as client:
        right = await devnet.client.market.request_count()
        proxy.fail("eth_call", Answer(strange))
        assert await client.market.request_count() == right
        assert proxy.count("eth_call") > 0


@pytest.mark.parametrize("strange", [{}, [], 5, "0x", "zz", True, None], ids=json.dumps)
async def test_whatever_is_answered_strangely_fails_with_a_code(
    isolated_devnet: Devnet, proxy: RpcProxy, strange: Any
) -> None:
    signer = isolated_devnet.signers["user"]
    # Without a pool, which would ask again and again.
    client = ChainClient(isolated_devnet.deployment, HttpRpc(proxy.url, retries=1))
    lane = Lane(client, signer, SystemClock(), SendingPolicy(), None)
    sender = Sender(client, signer)
    steps: list[Callable[[], Awaitable[object]]] = [
        lane.market_fees,
        lambda: lane.receipt("0x" + "ab" * 32),
        lambda: lane.is_known("0x" + "ab" * 32),
        lambda: client.block("pending"),
        lambda: client.native_balance(signer.address),
        lambda: client.market.request_count(),
        lambda: client.events(["RequestCreated"], 0),
        lambda: client.rpc.code(signer.address),
        lambda: client.nonces(signer.address).mined(),
        lambda: sender.prepare(approve(signer.address, 1)),
    ]
    for method in sorted(CHECKED):
        proxy.rules.clear()
        proxy.fail(method, Answer(strange))
        for step in steps:
            with suppress(GatelessError):  # another error, or none that is caught, is a defect
                await step()
    await client.close()
