"""A node that tells a story: blocks and logs by JSON-RPC over HTTP, as a real one gives them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection as Pipe
from typing import Any

from aiohttp import web
from eth_utils.crypto import keccak
from gateless.adapters.chain.abi import encode_parameters
from gateless.adapters.chain.artifacts import CONTRACT_NAMES
from gateless.adapters.chain.calls import abi_of
from gateless.adapters.chain.deployment import Deployment, TokenInfo

from benchmarks.indexing.story import Story, Told

START_TIME = 1_700_000_000
SECONDS_PER_BLOCK = 2
_CHAIN_ID = 31337
_TOKEN = "0x" + "99" * 20


def story_contracts() -> dict[str, str]:
    """Addresses of made-up contracts."""
    names = [name for name in CONTRACT_NAMES if name != "TestDollar"]
    return {name: f"0x{place:040d}" for place, name in enumerate(names, 1)}


def log_of(told: Told, contracts: Mapping[str, str]) -> dict[str, Any]:
    """An event as a log, without its place on the chain."""
    contract, name, args = told
    item = abi_of(contract).events[name]
    indexed = [entry for entry in item.inputs if entry.get("indexed")]
    plain = [entry for entry in item.inputs if not entry.get("indexed")]
    topics = [item.topic]
    topics += [encode_parameters([entry], [args[entry["name"]]]) for entry in indexed]
    data = encode_parameters(plain, [args[entry["name"]] for entry in plain])
    return {
        "address": contracts[contract],
        "topics": ["0x" + topic.hex() for topic in topics],
        "data": "0x" + data.hex(),
    }


class StoryNode:
    """Blocks of made-up events.

    Args:
        seed: of the story.
        events: how many there are at least.
        per_block: events of a block.
        models: how many models the story has at most.
    """

    def __init__(self, seed: int, events: int, per_block: int, models: int = 200) -> None:
        self.contracts = story_contracts()
        self.kinds: set[tuple[str, str]] = set()
        story = Story(seed, self.contracts, models=models).events()
        self._logs: list[list[dict[str, Any]]] = []
        self.events = 0
        while self.events < events:
            number = len(self._logs) + 1
            block_hash = _hash(number)
            logs = []
            for place in range(per_block):
                told = next(story)
                self.kinds.add(told[:2])
                logs.append(
                    log_of(told, self.contracts)
                    | {
                        "blockNumber": hex(number),
                        "blockHash": block_hash,
                        "transactionHash": "0x" + keccak(text=f"{number}.{place}").hex(),
                        "transactionIndex": hex(place),
                        "logIndex": hex(place),
                        "removed": False,
                    }
                )
            self._logs.append(logs)
            self.events += per_block

    @property
    def height(self) -> int:
        """Number of the last block."""
        return len(self._logs)

    def deployment(self, rpc_url: str) -> Deployment:
        """The network that the node tells of."""
        return Deployment(
            name="story",
            chain_id=_CHAIN_ID,
            rpc_url=rpc_url,
            token=TokenInfo(_TOKEN, "tUSD", 6),
            contracts=self.contracts,
            start_block=1,
            srs="development",
        )

    def answer(self, method: str, params: list[Any]) -> Any:
        """The result of a call."""
        match method:
            case "eth_chainId":
                return hex(_CHAIN_ID)
            case "eth_blockNumber":
                return hex(self.height)
            case "eth_getCode":
                return "0x00"
            case "eth_getBlockByNumber":
                named = params[0]
                number = self.height if named == "latest" else int(named, 16)
                return self._header(number) if number <= self.height else None
            case "eth_getLogs":
                return self._found(params[0])
        raise LookupError(method)

    def _header(self, number: int) -> dict[str, Any]:
        return {
            "number": hex(number),
            "hash": _hash(number),
            "parentHash": _hash(number - 1),
            "timestamp": hex(START_TIME + number * SECONDS_PER_BLOCK),
            "gasLimit": hex(30_000_000),
            # All bits set: a filter that excludes nothing.
            "logsBloom": "0x" + "ff" * 256,
        }

    def _found(self, query: Mapping[str, Any]) -> list[dict[str, Any]]:
        if "blockHash" in query:
            numbers = [int(query["blockHash"], 16)]
        else:
            first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
            numbers = list(range(max(1, first), min(last, self.height) + 1))
        return [log for number in numbers if number for log in self._logs[number - 1]]


@asynccontextmanager
async def serving(node: StoryNode) -> AsyncIterator[str]:
    """Serves a node on a free port of the loopback address for the length of the block."""

    async def handle(request: web.Request) -> web.Response:
        call = json.loads(await request.read())
        calls = call if isinstance(call, list) else [call]
        answers = [
            {
                "jsonrpc": "2.0",
                "id": each["id"],
                "result": node.answer(each["method"], each.get("params", [])),
            }
            for each in calls
        ]
        return web.json_response(answers if isinstance(call, list) else answers[0])

    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def serve_story(pipe: Pipe, seed: int, events: int, per_block: int) -> None:
    """The node, in a process of its own: it is no part of what is measured."""

    async def run() -> None:
        node = StoryNode(seed, events, per_block)
        async with serving(node) as url:
            pipe.send((url, node.events, node.height, len(node.kinds)))
            await asyncio.to_thread(pipe.recv)

    asyncio.run(run())


def _hash(number: int) -> str:
    return f"0x{number:064x}"
