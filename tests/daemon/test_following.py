"""Following live ends where reading the final chain once ends, whatever happened meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import pytest
from gateless.adapters.chain.rpc_pool import RpcPool
from gateless.core.errors import ChainError
from gateless.daemon.follower import Follower
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_events import Row, Store, follow
from manual_clock import ManualClock
from memory_chain import CHAIN_ID, NAMES, START, Faults, Memory, MemoryChain, MemoryRpc


class Crash(Exception):
    """The process ended."""


def truth(chain: MemoryChain, last: int) -> list[Row]:
    names = {"0x" + "aa" * 20: "InferenceMarket", "0x" + "bb" * 20: "ExecutorStaking"}
    return [
        (
            block.number,
            int(log["logIndex"], 16),
            block.hash,
            names[log["address"]],
            int(log["data"], 16),
        )
        for block in chain.blocks[START : last + 1]
        for log in block.logs
    ]


async def one_pass(chain: MemoryChain, confirmations: int) -> Store:
    store = Store(START)
    follower = Follower(
        Memory(MemoryRpc(chain)), NAMES, store, start_block=START, confirmations=confirmations
    )
    async for stretch in follower.poll():
        store.advance(stretch)
    return store


@dataclass
class World:
    """A chain, a provider and a consumer, all driven by one seed."""

    seed: int
    deep: bool

    def __post_init__(self) -> None:
        self.random = random = Random(self.seed)
        self.chain = MemoryChain(random)
        self.confirmations = random.choice((0, 0, 1, 3, 12))
        self.linked = random.choice((24, 32))
        self.span = random.choice((1, 3, 17, 2000))
        # With deep reorganisations each request sees the chain as it is; else nodes differ in what
        # the newest blocks are, and leave out logs where headers tell.
        self.faults = Faults(
            away=random.choice((0.0, 0.02, 0.1)),
            empty=0.0,
            wrong=random.choice((0.0, 0.05)),
            stale=0.0 if self.deep else random.choice((0.0, 0.2)),
            stale_blocks=11,
            moves=random.choice((0.0, 0.02, 0.2)),
            most_blocks=random.choice((1, 4, 50, 10**9)),
        )
        self.store = Store(START, remembered=random.choice((4, 256)) if self.deep else 256)

    def change(self) -> None:
        """The chain grows or forks by a little."""
        if self.random.random() < 0.5:
            self.chain.mine(self.random.randint(1, 3))
            return
        depth = self.random.randint(1, 40 if self.deep else 10)
        self.chain.reorganise(depth, max(1, depth + self.random.randint(-2, 3)))

    def process(self, rpc: MemoryRpc) -> Follower:
        return Follower(
            Memory(rpc),
            NAMES,
            self.store,
            start_block=START,
            confirmations=self.confirmations,
            span=self.span,
            linked=0 if self.deep and self.seed % 3 == 0 else self.linked,
            timestamps=self.seed % 2 == 0,
        )

    async def live(self) -> None:
        """Follows through faults, forks, crashes and downtimes."""
        rpc = MemoryRpc(self.chain, self.random, self.faults, self.change)
        follower = self.process(rpc)
        for _ in range(self.random.randint(5, 25)):
            self.chain.mine(self.random.choice((0, 1, 1, 2, 5, 60)))
            if self.random.random() < 0.3:
                self.change()
            try:
                async for stretch in follower.poll():
                    self._may_crash()
                    self.store.advance(stretch)
                    self._may_crash()
            except ChainError:
                continue
            except Crash:
                follower = self.process(rpc)

    def _may_crash(self) -> None:
        if self.random.random() < 0.05:
            raise Crash

    async def settle(self) -> None:
        """The chain outgrows what it was, and is read to the end without faults."""
        missing = self.chain.highest + self.confirmations + 1 - len(self.chain.blocks)
        self.chain.mine(max(0, missing) + 1)
        follower = self.process(
            MemoryRpc(self.chain, Random(0), Faults(most_blocks=self.faults.most_blocks))
        )
        async for stretch in follower.poll():
            self.store.advance(stretch)

    async def run(self) -> None:
        await self.live()
        await self.settle()
        last = len(self.chain.blocks) - 1 - self.confirmations
        assert self.store.read[-1].number == last
        assert self.store.all_rows == truth(self.chain, last)
        assert self.store.all_rows == (await one_pass(self.chain, self.confirmations)).all_rows


_SETTINGS = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


@_SETTINGS
@given(seed=st.integers(0, 2**32))
def test_following_live_equals_reading_once(seed: int) -> None:
    """Nodes that differ in the newest blocks, forks of depth 1 to 10."""
    asyncio.run(World(seed, deep=False).run())


@_SETTINGS
@given(seed=st.integers(0, 2**32))
def test_deep_forks_are_followed_too(seed: int) -> None:
    """Forks of depth 1 to 40, deeper than what is remembered, in the middle of what is read."""
    asyncio.run(World(seed, deep=True).run())


@pytest.mark.parametrize("linked", [0, 8, 32])
@pytest.mark.parametrize("depth", range(1, 11))
def test_a_fork_between_any_two_requests_is_noticed(depth: int, linked: int) -> None:
    """Blocks below and above the cursor change while the next ones are read."""

    async def fork_at(request: int, shorter: int) -> bool:
        chain = MemoryChain(Random(depth))
        rpc = MemoryRpc(chain, Random(0), Faults(most_blocks=5))
        store = Store(START)
        follower = Follower(Memory(rpc), NAMES, store, start_block=START, linked=linked)
        chain.mine(20)
        await follow(follower, store)
        chain.mine(depth // 2 + 1)
        left = request

        def move() -> None:
            nonlocal left
            if left == 0:
                chain.reorganise(depth, depth - shorter)
            left -= 1

        rpc.faults, rpc.move = Faults(most_blocks=5, moves=1.0), move
        with suppress(ChainError):
            await follow(follower, store)
        rpc.move = None
        chain.mine(depth + 2)
        await follow(follower, store)
        await follow(follower, store)
        last = len(chain.blocks) - 1
        assert store.read[-1].number == last
        assert store.all_rows == truth(chain, last), (request, shorter)
        return left < 0

    async def run() -> None:
        for shorter in (0, -1, min(1, depth - 1)):
            request = 0
            while await fork_at(request, shorter):
                request += 1
            assert request > 3

    asyncio.run(run())


@_SETTINGS
@given(seed=st.integers(0, 2**32))
def test_endpoints_that_fail_and_lag_are_followed_as_one(seed: int) -> None:
    """Each sees the chain as it is, or as it was some blocks ago, and fails now and then."""

    async def run() -> None:
        random = Random(seed)
        chain = MemoryChain(random)
        endpoints = [MemoryRpc(chain, random, url=f"memory://{name}") for name in range(3)]
        clock = ManualClock()
        pool = RpcPool(endpoints, CHAIN_ID, clock=clock, random=random, max_lag=3)
        confirmations = random.choice((0, 2))
        store = Store(START)
        follower = Follower(
            Memory(pool), NAMES, store, start_block=START, confirmations=confirmations
        )
        for _ in range(20):
            chain.mine(random.choice((1, 1, 3, 40)))
            if random.random() < 0.3:
                depth = random.randint(1, 10)
                chain.reorganise(depth, depth + random.randint(0, 2))
            for endpoint in endpoints:
                endpoint.lag = random.choice((0, 0, 0, 1, 2, 8))
                endpoint.faults = Faults(
                    away=random.choice((0.0, 0.1, 1.0)), most_blocks=random.choice((3, 10**9))
                )
            with suppress(ChainError):
                await follow(follower, store)
        for endpoint in endpoints:
            endpoint.lag, endpoint.faults = 0, Faults()
        chain.mine(chain.highest + 1 - len(chain.blocks) + 12)
        clock.time += 120
        await follow(follower, store)
        last = len(chain.blocks) - 1 - confirmations
        assert store.all_rows == truth(chain, last)
        assert store.read[-1].number == last
        await pool.close()

    asyncio.run(run())


@_SETTINGS
@given(seed=st.integers(0, 2**32), share=st.sampled_from((0.1, 0.5, 0.9)))
def test_left_out_logs_are_noticed_where_headers_are_read(seed: int, share: float) -> None:
    """A provider that answers with no logs at all, now and then, or nearly always."""

    async def run() -> None:
        random = Random(seed)
        chain = MemoryChain(random)
        rpc = MemoryRpc(chain, random, Faults(empty=share))
        store = Store(START)
        follower = Follower(Memory(rpc), NAMES, store, start_block=START, linked=32)
        for _ in range(10):
            chain.mine(random.randint(1, 30))
            await follow(follower, store)
        assert store.all_rows == truth(chain, len(chain.blocks) - 1)

    asyncio.run(run())
