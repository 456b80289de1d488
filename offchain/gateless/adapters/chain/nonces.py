"""Nonces of one account: handed out once, forgotten once it is clear what became of them.

Endpoints count an account's transactions, and may count too many: then whatever is signed waits
behind a gap for ever. So a count is believed as far as it is explained: by what was handed out
here, by what is known to be mined, or else by transactions that can be shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gateless.adapters.chain.account_turns import AccountTurns
from gateless.adapters.chain.nonce_users import is_refuted, waiting_nonces
from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.chain.rpc import Rpc
from gateless.adapters.quiet_log import QuietLog

#: Gaps filled at a time; nodes keep as many waiting transactions of an account for sure (geth's
#: ``--txpool.accountslots``).
_FILLED_AT_ONCE = 16

log = QuietLog(__name__)

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

    Nodes count what they have seen; the book remembers what was handed out and is not there yet,
    and what may still be mined although nobody waits for it. A nonce given back is the next one
    handed out, so that no gap holds up those after it.
    """

    def __init__(self, rpc: Rpc, address: str, turns: AccountTurns | None = None) -> None:
        self._rpc = rpc
        self._turns = turns
        #: What ends the turns of nonces that no node has seen yet.
        self._unseen: dict[int, Callable[[], None]] = {}
        self._address = address
        self._lock = asyncio.Lock()
        self._taken: dict[int, Taken] = {}
        #: Every nonce below was used at some time, proven by a receipt or a block.
        self._proven = 0
        #: What was counted without proof: from the start, or after a reorganisation.
        self._believed: int | None = None
        #: Held by whoever cares for what comes first: one is enough.
        self.clearing = asyncio.Lock()

    async def mined(self) -> int:
        """How many transactions of the account are mined: the highest count that is explained.

        Raises:
            ChainError: no endpoint could say.
        """
        counts = sorted(set(await self._counts("latest")), reverse=True)
        if self._believed is None:
            self._believed = self._proven or counts[-1]
        for count in counts:
            if await self._is_explained(count):
                self._believed = min(self._believed, counts[0])
                return count
        # Nobody counts what must be true: what is unexplained first is the next one.
        return self._first_unexplained()

    async def reserve(self) -> int:
        """The lowest nonce that is neither taken nor shown to be used or waiting.

        No other process of this machine takes one until it is :meth:`shown` or released.

        Raises:
            ChainError: no endpoint could say.
        """
        leave = None if self._turns is None else await self._turns.enter()
        try:
            async with self._lock:
                _, nonce = await self._frontier()
                while nonce in self._taken:
                    nonce += 1
                self._taken[nonce] = Taken()
        except BaseException:
            if leave is not None:
                leave()
            raise
        if leave is not None:
            self._unseen[nonce] = leave
        return nonce

    def shown(self, nonce: int) -> None:
        """Nodes were given a nonce's transaction: from now on they count it."""
        leave = self._unseen.pop(nonce, None)
        if leave is not None:
            leave()

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
        """Forgets a nonce: its transaction was never sent, or the chain shows what used it."""
        self._taken.pop(nonce, None)
        self.shown(nonce)

    def used(self, nonce: int) -> None:
        """A nonce was used: the chain shows by what."""
        self._proven = max(self._proven, nonce + 1)
        self.release(nonce)

    async def obstacle(self, below: int) -> Sequence[int] | Taken:
        """What holds up a transaction with this nonce.

        Returns:
            Nonces that neither a node nor anybody here has: the caller holds them from now on. Or a
            transaction that nobody waits for. Nothing where somebody cares for what comes first.

        Raises:
            ChainError: no endpoint could say.
        """
        async with self._lock:
            latest, frontier = await self._frontier()
            self._taken = {
                nonce: taken
                for nonce, taken in self._taken.items()
                if nonce >= latest or taken.followers > 0
            }
            for nonce in (latest, frontier):
                taken = self._taken.get(nonce)
                if nonce < below and taken is not None and taken.left_at is not None:
                    return taken
            missing: list[int] = []
            while frontier < below and frontier not in self._taken:
                if len(missing) == _FILLED_AT_ONCE:
                    break
                self._taken[frontier] = Taken()
                missing.append(frontier)
                frontier += 1
            return missing

    # --- what is believed ---

    async def _counts(self, block: str) -> list[int]:
        method, address = "eth_getTransactionCount", self._address
        return await self._rpc.everywhere(lambda one: one.quantity(method, address, block))

    async def _frontier(self) -> tuple[int, int]:
        """How many transactions are mined, and the first nonce after those that a node has."""
        latest, counts = await asyncio.gather(self.mined(), self._counts("pending"))
        pending, frontier, shown = max(counts), latest, None
        while frontier < pending:
            if frontier >= self._proven and frontier not in self._taken:
                if shown is None:
                    shown = await waiting_nonces(self._rpc, self._address)
                if frontier not in shown:
                    log.warning("nonce-not-shown", nonce=frontier, pending=pending)
                    break
            frontier += 1
        return latest, frontier

    def _first_unexplained(self) -> int:
        first = max(self._proven, self._believed or 0)
        while first in self._taken:
            first += 1
        return first

    async def _is_explained(self, count: int) -> bool:
        """Whether so many transactions may be mined: they are our own, or the chain shows them."""
        if count <= self._first_unexplained():
            return True
        if await is_refuted(self._rpc, self._address, count - 1):
            log.error("nonce-not-used", count=count, believed=self._first_unexplained())
            return False
        self._believed = count
        return True
