"""A real HTTP server that speaks like Web3Signer, and lies when it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from eth_account import Account
from eth_account.signers.local import LocalAccount

NUMBERS = ("chainId", "nonce", "value", "gas", "gasPrice")
FEES = ("maxFeePerGas", "maxPriorityFeePerGas", "type")


@dataclass
class SignerServer:
    """Signs what it is asked to; ``twist`` changes it first, ``answer`` answers in its place."""

    account: LocalAccount = field(default_factory=Account.create)
    url: str = ""
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    twist: Callable[[dict[str, Any]], dict[str, Any]] = lambda tx: tx
    answer: Callable[[str], web.Response | None] = lambda _method: None
    hang: float = 0.0
    wrapped: bool = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        method, params = body["method"], body["params"]
        self.asked.append((method, params))
        await asyncio.sleep(self.hang)
        instead = self.answer(method)
        if instead is not None:
            return instead
        return web.json_response(
            {"jsonrpc": "2.0", "id": body["id"], "result": self._do(method, params)}
        )

    def _do(self, method: str, params: list[Any]) -> Any:
        match method:
            case "eth_accounts":
                return [self.account.address.lower()]
            case "eth_signTransaction":
                tx = {key: value for key, value in params[0].items() if key != "from"}
                for name in (*NUMBERS, *FEES):
                    if name in tx:
                        tx[name] = int(tx[name], 16)
                raw = (
                    "0x"
                    + bytes(self.account.sign_transaction(self.twist(tx)).raw_transaction).hex()
                )
                return {"raw": raw, "tx": {}} if self.wrapped else raw
            case "eth_signTypedData":
                document = self.twist(json.loads(params[1]))
                return (
                    "0x"
                    + bytes(self.account.sign_typed_data(full_message=document).signature).hex()
                )
        raise AssertionError(method)


@asynccontextmanager
async def signer_server() -> AsyncIterator[SignerServer]:
    """A signer with one account on a free port."""
    server = SignerServer()
    application = web.Application()
    application.router.add_post("/", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()
