"""An endpoint that answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.core.errors import ChainError

CHAIN_ID = 31337
Reply = Callable[..., Any]


class ScriptedRpc(Rpc):
    """Answers by method; what is no answer but a fault is raised."""

    def __init__(self, name: str, head: int = 100, chain_id: int = CHAIN_ID) -> None:
        super().__init__(f"http://{name}.example/v1/secret")
        self.replies: dict[str, Any] = {
            "eth_chainId": hex(chain_id),
            "eth_blockNumber": hex(head),
            "eth_gasPrice": "0x1",
        }
        self.asked: list[str] = []
        self.is_closed = False

    def fail(self, code: str, **context: Any) -> None:
        """Every request fails from now on."""
        fault = ChainError(code, f"{self.name}: {code}", **context)
        self.replies = {"": fault, "before": self.replies}

    def heal(self) -> None:
        """Answers again."""
        self.replies = self.replies["before"]

    async def request(self, method: str, *params: Any) -> Any:
        self.asked.append(method)
        await asyncio.sleep(0)
        reply = self.replies.get("", self.replies.get(method))
        if callable(reply):
            reply = reply(*params)
        if isinstance(reply, asyncio.Event):
            await reply.wait()
            return None
        if isinstance(reply, BaseException):
            raise reply
        if reply is None and method not in self.replies:
            raise RpcError(method, -32601, "method not found", None)
        return reply

    async def close(self) -> None:
        self.is_closed = True
