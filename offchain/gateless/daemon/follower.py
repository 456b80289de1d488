"""Following the chain: every event of every block once, in order, whatever forks and pauses.

``docs/following-the-chain.md`` says how it works, what it guarantees and what it does not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from gateless.adapters.chain.events import LogDecoder, scan_logs
from gateless.adapters.chain.headers import Header, read_header, read_headers
from gateless.adapters.chain.rpc import Rpc
from gateless.core.errors import ChainError
from gateless.core.types import Block, Event
from gateless.daemon.fork_point import find_fork, head_above
from gateless.daemon.journals import REMEMBERED_BLOCKS, Position
from gateless.daemon.linked_blocks import Forked, LinkedBlocks, require_same_blocks

#: Blocks read and stored at a time, so that a long catch-up survives an interruption.
DEFAULT_SPAN = 2_000
#: The newest blocks are read header by header, each of which names the one before it.
DEFAULT_LINKED = 32
#: Answers of an endpoint that a stretch is made of at most: the more, the likelier one fails.
_CHUNKS_IN_STRETCH = 8
#: A chain that looks shorter than what was read is held to be a node that is behind so many times.
_LOOKS_BEHIND = 3

log = structlog.get_logger(__name__)


class Chain(Protocol):
    """What is read: a :class:`~gateless.adapters.chain.client.ChainClient` is one."""

    rpc: Rpc
    logs: LogDecoder


class CursorStore(Protocol):
    """Where a consumer keeps what it read, and up to where."""

    async def positions(self, limit: int = REMEMBERED_BLOCKS) -> Sequence[Position]:
        """The last positions stored with stretches, the highest first."""
        ...

    async def rewind(self, ancestor: int) -> None:
        """Forgets, in one step, positions and all that was read above block ``ancestor``.

        ``ancestor`` is a stored position's number, or the block before the first one.
        """
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """A look at the chain.

    Attributes:
        head: the latest block.
        ancestor: where the store was taken back to, as what it had read above is no longer part of
            the chain; None where all of it is.
    """

    head: Block
    ancestor: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Blocks that follow on those stored before.

    Attributes:
        first: number of the first block.
        last: the last block; to be stored in one step with what the events told.
        events: of all its blocks, in the order of the chain.
        times: Unix seconds of the blocks that hold events; empty unless the follower was told to.
    """

    first: int
    last: Position
    events: tuple[Event, ...]
    times: Mapping[int, int] = field(default_factory=dict)


class Follower:
    """Reads the blocks of a chain in order and takes the consumer back where the chain forked.

    A consumer stores what a stretch told, and :attr:`Stretch.last`, in one transaction, before it
    asks for the next one::

        async for stretch in follower.poll():
            await store.advance(stretch)

    Args:
        chain: what is read.
        names: events; ``Contract.Event`` where several contracts have one of that name.
        cursor: the consumer's store.
        start_block: the first block.
        confirmations: blocks that must follow a block before it is read.
        span: most blocks in a stretch.
        linked: the newest so many blocks are read header by header: forks are seen to the block and
            logs that a provider left out are noticed. 0 turns that off.
        timestamps: whether stretches tell the times of blocks that hold events.
    """

    def __init__(
        self,
        chain: Chain,
        names: Sequence[str],
        cursor: CursorStore,
        *,
        start_block: int,
        confirmations: int = 0,
        span: int = DEFAULT_SPAN,
        linked: int = DEFAULT_LINKED,
        timestamps: bool = False,
    ) -> None:
        self._chain = chain
        self._names = tuple(names)
        self._cursor = cursor
        # The first block of all holds no transaction, and Anvil makes another one when it starts
        # from a saved state: the block after it would follow on nothing.
        self._start = max(1, start_block)
        self._confirmations = confirmations
        self._span = span
        self._linked = linked
        self._timestamps = timestamps
        self._blocks = LinkedBlocks(chain.logs, self._names)
        self._looks_behind = 0

    async def poll(self) -> AsyncIterator[Stretch]:
        """Everything up to the head, less the confirmations; first takes the store back to where
        the chain forked.

        Raises:
            ChainError: the chain cannot be read now; what was stored stays.
        """
        look = await self.look()
        async for stretch in self.read(look.head):
            yield stretch

    async def look(self) -> Look:
        """The head; takes the store back to the last block read that is still part of the chain.

        Raises:
            ChainError: ``rpc-behind`` where the node does not have the last block read and shows no
                other in its place, and those of the transport.
        """
        cursor = await self._cursor.positions(1)
        holds = await self._chain.rpc.together(lambda one: head_above(one, cursor))
        if holds is not None:
            self._looks_behind = 0
            return Look(holds)
        positions = await self._cursor.positions()
        head, above = await self._find_fork(positions)
        ancestor = None
        if above is not None:
            ancestor = positions[above].number if above < len(positions) else self._start - 1
        if ancestor is not None:
            log.warning("chain-reorganised", cursor=positions[0].number, ancestor=ancestor)
            await self._cursor.rewind(ancestor)
        return Look(head, ancestor)

    async def read(self, head: Block) -> AsyncIterator[Stretch]:
        """The blocks between the cursor and ``head``, less the confirmations.

        Ends early where the chain forks meanwhile; the next look finds where.

        Raises:
            ChainError: the chain cannot be read now; what was stored stays.
        """
        stored = await self._cursor.positions(1)
        cursor = stored[0] if stored else None
        last = head.number - self._confirmations
        while (self._start if cursor is None else cursor.number + 1) <= last:
            try:
                stretch = await self._next(cursor, last)
            except Forked as fork:
                log.info("forked-while-read", cursor=cursor and cursor.number, why=str(fork))
                return
            yield stretch
            cursor = stretch.last

    async def _find_fork(self, positions: Sequence[Position]) -> tuple[Block, int | None]:
        """The head, and which position is the first that holds, if that is not the cursor."""
        rpc = self._chain.rpc
        try:
            found = await rpc.together(lambda one: find_fork(one, positions))
        except ChainError as error:
            if error.code != "rpc-behind":
                raise
            self._looks_behind += 1
            if self._looks_behind <= _LOOKS_BEHIND:
                raise
            found = await rpc.together(lambda one: find_fork(one, positions, believe_shorter=True))
        self._looks_behind = 0
        return found

    # --- what the blocks hold ---

    async def _next(self, cursor: Position | None, last: int) -> Stretch:
        """The stretch after the cursor, all of it from one endpoint.

        Raises:
            Forked: the chain changed.
        """
        return await self._chain.rpc.together(lambda rpc: self._stretch(rpc, cursor, last))

    async def _stretch(self, rpc: Rpc, cursor: Position | None, last: int) -> Stretch:
        first = self._start if cursor is None else cursor.number + 1
        span = min(self._span, _CHUNKS_IN_STRETCH * rpc.log_range.blocks)
        end = min(first + span - 1, last)
        if last - first >= self._linked:
            # What is far below the head is read in bulk, up to where the newest blocks begin.
            end = min(end, max(first, last - self._linked))
        if end - first < self._linked:
            headers = await read_headers(rpc, range(first, end + 1))
            events = await self._blocks.events(rpc, cursor, headers)
        else:
            headers, events = await self._in_bulk(rpc, cursor, first, end)
        times = {header.number: header.timestamp for header in headers}
        wanted = {event.block_number for event in events} if self._timestamps else set()
        return Stretch(
            first,
            Position(end, headers[-1].hash),
            tuple(events),
            {number: times[number] for number in sorted(wanted)},
        )

    async def _in_bulk(
        self, rpc: Rpc, cursor: Position | None, first: int, end: int
    ) -> tuple[list[Header], list[Event]]:
        """Events of blocks of which only some headers are looked at; the last header is the last.

        The node must have the last block, and still the cursor, after it gave the logs.
        """
        before = await read_header(rpc, end)
        events = await scan_logs(rpc, self._chain.logs, self._names, first, end)
        numbers = {event.block_number for event in events} if self._timestamps else set()
        headers = await read_headers(rpc, [*sorted(numbers - {end}), end])
        if headers[-1].hash != before.hash:
            raise Forked(f"block {end} changed while the blocks up to it were read")
        require_same_blocks(headers, events)
        if cursor is not None and (await read_header(rpc, cursor.number)).hash != cursor.hash:
            raise Forked(f"block {cursor.number}, read before, is no longer part of the chain")
        return headers, events
