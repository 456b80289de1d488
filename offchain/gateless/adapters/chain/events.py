"""Logs by name: decoding, and scanning block ranges that providers accept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateless.adapters.chain.abi import AbiItem
from gateless.adapters.chain.artifacts import CONTRACT_NAMES
from gateless.adapters.chain.calls import TOKEN, abi_of
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.rpc import Rpc
from gateless.core.errors import ChainError, InputError
from gateless.core.types import Event

#: Blocks asked for at first. Providers allow between some hundred and some ten thousand.
INITIAL_CHUNK = 2_000
MAX_CHUNK = 20_000

#: Transport faults that a smaller range cannot mend.
_NOT_ABOUT_SIZE = frozenset({"rpc-unreachable", "rpc-rate-limited", "rpc-invalid"})


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
        addresses: dict[str, None] = {}
        topics: dict[str, None] = {}
        for wanted in names:
            matching = [
                key
                for key, (contract, item) in self._items.items()
                if wanted in (item.name, f"{contract}.{item.name}")
            ]
            if not matching:
                raise InputError("unknown-event", f"no contract emits {wanted!r}")
            for address, topic in matching:
                addresses[address] = None
                topics[topic] = None
        return list(addresses), list(topics)


async def scan_logs(
    rpc: Rpc,
    decoder: LogDecoder,
    names: Sequence[str],
    from_block: int,
    to_block: int,
    *,
    indexed: Sequence[int | str | None] = (),
    initial_chunk: int = INITIAL_CHUNK,
) -> list[Event]:
    """All named events of a range of blocks, both ends included, in the order of the chain.

    The range is asked for in chunks. A chunk that the provider refuses, or cannot answer in time,
    is halved; after a success the next one is larger again.

    Args:
        rpc: the node.
        decoder: of the deployment's events.
        names: event names, as for :meth:`LogDecoder.select`.
        from_block: first block.
        to_block: last block.
        indexed: what the first indexed arguments must be, numbers or addresses; None for anything.
        initial_chunk: blocks asked for at first.

    Raises:
        ChainError: ``logs-unavailable`` where not even one block can be had, and the transport's.
    """
    addresses, topics = decoder.select(names)
    wanted = set(names)
    places = [None if value is None else f"0x{_word(value):064x}" for value in indexed]
    found: list[Event] = []
    chunk = initial_chunk
    start = from_block
    while start <= to_block:
        end = min(start + chunk - 1, to_block)
        query = {
            "address": addresses,
            "topics": [topics, *places],
            "fromBlock": hex(start),
            "toBlock": hex(end),
        }
        try:
            logs = await rpc.request("eth_getLogs", query)
        except ChainError as error:
            if error.code in _NOT_ABOUT_SIZE:
                raise
            if start == end:
                raise ChainError(
                    "logs-unavailable",
                    f"the node cannot give the logs of block {start}",
                    hint="use an RPC endpoint that keeps logs of old blocks",
                    block=start,
                    cause=error.message,
                ) from error
            chunk = max(1, (end - start + 1) // 2)
            continue
        live = (log for log in logs if not log.get("removed"))
        found.extend(
            event
            for event in decoder.decode_all(live)
            if event.name in wanted or f"{event.contract}.{event.name}" in wanted
        )
        start = end + 1
        chunk = min(chunk * 2, MAX_CHUNK)
    found.sort(key=lambda event: (event.block_number, event.log_index))
    return found


def _word(value: int | str) -> int:
    return value if isinstance(value, int) else int(value, 16)
