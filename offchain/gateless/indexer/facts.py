"""Events as the index keeps them: plain values, small enough to be kept for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from gateless.core.types import Event
from gateless.indexer.text import clean_text

#: Longest bytes that are kept. Inputs and outputs may be larger: of those the chain has the rest.
MAX_KEPT_BYTES = 2_048
#: Longest text that is kept; what strangers write has no other bound than gas.
MAX_KEPT_TEXT = 2_048
#: Longest list that is kept: circuits of a version and members of a quorum are fewer.
MAX_KEPT_ITEMS = 256


@dataclass(frozen=True, slots=True)
class Fact:
    """One event of the chain.

    Attributes:
        contract: name of the contract that emitted it.
        name: the event's.
        args: its arguments as :func:`plain` has them.
        block: number of its block.
        log_index: its place in the block.
        block_hash: hash of the block.
        tx_hash: hash of its transaction.
        at: timestamp of the block, in seconds.
    """

    contract: str
    name: str
    args: Mapping[str, Any]
    block: int
    log_index: int
    block_hash: str
    tx_hash: str
    at: int

    @property
    def day(self) -> int:
        """Day of the block in UTC, counted from 1970."""
        return self.at // 86_400


def fact_of(event: Event, at: int) -> Fact:
    """The fact that an event of a block with timestamp ``at`` is."""
    return Fact(
        contract=event.contract,
        name=event.name,
        args={name: plain(value) for name, value in event.args.items()},
        block=event.block_number,
        log_index=event.log_index,
        block_hash=event.block_hash,
        tx_hash=event.tx_hash,
        at=at,
    )


def plain(value: Any) -> Any:
    """The JSON-ready form of a decoded argument.

    Bytes are hex with ``0x``; those beyond :data:`MAX_KEPT_BYTES` are a mapping of their ``length``
    and ``keccak256``. Text is cleaned and cut at :data:`MAX_KEPT_TEXT`, lists are cut at
    :data:`MAX_KEPT_ITEMS`.
    """
    if isinstance(value, bytes):
        if len(value) > MAX_KEPT_BYTES:
            return {"length": len(value), "keccak256": "0x" + keccak(value).hex()}
        return "0x" + value.hex()
    if isinstance(value, str):
        return clean_text(value, MAX_KEPT_TEXT)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value[:MAX_KEPT_ITEMS]]


def digest_of_bytes(kept: Any) -> str:
    """keccak256 of bytes that were made :func:`plain`, with ``0x``."""
    if isinstance(kept, Mapping):
        return str(kept["keccak256"])
    return "0x" + keccak(bytes.fromhex(kept[2:])).hex()
