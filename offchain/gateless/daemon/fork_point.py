"""Where a chain forked from what was read of it."""

from __future__ import annotations

from collections.abc import Sequence

from gateless.adapters.chain.headers import read_header
from gateless.adapters.chain.rpc import Rpc
from gateless.core.errors import ChainError
from gateless.core.types import Block
from gateless.daemon.journals import Position


async def head_above(rpc: Rpc, cursor: Sequence[Position]) -> Block | None:
    """The head of the chain, if that goes on from the cursor.

    Args:
        rpc: one endpoint.
        cursor: the last block that was read; empty before the first.

    Raises:
        ChainError: those of the transport.
    """
    head = (await read_header(rpc)).block
    return head if not cursor or await _holds(rpc, cursor[0], head) else None


async def find_fork(
    rpc: Rpc, positions: Sequence[Position], *, believe_shorter: bool = False
) -> tuple[Block, int | None]:
    """The head, and where the chain forked.

    Args:
        rpc: one endpoint.
        positions: blocks that were read, the highest first.
        believe_shorter: whether a head below the last block read, of a chain that shows no other
            block in place of one that was read, means that the chain is shorter now.

    Returns:
        The latest block, and the index of the highest position that is still part of the chain:
        ``len(positions)`` where none is, None where the first one is.

    Raises:
        ChainError: ``rpc-behind`` where the node may just not have the last block read yet, and
            those of the transport.
    """
    head = (await read_header(rpc)).block
    if not positions or await _holds(rpc, positions[0], head):
        return head, None
    if positions[0].number > head.number and not believe_shorter:
        await _require_another_block(rpc, positions, head)
    # What holds is a block of the chain, and so is all below it: a binary search.
    fails, holds = 0, len(positions)
    while holds - fails > 1:
        middle = (fails + holds) // 2
        if await _holds(rpc, positions[middle], head):
            holds = middle
        else:
            fails = middle
    return head, holds


async def _require_another_block(rpc: Rpc, positions: Sequence[Position], head: Block) -> None:
    """Tells a shorter branch from a node that is behind: the former has another block."""
    known = next((entry for entry in positions if entry.number <= head.number), None)
    if known is not None and not await _holds(rpc, known, head):
        return
    raise ChainError(
        "rpc-behind",
        f"{rpc.name} is at block {head.number}, block {positions[0].number} was read before",
        hint="wait until the node has caught up, or use another RPC endpoint",
        head=head.number,
        cursor=positions[0].number,
    )


async def _holds(rpc: Rpc, position: Position, head: Block) -> bool:
    """Whether a block that was read is part of the chain."""
    if position.number >= head.number:
        return position.hash == head.hash
    return (await read_header(rpc, position.number)).hash == position.hash
