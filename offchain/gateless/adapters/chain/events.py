"""Logs by name: decoding, and scanning block ranges that providers accept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateless.adapters.chain.abi import AbiItem
from gateless.adapters.chain.artifacts import CONTRACT_NAMES
from gateless.adapters.chain.calls import TOKEN, abi_of
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.log_range import LogRange
from gateless.adapters.chain.provider_faults import allowed_blocks, is_too_large
from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.core.errors import ChainError, InputError
from gateless.core.types import Event

#: Transport faults that a smaller range cannot mend.
_NOT_ABOUT_SIZE = frozenset({"rpc-unreachable", "rpc-rate-limited", "rpc-invalid"})


@dataclass(frozen=True, slots=True)
class LogSource:
    """An event of a contract: the address and the first topic of its logs, in hex."""

    contract: str
    name: str
    address: str
    topic: str


class LogDecoder:
    """Decodes logs of a deployment's contracts; knows them by address and first topic."""

    def __init__(self, deployment: Deployment) -> None:
        self._items: dict[tuple[str, str], tuple[str, AbiItem]] = {}
        contracts = {
            name: address
            for name, address in deployment.contracts.items()
            if name in CONTRACT_NAMES and address != deployment.token.address
        }
        contracts[TOKEN] = deployment.token.address
        for name, address in contracts.items():
            for item in abi_of(name).events.values():
                self._items[address.lower(), "0x" + item.topic.hex()] = (name, item)

    def decode(self, log: Mapping[str, Any]) -> Event | None:
        """The event that a raw log stands for; None for logs of other contracts."""
        try:
            topics: Sequence[str] = log["topics"]
            found = self._items.get((log["address"].lower(), topics[0])) if topics else None
            if found is None:
                return None
            contract, item = found
            return Event(
                name=item.name,
                args=item.decode_log(
                    [bytes.fromhex(topic.removeprefix("0x")) for topic in topics],
                    bytes.fromhex(log["data"].removeprefix("0x")),
                ),
                block_number=int(log["blockNumber"], 16),
                block_hash=log["blockHash"],
                tx_hash=log["transactionHash"],
                log_index=int(log["logIndex"], 16),
                contract=contract,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ChainError(
                "rpc-invalid",
                "the node sent a log that is none",
                hint="check that the network's rpc_url is an Ethereum JSON-RPC endpoint",
            ) from error

    def decode_all(self, logs: Iterable[Mapping[str, Any]]) -> tuple[Event, ...]:
        """All logs of the deployment's contracts, in order."""
        decoded = (self.decode(log) for log in logs)
        return tuple(event for event in decoded if event is not None)

    def select(self, names: Iterable[str]) -> tuple[list[str], list[str]]:
        """Addresses and first topics that cover the named events.

        Args:
            names: event names; ``Contract.Event`` where contracts share a name.

        Raises:
            InputError: ``unknown-event``.
        """
        sources = self.sources(names)
        addresses = dict.fromkeys(source.address for source in sources)
        topics = dict.fromkeys(source.topic for source in sources)
        return list(addresses), list(topics)

    def sources(self, names: Iterable[str]) -> list[LogSource]:
        """Where the named events come from.

        Raises:
            InputError: ``unknown-event``.
        """
        found: list[LogSource] = []
        for wanted in names:
            matching = [
                LogSource(contract, item.name, address, topic)
                for (address, topic), (contract, item) in self._items.items()
                if wanted in (item.name, f"{contract}.{item.name}")
            ]
            if not matching:
                raise InputError("unknown-event", f"no contract emits {wanted!r}")
            found += matching
        return found


async def scan_logs(
    rpc: Rpc,
    decoder: LogDecoder,
    names: Sequence[str],
    from_block: int,
    to_block: int,
    *,
    indexed: Sequence[int | str | None] = (),
) -> list[Event]:
    """All named events of a range of blocks, both ends included, in the order of the chain.

    The range is asked for in chunks, whose size the endpoint's ``log_range`` remembers. A chunk
    that the provider refuses, or cannot answer in time, is halved.

    Args:
        rpc: the node.
        decoder: of the deployment's events.
        names: event names, as for :meth:`LogDecoder.select`.
        from_block: first block.
        to_block: last block.
        indexed: what the first indexed arguments must be, numbers or addresses; None for anything.

    Raises:
        ChainError: ``logs-unavailable`` where not even one block can be had, and the transport's.
    """
    query = _query(decoder, names, indexed)
    found: list[Event] = []
    start = from_block
    most = rpc.log_range.blocks
    while start <= to_block:
        end = min(start + most - 1, to_block)
        blocks = end - start + 1
        chunk = {**query, "fromBlock": hex(start), "toBlock": hex(end)}
        try:
            logs = await rpc.request("eth_getLogs", chunk)
        except ChainError as error:
            if error.code in _NOT_ABOUT_SIZE:
                if error.context.get("too_long"):
                    # No end of it, or too much: another endpoint first, and fewer blocks then.
                    rpc.log_range.refused(blocks, None)
                raise
            if start == end:
                raise ChainError(
                    "logs-unavailable",
                    f"the node cannot give the logs of block {start}",
                    hint="use an RPC endpoint that keeps logs of old blocks",
                    block=start,
                    cause=error.message,
                ) from error
            most = _smaller(rpc.log_range, blocks, error)
            continue
        rpc.log_range.answered(blocks)
        most = min(max(most, 2 * blocks), rpc.log_range.blocks)
        events = _events(decoder, names, logs)
        if any(not start <= event.block_number <= end for event in events):
            raise _no_logs(f"asked for blocks {start} to {end} it sent logs of others")
        found += events
        start = end + 1
    return found


def _smaller(log_range: LogRange, blocks: int, error: ChainError) -> int:
    """How many blocks' logs to ask for instead. Only what speaks of size is remembered."""
    if isinstance(error, RpcError) and is_too_large(error):
        log_range.refused(blocks, allowed_blocks(error))
        return log_range.blocks
    return max(1, blocks // 2)


async def logs_of_block(
    rpc: Rpc, decoder: LogDecoder, names: Sequence[str], block_hash: str
) -> list[Event]:
    """The named events of exactly one block (EIP-234), in their order.

    A node that does not have the block says so, whereas for a range that it does not have yet it
    may answer that there are none.

    Raises:
        RpcError: the node does not have the block.
        ChainError: those of the transport.
    """
    query = {**_query(decoder, names, ()), "blockHash": block_hash}
    events = _events(decoder, names, await rpc.request("eth_getLogs", query))
    if any(event.block_hash != block_hash for event in events):
        raise _no_logs(f"asked for block {block_hash} it sent logs of others")
    return events


def _query(
    decoder: LogDecoder, names: Sequence[str], indexed: Sequence[int | str | None]
) -> dict[str, Any]:
    addresses, topics = decoder.select(names)
    places = [None if value is None else f"0x{_word(value):064x}" for value in indexed]
    return {"address": addresses, "topics": [topics, *places]}


def _events(decoder: LogDecoder, names: Sequence[str], logs: Any) -> list[Event]:
    """The named events among a node's logs, in order, each once."""
    if not isinstance(logs, list):
        raise _no_logs("it sent no list")
    wanted = set(names)
    found: dict[tuple[int, int], Event] = {}
    for event in decoder.decode_all(log for log in logs if not log.get("removed")):
        if event.name not in wanted and f"{event.contract}.{event.name}" not in wanted:
            continue
        place = (event.block_number, event.log_index)
        if found.setdefault(place, event) != event:
            raise _no_logs(f"it sent two logs at place {place}")
    return [found[place] for place in sorted(found)]


def _no_logs(what: str) -> ChainError:
    return ChainError(
        "rpc-invalid",
        f"the node gave no logs: {what}",
        hint="check that the network's rpc_url is an Ethereum JSON-RPC endpoint",
    )


def _word(value: int | str) -> int:
    return value if isinstance(value, int) else int(value, 16)
