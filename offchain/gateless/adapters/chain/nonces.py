"""Nonces of one account: handed out once, forgotten once it is clear what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.chain.rpc import Rpc

#: Writes an attempt down before it is sent.
Keep = Callable[[PreparedTx], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Taken:
    """A nonce that was handed out.

    Attributes:
        attempts: what was signed with it for one thing, oldest first; shared by all that follow it.
        keep: writes each further attempt down.
        followers: how many wait for it.
        left_at: since when nobody waits, although it may still be mined; None otherwise.
    """

    attempts: list[PreparedTx] = field(default_factory=list)
    keep: Keep | None = None
    followers: int = 0
    left_at: float | None = None

    def is_about(self, attempts: Sequence[PreparedTx]) -> bool:
        """Whether these are attempts at the same thing."""
        own = {attempt.tx_hash for attempt in self.attempts}
        return not own or any(attempt.tx_hash in own for attempt in attempts)

    def merge(self, attempts: Sequence[PreparedTx]) -> None:
        """Takes over attempts that it lacks."""
        own = {attempt.tx_hash for attempt in self.attempts}
        self.attempts += [attempt for attempt in attempts if attempt.tx_hash not in own]


class NonceBook:
    """Hands out nonces.

    The node counts what it has seen; the book remembers what was handed out and is not there yet,
    and what may still be mined although nobody waits for it. A nonce given back is the next one
    handed out, so that no gap holds up those after it.
    """

    def __init__(self, rpc: Rpc, address: str) -> None:
        self._rpc = rpc
        self._address = address
        self._lock = asyncio.Lock()
        self._taken: dict[int, Taken] = {}
        #: Held by whoever cares for what comes first: one is enough.
        self.clearing = asyncio.Lock()

    async def count(self, block: str) -> int:
        """The account's transactions as the node counts them: ``latest`` or ``pending``."""
        return await self._rpc.quantity("eth_getTransactionCount", self._address, block)

    async def reserve(self) -> int:
        """The lowest nonce that is neither known to the node nor taken."""
        async with self._lock:
            nonce = await self.count("pending")
            while nonce in self._taken:
                nonce += 1
            self._taken[nonce] = Taken()
            return nonce

    def follow(self, attempts: Sequence[PreparedTx], keep: Keep | None) -> Taken:
        """Somebody waits for what was signed with a nonce; ends by :meth:`leave` or ``release``."""
        nonce = attempts[0].nonce
        taken = self._taken.setdefault(nonce, Taken())
        if not taken.is_about(attempts):
            taken = self._taken[nonce] = Taken()
        taken.merge(attempts)
        taken.keep = taken.keep or keep
        taken.followers += 1
        taken.left_at = None
        return taken

    def leave(self, taken: Taken, now: float) -> None:
        """One less waits. What nobody waits for may still be mined."""
        taken.followers -= 1
        if taken.followers == 0:
            taken.left_at = now

    def adopt(self, attempts: Sequence[PreparedTx], keep: Keep | None, now: float) -> None:
        """Remembers what an earlier run may have sent."""
        self.leave(self.follow(attempts, keep), now)

    def release(self, nonce: int) -> None:
        """Forgets a nonce: its transaction was never sent, or the node counts it by now."""
        self._taken.pop(nonce, None)

    async def obstacle(self, below: int) -> int | Taken | None:
        """What holds up a transaction with this nonce.

        Returns:
            A nonce that neither a node nor anybody here has: the caller holds it from now on. Or
            a transaction that nobody waits for. None where somebody cares for what comes first.
        """
        async with self._lock:
            latest, pending = await self.count("latest"), await self.count("pending")
            self._taken = {
                nonce: taken
                for nonce, taken in self._taken.items()
                if nonce >= latest or taken.followers > 0
            }
            for nonce in (latest, max(latest, pending)):
                taken = self._taken.get(nonce)
                if nonce < below and taken is not None and taken.left_at is not None:
                    return taken
            missing = max(latest, pending)
            if missing >= below or missing in self._taken:
                return None
            self._taken[missing] = Taken()
            return missing
