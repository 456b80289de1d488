"""A private relay over HTTP in front of a node: it may hold transactions back, or refuse them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web


@dataclass
class RelayServer:
    """Gives the node what it was handed, as long as ``works``; ``refusal`` refuses it in words."""

    node: str
    url: str = ""
    works: bool = True
    refusal: str = ""
    asked: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def handed(self) -> set[str]:
        """Signed transactions that it saw."""
        return {param["tx"] if isinstance(param, dict) else param for _, param in self.asked}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        (param,) = body["params"]
        self.asked.append((body["method"], param))
        raw = param["tx"] if isinstance(param, dict) else param
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": body["id"]}
        if self.refusal:
            return web.json_response(answer | {"error": {"code": -32000, "message": self.refusal}})
        if not self.works:
            return web.json_response(answer | {"result": "0x" + "00" * 32})
        question = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw]}
        async with ClientSession() as session, session.post(self.node, json=question) as said:
            return web.json_response(answer | {"result": (await said.json()).get("result")})


@asynccontextmanager
async def relay_server(node: str) -> AsyncIterator[RelayServer]:
    """A relay on a free port in front of ``node``."""
    relay = RelayServer(node)
    application = web.Application()
    application.router.add_post("/", relay.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        relay.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield relay
    finally:
        await runner.cleanup()
