"""A chain in memory behind the RPC seam, which forks, lags and fails as a random source says."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Any

from gateless.adapters.chain.calls import abi_of
from gateless.adapters.chain.deployment import Deployment, TokenInfo
from gateless.adapters.chain.events import LogDecoder
from gateless.adapters.chain.headers import bloom_mask
from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.core.errors import ChainError

CHAIN_ID = 31337
START = 3
MARKET = "0x" + "aa" * 20
STAKING = "0x" + "bb" * 20
NAMES = ("InferenceMarket.Deposited", "ExecutorStaking.Staked")
_TOPICS = {
    MARKET: "0x" + abi_of("InferenceMarket").events["Deposited"].topic.hex(),
    STAKING: "0x" + abi_of("ExecutorStaking").events["Staked"].topic.hex(),
}
DEPLOYMENT = Deployment(
    name="memory",
    chain_id=CHAIN_ID,
    rpc_url="memory://",
    token=TokenInfo("0x" + "cc" * 20, "tUSD", 6),
    contracts={"InferenceMarket": MARKET, "ExecutorStaking": STAKING},
    start_block=START,
    srs="development",
)


_mask = lru_cache(bloom_mask)


@dataclass(frozen=True)
class MemoryBlock:
    number: int
    hash: str
    parent: str
    logs: tuple[dict[str, Any], ...]

    @property
    def header(self) -> dict[str, Any]:
        bloom = 0
        for log in self.logs:
            for item in (log["address"], *log["topics"]):
                bloom |= _mask(item)
        return {
            "number": hex(self.number),
            "hash": self.hash,
            "parentHash": self.parent,
            "timestamp": hex(1_700_000_000 + 12 * self.number),
            "logsBloom": f"0x{bloom:0512x}",
        }


@dataclass
class MemoryChain:
    """The chain as it is now, and as it was: nodes may still show that."""

    random: Random
    blocks: list[MemoryBlock] = field(default_factory=list)
    known: dict[str, MemoryBlock] = field(default_factory=dict)
    past: list[list[MemoryBlock]] = field(default_factory=list)
    highest: int = 0
    _made: int = 0

    def __post_init__(self) -> None:
        self.mine(START + 1)

    def mine(self, count: int) -> None:
        if self.blocks:
            self.past = [*self.past[-8:], list(self.blocks)]
        for _ in range(count):
            self._made += 1
            number = len(self.blocks)
            parent = self.blocks[-1].hash if self.blocks else "0x" + "00" * 32
            name = "0x" + hashlib.sha256(f"{parent}{self._made}".encode()).hexdigest()
            many = self.random.choice((0, 0, 0, 1, 1, 2, 4))
            logs = tuple(self._log(number, name, index) for index in range(many))
            block = MemoryBlock(number, name, parent, logs)
            self.known[name] = block
            self.blocks.append(block)
        self.highest = max(self.highest, len(self.blocks) - 1)

    def reorganise(self, depth: int, new: int) -> None:
        """Another branch of ``new`` blocks in place of the last ``depth`` ones."""
        self.past = [*self.past[-8:], list(self.blocks)]
        del self.blocks[max(1, len(self.blocks) - depth) :]
        self.mine(new)

    def _log(self, number: int, block: str, index: int) -> dict[str, Any]:
        address = self.random.choice((MARKET, STAKING))
        account = "0x" + "00" * 12 + "dd" * 20
        return {
            "address": address,
            "topics": [_TOPICS[address], account, account],
            "data": f"0x{self._made * 100 + index:064x}",
            "blockNumber": hex(number),
            "blockHash": block,
            "transactionHash": block,
            "logIndex": hex(index),
            "removed": False,
        }


@dataclass(frozen=True)
class Faults:
    """How likely, for each request, and how large what is allowed."""

    away: float = 0.0
    empty: float = 0.0
    wrong: float = 0.0
    stale: float = 0.0
    stale_blocks: int = 0
    moves: float = 0.0
    most_blocks: int = 10**9


class MemoryRpc(Rpc):
    """A node, or a provider that asks another node each time.

    Args:
        chain: what it shows.
        random: decides.
        faults: how it fails.
        move: changes the chain between two requests.
    """

    def __init__(
        self,
        chain: MemoryChain,
        random: Random | None = None,
        faults: Faults | None = None,
        move: Callable[[], None] | None = None,
        url: str = "memory://node",
    ) -> None:
        super().__init__(url)
        self.chain = chain
        self.random = random or Random(0)
        self.faults = faults or Faults()
        self.move = move
        self.lag = 0
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    async def request(self, method: str, *params: Any) -> Any:
        await asyncio.sleep(0)
        self.asked.append((method, params))
        if self.move is not None and self._chance(self.faults.moves):
            self.move()
        if self._chance(self.faults.away):
            code = self.random.choice(("rpc-timeout", "rpc-rate-limited", "rpc-unreachable"))
            raise ChainError(code, "a fault", method=method)
        blocks = self._view()
        if method == "eth_getBlockByNumber":
            return self._header(blocks, params[0])
        if method == "eth_getLogs":
            return self._logs(blocks, params[0])
        if method == "eth_blockNumber":
            return hex(len(blocks) - 1)
        if method == "eth_chainId":
            return hex(CHAIN_ID)
        raise RpcError(method, -32601, "method not found", None)

    async def close(self) -> None:
        pass

    def _chance(self, likely: float) -> bool:
        return self.random.random() < likely

    def _view(self) -> list[MemoryBlock]:
        """The chain as one of the provider's nodes sees it."""
        now = self.chain.blocks[: max(1, len(self.chain.blocks) - self.lag)]
        if not self._chance(self.faults.stale):
            return now
        then = self.random.choice([*self.chain.past, now])
        same = sum(1 for one, other in zip(then, now, strict=False) if one.hash == other.hash)
        return then if same > len(now) - self.faults.stale_blocks else now

    def _header(self, blocks: list[MemoryBlock], tag: str) -> dict[str, Any] | None:
        number = len(blocks) - 1 if tag == "latest" else int(tag, 16)
        if tag != "latest" and self._chance(self.faults.wrong):
            number = max(0, number - 1)
        return blocks[number].header if number < len(blocks) else None

    def _logs(self, blocks: list[MemoryBlock], query: dict[str, Any]) -> list[dict[str, Any]]:
        if "blockHash" in query:
            block = self.chain.known.get(query["blockHash"])
            if block is None:
                raise RpcError("eth_getLogs", -32000, "unknown block", None)
            return list(block.logs)
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        if last - first + 1 > self.faults.most_blocks:
            raise RpcError("eth_getLogs", -32005, "query returned more than 10000 results", None)
        if self._chance(self.faults.empty):
            return []
        if self._chance(self.faults.wrong):
            first = max(0, first - 1)
        return [log for block in blocks[first : last + 1] for log in block.logs]


@dataclass
class Memory:
    """What the follower reads."""

    rpc: Rpc
    logs: LogDecoder = field(default_factory=lambda: LogDecoder(DEPLOYMENT))
