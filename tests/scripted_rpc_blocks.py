"""A node that knows two blocks: the latest, and perhaps the one to come."""

from __future__ import annotations

from typing import Any

from gateless.adapters.chain.rpc import Rpc


class BlockRpc(Rpc):
    """Answers for the latest block, and for the one to come where it shows that.

    Args:
        latest: time of the latest block.
        pending: time of the one to come; None where the node shows none.
    """

    def __init__(self, latest: int, pending: int | None) -> None:
        super().__init__("http://blocks.example")
        self._times = {"latest": latest, "pending": pending}

    async def request(self, method: str, *params: Any) -> Any:
        assert method == "eth_getBlockByNumber"
        time = self._times[params[0]]
        if time is None:
            return None
        return {
            "number": "0x5",
            "hash": f"0x{params[0]}",
            "parentHash": "0x",
            "timestamp": hex(time),
        }

    async def close(self) -> None:
        """There is nothing to close."""
