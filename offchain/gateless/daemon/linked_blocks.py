"""Events of blocks whose headers are all known: which blocks, and that no log is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import structlog

from gateless.adapters.chain.events import LogDecoder, logs_of_block, scan_logs
from gateless.adapters.chain.headers import Header, bloom_mask
from gateless.adapters.chain.rpc import Rpc
from gateless.core.types import Event
from gateless.daemon.journals import Position

log = structlog.get_logger(__name__)


class Forked(Exception):
    """What was read does not belong to one chain with what was read before."""


class LinkedBlocks:
    """Reads events of a chain of headers, each of which names the hash of the one before it.

    Args:
        decoder: of the deployment's events.
        names: event names, as for :meth:`LogDecoder.select`.
    """

    def __init__(self, decoder: LogDecoder, names: Sequence[str]) -> None:
        self._decoder = decoder
        self._names = names
        self._masks = {
            (source.contract, source.name): bloom_mask(source.address) | bloom_mask(source.topic)
            for source in decoder.sources(names)
        }

    async def events(
        self, rpc: Rpc, cursor: Position | None, headers: Sequence[Header]
    ) -> list[Event]:
        """The named events of blocks that follow on the cursor, in the order of the chain.

        A header says which logs to expect. Where an expected kind did not come, the block is asked
        for alone and by its hash: a node that has it cannot mistake it for a later one.

        Raises:
            Forked: the headers do not follow on the cursor, or logs are of other blocks.
            ChainError: the logs cannot be had now.
        """
        parent = None if cursor is None else cursor.hash
        for header in headers:
            if parent is not None and header.parent_hash != parent:
                raise Forked(f"block {header.number} does not follow on what was read before")
            parent = header.hash
        events = await scan_logs(
            rpc, self._decoder, self._names, headers[0].number, headers[-1].number
        )
        require_same_blocks(headers, events)
        by_block: dict[int, list[Event]] = {header.number: [] for header in headers}
        for event in events:
            by_block[event.block_number].append(event)
        for header in headers:
            if self._lacks(header, by_block[header.number]):
                again = await logs_of_block(rpc, self._decoder, self._names, header.hash)
                if len(again) > len(by_block[header.number]):
                    log.warning("logs-left-out", endpoint=rpc.name, block=header.number)
                    by_block[header.number] = again
        return [event for header in headers for event in by_block[header.number]]

    def _lacks(self, header: Header, events: Sequence[Event]) -> bool:
        """Whether the block's filter lets expect a kind of event that is not there."""
        there = {(event.contract, event.name) for event in events}
        return any(
            mask & header.logs_bloom == mask
            for kind, mask in self._masks.items()
            if kind not in there
        )


def require_same_blocks(headers: Iterable[Header], events: Iterable[Event]) -> None:
    """Requires that events are of exactly the blocks whose headers are given.

    Raises:
        Forked: one names another hash for its block.
    """
    hashes = {header.number: header.hash for header in headers}
    for event in events:
        if hashes.get(event.block_number, event.block_hash) != event.block_hash:
            raise Forked(f"events of another block {event.block_number} than the one on the chain")
