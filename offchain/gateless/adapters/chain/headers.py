"""Block headers as far as following a chain needs them: links, times, and which logs to expect."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from gateless.adapters.chain.rpc import Rpc
from gateless.core.errors import ChainError
from gateless.core.types import Block

#: Headers asked for at a time.
_AT_ONCE = 16
_BLOOM_BITS = 2048


@dataclass(frozen=True, slots=True)
class Header:
    """A block's header.

    Attributes:
        logs_bloom: a filter over the addresses and topics of the block's logs (Yellow Paper,
            section 4.3.1), bit 0 the lowest. It may hold what is not there, never the reverse; 0 on
            chains without one.
    """

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    logs_bloom: int

    @property
    def block(self) -> Block:
        """Number, time and hash."""
        return Block(self.number, self.timestamp, self.hash)


def bloom_mask(item: str) -> int:
    """The bits that an address or a topic, in hex, sets in a block's filter."""
    digest = keccak(hexstr=item)
    mask = 0
    for at in (0, 2, 4):
        mask |= 1 << (int.from_bytes(digest[at : at + 2], "big") % _BLOOM_BITS)
    return mask


async def read_block(rpc: Rpc, tag: int | str = "latest") -> Mapping[str, Any]:
    """A block as the node has it, transactions as hashes; ``tag`` as of :func:`read_header`.

    Raises:
        ChainError: ``unknown-block``, and those of the transport.
    """
    reference = hex(tag) if isinstance(tag, int) else tag

    async def read(one: Rpc) -> Mapping[str, Any]:
        raw: Mapping[str, Any] | None = await one.request("eth_getBlockByNumber", reference, False)
        if raw is None:
            raise ChainError(
                "unknown-block",
                f"the node does not have block {tag}",
                hint="it may not have caught up yet; try again",
                block=tag,
            )
        return raw

    return await rpc.together(read)


async def read_header(rpc: Rpc, tag: int | str = "latest") -> Header:
    """A block's header: a number, ``latest``, ``safe``, ``finalized`` or ``pending``.

    Raises:
        ChainError: ``unknown-block``, ``rpc-invalid``, and those of the transport.
    """
    header = _header(rpc, await read_block(rpc, tag))
    if isinstance(tag, int) and header.number != tag:
        raise _no_header(rpc, f"asked for block {tag} it sent block {header.number}")
    return header


async def read_headers(rpc: Rpc, numbers: Iterable[int]) -> list[Header]:
    """Headers by number, in the given order.

    Raises:
        ChainError: as :func:`read_header`.
    """
    wanted = list(numbers)
    found: list[Header] = []
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        found += await asyncio.gather(*(read_header(rpc, number) for number in some))
    return found


def _header(rpc: Rpc, raw: Any) -> Header:
    try:
        return Header(
            number=int(raw["number"], 16),
            hash=str(raw["hash"]),
            parent_hash=str(raw["parentHash"]),
            timestamp=int(raw["timestamp"], 16),
            logs_bloom=int(raw.get("logsBloom") or "0x0", 16),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _no_header(rpc, "it sent a header that is none") from error


def _no_header(rpc: Rpc, what: str) -> ChainError:
    return ChainError(
        "rpc-invalid",
        f"{rpc.name} gave no header: {what}",
        hint="check that the network's rpc_url is an Ethereum JSON-RPC endpoint",
    )
