"""Whatever fails, and wherever a process dies: what is wanted is mined once, in no nonce's way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from memory_node import GWEI, Fault, MemoryNode
from sending_world import World

READING = [Fault.NONE] * 6 + [Fault.LOST, Fault.LOST_AFTER, Fault.FEWER, Fault.MORE]
SENDING = [Fault.NONE] * 3 + [
    Fault.LOST,
    Fault.LOST_AFTER,
    Fault.REFUSED,
    Fault.REFUSED_AFTER,
    Fault.FORGOTTEN,
]
BOUNDED = settings(max_examples=60, deadline=None)


@dataclass(frozen=True)
class Weather:
    """What a node does to those that use it.

    Attributes:
        reading: faults of questions.
        sending: faults of transactions.
        base_fees: in gwei; each lasts for six blocks. In the end there is room for everybody.
        strangers: whether blocks are made by somebody who never heard of replacements.
        lag: blocks after which receipts are shown.
    """

    reading: list[Fault]
    sending: list[Fault]
    base_fees: list[int]
    strangers: list[bool]
    lag: int

    def node(self) -> MemoryNode:
        return MemoryNode(
            base_fees=[fee * GWEI for fee in [*self.base_fees, 1] for _ in range(6)],
            faults=iter(self.reading),
            send_faults=iter(self.sending),
            strangers=iter(self.strangers),
            lag=self.lag,
        )


WEATHER = st.builds(
    Weather,
    reading=st.lists(st.sampled_from(READING), max_size=60),
    sending=st.lists(st.sampled_from(SENDING), max_size=12),
    base_fees=st.lists(st.integers(1, 60), max_size=8),
    strangers=st.lists(st.booleans(), max_size=40),
    lag=st.integers(0, 2),
)


def run(world: World) -> None:
    asyncio.run(world.live())
    world.check()


@BOUNDED
@given(things=st.integers(1, 4), weather=WEATHER)
def test_faults_and_fees(things: int, weather: Weather) -> None:
    run(World(weather.node(), things))


@BOUNDED
@given(
    things=st.integers(1, 3),
    weather=WEATHER,
    crashes=st.sets(st.integers(1, 120), max_size=4),
    forgetting=st.sets(st.integers(1, 200), max_size=3),
    unwanted=st.frozensets(st.integers(0, 2), max_size=1),
)
def test_crashes_anywhere(
    things: int,
    weather: Weather,
    crashes: set[int],
    forgetting: set[int],
    unwanted: frozenset[int],
) -> None:
    """A node may lose its mempool, too, and what a process found pending may not be wanted."""
    run(World(weather.node(), things, unwanted, crashes=crashes, forgetting=forgetting))
