"""Whatever fails, and wherever a process dies: what is wanted is mined once, in no nonce's way."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_node import GWEI, Fault, MemoryNode
from sending_world import World

FAULTS = st.lists(
    st.sampled_from([Fault.NONE] * 8 + [fault for fault in Fault if fault is not Fault.NONE]),
    max_size=60,
)
BASE_FEES = st.lists(st.integers(1, 60).map(lambda gwei: gwei * GWEI), max_size=20)
BOUNDED = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def run(world: World) -> None:
    asyncio.run(world.live())
    world.check()


@BOUNDED
@given(things=st.integers(1, 4), faults=FAULTS, base_fees=BASE_FEES, lag=st.integers(0, 2))
def test_faults_and_fees(things: int, faults: list[Fault], base_fees: list[int], lag: int) -> None:
    node = MemoryNode(base_fees=[*base_fees, GWEI], faults=iter(faults), lag=lag)
    run(World(node, things))


@BOUNDED
@given(
    things=st.integers(1, 3),
    faults=FAULTS,
    base_fees=BASE_FEES,
    crashes=st.sets(st.integers(1, 120), max_size=4),
    unwanted=st.frozensets(st.integers(0, 2), max_size=1),
)
def test_crashes_anywhere(
    things: int,
    faults: list[Fault],
    base_fees: list[int],
    crashes: set[int],
    unwanted: frozenset[int],
) -> None:
    node = MemoryNode(base_fees=[*base_fees, GWEI], faults=iter(faults))
    run(World(node, things, unwanted, crashes=crashes))
