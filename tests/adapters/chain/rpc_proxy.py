"""A real HTTP proxy in front of a node, which fails the way networks and providers fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web


@dataclass(frozen=True)
class HttpStatus:
    """The proxy answers with an HTTP error; the node never sees the request."""

    status: int
    headers: dict[str, str] = field(default_factory=dict, hash=False)
    body: str = ""


@dataclass(frozen=True)
class RpcFault:
    """The proxy answers with a JSON-RPC error; the node never sees the request."""

    message: str
    code: int = -32000
    data: Any = None


@dataclass(frozen=True)
class Answer:
    """The proxy answers itself."""

    result: Any


@dataclass(frozen=True)
class Garbage:
    """The proxy answers with something that is no JSON-RPC."""

    body: bytes = b"<html>welcome</html>"


@dataclass(frozen=True)
class Hang:
    """The proxy does not answer for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class DropAfter:
    """The node gets the request and acts on it; the connection breaks before the answer."""


Fault = HttpStatus | RpcFault | Answer | Garbage | Hang | DropAfter
Rule = Callable[[str, list[Any]], Fault | None]


@dataclass
class RpcProxy:
    """Rules are asked in order; the first fault is what happens, else the node answers."""

    node: str
    url: str = ""
    rules: list[Rule] = field(default_factory=list)
    seen: list[tuple[str, list[Any]]] = field(default_factory=list)

    def fail(self, method: str, fault: Fault, times: int = 1_000_000) -> None:
        """The next so many requests of a method fail."""
        left = times

        def rule(asked: str, _params: list[Any]) -> Fault | None:
            nonlocal left
            if asked != method or left == 0:
                return None
            left -= 1
            return fault

        self.rules.append(rule)

    def count(self, method: str) -> int:
        """How often a method was asked."""
        return sum(1 for asked, _ in self.seen if asked == method)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        method, params = body["method"], body["params"]
        self.seen.append((method, params))
        fault = next((found for rule in self.rules if (found := rule(method, params))), None)
        match fault:
            case HttpStatus(status, headers, text):
                return web.Response(status=status, headers=headers, text=text)
            case RpcFault(message, code, data):
                error = {"code": code, "message": message, "data": data}
                return web.json_response({"jsonrpc": "2.0", "id": body["id"], "error": error})
            case Answer(result):
                return web.json_response({"jsonrpc": "2.0", "id": body["id"], "result": result})
            case Garbage(raw):
                return web.Response(body=raw)
            case Hang(seconds):
                await asyncio.sleep(seconds)
        async with ClientSession() as session, session.post(self.node, json=body) as answer:
            raw = await answer.read()
        if isinstance(fault, DropAfter):
            assert request.transport is not None
            request.transport.abort()
        return web.Response(body=raw, content_type="application/json")


@asynccontextmanager
async def rpc_proxy(node: str) -> AsyncIterator[RpcProxy]:
    """A proxy on a free port in front of ``node``."""
    proxy = RpcProxy(node)
    application = web.Application()
    application.router.add_post("/", proxy.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        proxy.url = f"http://127.0.0.1:{port}"
        yield proxy
    finally:
        await runner.cleanup()
