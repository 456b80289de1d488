"""A proxy in front of a node that goes wrong in all the ways that endpoints do.

A :class:`Fault` says for which calls, how often, and how. Executors poll over HTTP and subscribe to
nothing, so a dropped subscription is a dropped connection here.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiohttp import ClientConnectionError, ClientError, ClientSession, ClientTimeout, web
from eth_utils.crypto import keccak

Call = dict[str, Any]
Answer = dict[str, Any]
#: Asks the node itself.
Node = Callable[[Call], Awaitable[Answer]]


@dataclass
class Fault:
    """What goes wrong with some calls.

    Attributes:
        methods: the calls; empty for all.
        times: how often it happens; None for as long as it is there.
        share: it happens to one of so many of those calls, by chance: what strikes every n-th call
            strikes the same call of each look.
        seen: calls that it could have happened to.
    """

    methods: frozenset[str] = frozenset()
    times: int | None = None
    share: int = 1
    seen: int = 0
    chance: Random = field(default_factory=lambda: Random(1))

    def strikes(self, call: Call) -> bool:
        """Whether it happens to a call; counts."""
        if self.methods and call["method"] not in self.methods:
            return False
        self.seen += 1
        if self.chance.random() * self.share >= 1 or self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    async def answer(self, request: web.Request, call: Call, node: Node) -> web.StreamResponse:
        """What the caller gets in place of the node's answer."""
        raise NotImplementedError


@dataclass
class Status(Fault):
    """An HTTP status, with ``Retry-After`` where that is given."""

    status: int = 500
    retry_after: str | None = None

    async def answer(self, request: web.Request, call: Call, node: Node) -> web.StreamResponse:
        headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        return web.Response(status=self.status, headers=headers, text="no")


@dataclass
class Refusal(Fault):
    """A JSON-RPC error."""

    code: int = -32603
    message: str = "internal error"

    async def answer(self, request: web.Request, call: Call, node: Node) -> web.StreamResponse:
        error = {"code": self.code, "message": self.message}
        return web.json_response({"jsonrpc": "2.0", "id": call["id"], "error": error})


@dataclass
class Garbage(Fault):
    """Bytes that are no JSON."""

    body: bytes = b"<html>maintenance</html>"

    async def answer(self, request: web.Request, call: Call, node: Node) -> web.StreamResponse:
        return web.Response(body=self.body)


@dataclass
class Endless(Fault):
    """An answer that goes on for longer than any is read, and does not stop by itself."""

    most_bytes: int = 256 * 2**20

    async def answer(self, request: web.Request, call: Call, node: Node) -> web.StreamResponse:
        response = web.StreamResponse()
        with suppress(ConnectionError):
            await response.prepare(request)
            for _ in range(self.most_bytes // 2**20):
                await response.write(b"0" * 2**20)
        return response


@dataclass
class Hangup(Fault):
    """The connection breaks; ``after_call`` says whether the node got the call before."""

    after_call: bool = False

    async def answer(self, request: web.Request, call: Call, node: Node) -> web.StreamResponse:
        if self.after_call:
            await node(call)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


@dataclass
class Late(Fault):
    """The answer comes after a while: longer than the caller's patience, it is a timeout."""

    seconds: float = 2.0
    after_call: bool = True

    async def answer(self, request: web.Request, call: Call, node: Node) -> web.StreamResponse:
        said = await node(call) if self.after_call else None
        await asyncio.sleep(self.seconds)
        return web.json_response(said or await node(call))


@dataclass
class TakenYetRefused(Fault):
    """The node takes the call, and the caller is told that it failed."""

    status: int = 502

    async def answer(self, request: web.Request, call: Call, node: Node) -> web.StreamResponse:
        await node(call)
        return web.Response(status=self.status, text="bad gateway")


@dataclass
class Result(Fault):
    """Another result in place of the node's."""

    change: Callable[[Any], Any] = lambda result: result

    async def answer(self, request: web.Request, call: Call, node: Node) -> web.StreamResponse:
        said = await node(call)
        if "result" in said:
            said = said | {"result": self.change(said["result"])}
        return web.json_response(said)


@dataclass
class Swallowed(Fault):
    """The caller is told the hash of a transaction that the node never got."""

    async def answer(self, request: web.Request, call: Call, node: Node) -> web.StreamResponse:
        raw = bytes.fromhex(call["params"][0].removeprefix("0x"))
        return web.json_response(
            {"jsonrpc": "2.0", "id": call["id"], "result": "0x" + keccak(raw).hex()}
        )


_BY_HEIGHT = {"eth_getBalance": 1, "eth_call": 1, "eth_getTransactionCount": 1, "eth_getCode": 1}


@dataclass
class Stale(Fault):
    """Answers as the node would have ``blocks`` blocks ago: a load balancer's slow machine."""

    blocks: int = 2

    async def answer(self, request: web.Request, call: Call, node: Node) -> web.StreamResponse:
        said = await node({"jsonrpc": "2.0", "id": 0, "method": "eth_blockNumber", "params": []})
        height = max(int(said["result"], 16) - self.blocks, 0)
        method, params = call["method"], list(call["params"])
        if method == "eth_blockNumber":
            return web.json_response({"jsonrpc": "2.0", "id": call["id"], "result": hex(height)})
        if method == "eth_getBlockByNumber":
            params[0] = self._lowered(params[0], height)
            if params[0] is None:
                return web.json_response({"jsonrpc": "2.0", "id": call["id"], "result": None})
        elif method == "eth_getLogs" and "toBlock" in params[0]:
            top = params[0]["toBlock"]
            known = height if top in ("latest", "pending") else min(int(top, 16), height)
            params[0] = params[0] | {"toBlock": hex(known)}
        elif method == "eth_getTransactionReceipt":
            answer = await node(call)
            found = answer.get("result")
            if found and int(found["blockNumber"], 16) > height:
                answer = answer | {"result": None}
            return web.json_response(answer)
        elif method in _BY_HEIGHT and params[-1] in ("latest", "pending"):
            params[-1] = hex(height)
        return web.json_response(await node(call | {"params": params}))

    @staticmethod
    def _lowered(block: str, height: int) -> str | None:
        if block in ("latest", "pending", "safe", "finalized"):
            return hex(height)
        if block.startswith("0x") and int(block, 16) > height:
            return None
        return block


@dataclass
class FaultyRpc:
    """A proxy; ``faults`` may change at any time, the first one that strikes counts.

    Attributes:
        node: the endpoint behind it.
        url: of the proxy.
        asked: how often each call was made.
        struck: how often something went wrong.
        under_way: calls that the node has not answered yet.
        quiet: set while there are none.
        is_shut: whether no call reaches the node.
    """

    node: str
    session: ClientSession
    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    struck: int = 0
    under_way: int = 0
    quiet: asyncio.Event = field(default_factory=asyncio.Event)
    is_shut: bool = False
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        call = await request.json()
        self.asked[call["method"]] = self.asked.get(call["method"], 0) + 1
        try:
            for fault in self.faults:
                if fault.strikes(call):
                    self.struck += 1
                    return await fault.answer(request, call, self._node)
            return web.json_response(await self._node(call))
        except (ClientError, OSError):
            return web.Response(status=503, text="the node is away")

    @asynccontextmanager
    async def shut(self) -> AsyncIterator[None]:
        """Keeps all calls from the node, from when the last one under way is answered."""
        self.is_shut = True
        try:
            if self.under_way:
                await self.quiet.wait()
            yield
        finally:
            self.is_shut = False

    async def _node(self, call: Call) -> Answer:
        if self.is_shut:
            raise ClientConnectionError("nothing reaches the node")
        self.under_way += 1
        self.quiet.clear()
        try:
            async with self.session.post(self.node, json=call) as said:
                answer: Answer = await said.json()
                return answer
        finally:
            self.under_way -= 1
            if not self.under_way:
                self.quiet.set()


@asynccontextmanager
async def faulty_rpc(node: str, *faults: Fault) -> AsyncIterator[FaultyRpc]:
    """A proxy on a free port in front of ``node``."""
    async with ClientSession(timeout=ClientTimeout(total=60)) as session:
        proxy = FaultyRpc(node, session, faults=[*faults])
        application = web.Application(client_max_size=1 << 26)
        application.router.add_post("/", proxy.handle)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield proxy
        finally:
            await runner.cleanup()
