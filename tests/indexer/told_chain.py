"""A chain that tells a story: blocks of made-up events, and other branches of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from gateless.adapters.chain.artifacts import CONTRACT_NAMES
from gateless.adapters.chain.deployment import Deployment, TokenInfo
from gateless.core.types import Event
from gateless.daemon.follower import Stretch
from gateless.daemon.journals import Position

from benchmarks.indexing.story import Story

START_TIME = 1_700_000_000
SECONDS_PER_BLOCK = 7


def told_deployment() -> Deployment:
    """A network that nothing runs on."""
    contracts = {
        name: f"0x{place:040d}"
        for place, name in enumerate(CONTRACT_NAMES, 1)
        if name != "TestDollar"
    }
    return Deployment(
        name="told",
        chain_id=31337,
        rpc_url="http://127.0.0.1:1",
        token=TokenInfo(f"0x{99:040d}", "tUSD", 6),
        contracts=contracts,
        start_block=1,
        srs="development",
    )


@dataclass
class ToldChain:
    """Blocks from number 1 on; remembers the story at the end of each, so that it can fork."""

    seed: int = 0
    stories: dict[int, Story] = field(default_factory=dict)
    blocks: dict[int, tuple[Event, ...]] = field(default_factory=dict)
    branch: int = 0

    def __post_init__(self) -> None:
        self.stories[0] = Story(self.seed, told_deployment().contracts, models=6, executors=4)

    @property
    def height(self) -> int:
        """Number of the last block."""
        return max(self.blocks, default=0)

    def hash_of(self, number: int) -> str:
        """Hash of a block of the branch at hand."""
        if number not in self.blocks:
            return "0x" + "00" * 32
        told = repr((number, self.blocks[number])).encode()
        return "0x" + hashlib.sha256(told).hexdigest()

    def grow(self, blocks: int, steps: int = 3) -> None:
        """Adds blocks, each of so many steps of the story."""
        for _ in range(blocks):
            number = self.height + 1
            story = self.stories[number - 1].fork(hash((self.seed, self.branch, number)))
            told = [event for _ in range(steps) for event in story.step()]
            self.blocks[number] = tuple(
                Event(
                    name=name,
                    args=args,
                    block_number=number,
                    block_hash=f"0x{self.branch:064x}",
                    tx_hash=f"0x{hash((self.branch, number, place)) & (1 << 255) - 1:064x}",
                    log_index=place,
                    contract=contract,
                )
                for place, (contract, name, args) in enumerate(told)
            )
            self.stories[number] = story

    def cut(self, ancestor: int) -> None:
        """Takes the blocks above ``ancestor`` away; what grows then is another branch."""
        self.branch += 1
        for number in range(ancestor + 1, self.height + 1):
            del self.blocks[number], self.stories[number]

    def stretch(self, first: int, last: int) -> Stretch:
        """Blocks as the follower hands them over."""
        numbers = range(first, last + 1)
        return Stretch(
            first,
            Position(last, self.hash_of(last)),
            tuple(event for number in numbers for event in self.blocks[number]),
            {number: START_TIME + number * SECONDS_PER_BLOCK for number in numbers},
        )
