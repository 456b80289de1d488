"""Nonces of one account: handed out once, forgotten once it is clear what became of them."""

from __future__ import annotations

import asyncio

from gateless.adapters.chain.rpc import Rpc


class NonceBook:
    """Hands out nonces.

    The node counts what it has seen; the book remembers what was handed out and is not there yet.
    A nonce given back is the next one handed out, so that no gap holds up those after it.
    """

    def __init__(self, rpc: Rpc, address: str) -> None:
        self._rpc = rpc
        self._address = address
        self._lock = asyncio.Lock()
        self._handed_out: set[int] = set()

    async def reserve(self) -> int:
        """The lowest nonce that is neither known to the node nor handed out."""
        async with self._lock:
            nonce = await self._rpc.quantity("eth_getTransactionCount", self._address, "pending")
            self._handed_out = {entry for entry in self._handed_out if entry >= nonce}
            while nonce in self._handed_out:
                nonce += 1
            self._handed_out.add(nonce)
            return nonce

    def release(self, nonce: int) -> None:
        """Forgets a nonce: its transaction was never sent, or the node counts it by now."""
        self._handed_out.discard(nonce)
