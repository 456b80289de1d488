"""What time it is: the chain's, for deadlines are in it; a machine's clock that differs is told."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from executor_fixtures import PATIENCE_SECONDS, running
from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.clock import SystemClock
from gateless.core.types import Block
from gateless.daemon.chain_time import ChainTime
from gateless.devnet import Devnet
from gateless.executor.states import WorkState
from manual_clock import ManualClock
from market_fixtures import ROW, MakeAccount, MakeServed, with_files
from patience import eventually
from scripted_rpc_blocks import BlockRpc

DAY = 86_400


@dataclass
class WrongClock(SystemClock):
    """A machine whose time of day is off; what measures time goes on."""

    offset: float = field(default=0.0)

    def now(self) -> float:
        return super().now() + self.offset


def test_time_passes_from_the_newest_block_on() -> None:
    clock = ManualClock()
    time = ChainTime(clock)
    assert time.now == clock.now()  # nothing else is there
    assert time.see(Block(7, 50_000, "0x7")) == 50_000
    clock.time += 9
    assert (time.now, time.skew) == (50_009, 1_009 - 50_009)
    assert time.see(Block(7, 50_000, "0x7")) == 50_009  # seen before: it says nothing new
    assert time.see(Block(8, 50_012, "0x8")) == 50_012
    assert time.see(Block(8, 50_003, "0x8b")) == 50_003  # of another branch


@pytest.mark.parametrize("shows_pending", [True, False])
async def test_a_node_is_asked_for_the_block_to_come(shows_pending: bool) -> None:
    rpc = BlockRpc(latest=100, pending=112 if shows_pending else None)
    time = ChainTime(ManualClock())
    assert await time.ask(ChainConnection(rpc, 1)) == (112 if shows_pending else 100)


@pytest.mark.parametrize("offset", [-400 * DAY, 400 * DAY])
async def test_requests_are_served_although_the_clock_is_wrong_and_the_status_says_so(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, offset: int
) -> None:
    served = await make_served(f"wrong-clock-{int(offset > 0)}")
    user = await with_files(await make_account(), served)
    clock = WrongClock(offset)
    options = {"clock": clock, "clock_tolerance": 100.0 * DAY}
    async with running(isolated_devnet, served.executor, **options) as run:  # type: ignore[arg-type]
        made = await user.client.submit(served.name, ROW, price=1_000_000)
        await run.reaches(made.request_id, WorkState.FULFILLED)

        async def told(code: str) -> bool:
            status = await run.executor.status()
            return any(
                problem.code == code and ("ahead of" if offset > 0 else "behind") in problem.message
                for problem in status.problems
            )

        assert await told("clock-skew")
        clock.offset = 0

        async def right() -> bool:
            return not await told("clock-skew")

        await eventually("the clock is right", right, PATIENCE_SECONDS)
