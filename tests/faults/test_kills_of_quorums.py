"""kill -9 of a quorum's member at every journaled step: no seat is silent, no salt is lost."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest
from gateless.core.quorums import QuorumState, SeatState
from gateless.devnet import Devnet
from gateless.executor.quorum_config import QuorumConfig
from market_fixtures import MakeAccount
from patience import eventually
from quorum_fixtures import SEAT_PRICE, mining
from seated import Seated, seated
from tried import PATIENCE_SECONDS

pytestmark = pytest.mark.xdist_group("quorums")
#: More blocks than those whose hashes the chain knows.
FORGOTTEN = 300


@pytest.fixture
async def alone(isolated_devnet: Devnet, make_account: MakeAccount, tmp_path: Path) -> Seated:
    """An executor that is about to enrol."""
    return await seated(isolated_devnet, make_account, tmp_path, "quorum-alone", 1)


@pytest.fixture
async def three(isolated_devnet: Devnet, make_account: MakeAccount, tmp_path: Path) -> Seated:
    """Enough for a round."""
    return await seated(isolated_devnet, make_account, tmp_path, "quorum-killed", 3)


@pytest.mark.parametrize("step", ["intent:quorum_allocate", "intent:quorum_enroll", "concluding"])
async def test_enrolling(alone: Seated, step: str) -> None:
    await alone.dies(step)
    async with alone.process():
        await eventually("it can be drawn", alone.is_awake, PATIENCE_SECONDS)
        await alone.settled()
    await alone.judged()


@pytest.mark.parametrize("step", ["intent:quorum_terms"])
async def test_other_terms(alone: Seated, step: str) -> None:
    async with alone.process():
        await eventually("it can be drawn", alone.is_awake, PATIENCE_SECONDS)
    (enrolment,) = alone.stage.config.enrolments
    dearer = replace(enrolment, terms=replace(enrolment.terms, min_price=2 * SEAT_PRICE))
    alone.config = replace(alone.config, quorum=QuorumConfig((dearer,)))
    await alone.dies(step)

    async def changed() -> bool:
        return (await alone.stage.member(alone.account)).min_price == 2 * SEAT_PRICE

    async with alone.process():
        await eventually("the terms are the new ones", changed, PATIENCE_SECONDS)
        await alone.settled()
    await alone.judged()


@pytest.mark.parametrize("step", ["intent:quorum_sleep", "intent:quorum_wake"])
async def test_an_end_in_good_order_and_a_start(alone: Seated, step: str) -> None:
    async with alone.process(die_at=step) as process:
        await eventually("it can be drawn", alone.is_awake, PATIENCE_SECONDS)
        process.interrupt()
        ended = await process.ended()
    if step == "intent:quorum_wake":
        assert ended == 0 and not await alone.is_awake()
        await alone.dies(step)
    else:
        assert ended == -signal.SIGKILL
    async with alone.process():
        await eventually("it can be drawn", alone.is_awake, PATIENCE_SECONDS)
        await alone.settled()
    await alone.judged()


@pytest.mark.parametrize("step", ["intent:quorum_draw", "intent:quorum_commit"])
async def test_a_round_that_it_begins(three: Seated, step: str) -> None:
    async with mining(three.devnet):
        await three.all_can_be_drawn()
        await three.asks()
        await three.dies(step)
        async with three.others(), three.process():
            await eventually("the quorum has ended", three.ended, PATIENCE_SECONDS)
            await three.settled()
    await three.judged(quorums=[three.asked])


@pytest.mark.parametrize("step", ["intent:quorum_reveal", "intent:quorum_settle"])
async def test_a_round_that_it_ends(three: Seated, step: str) -> None:
    """The others reveal while it is dead and go away; it comes back, reveals, and settles."""
    async with mining(three.devnet):
        await three.all_can_be_drawn()
        await three.asks()
        async with three.others():
            await three.dies("intent:quorum_reveal")

            async def all_but_one_revealed() -> bool:
                states = [await three.stage.market.seat(three.asked, place) for place in range(3)]
                return sorted(states) == [SeatState.COMMITTED, *[SeatState.REVEALED] * 2]

            await eventually("the others revealed", all_but_one_revealed, PATIENCE_SECONDS)
        if step == "intent:quorum_settle":
            await three.dies(step)
        async with three.process():
            await eventually("the quorum has ended", three.ended, PATIENCE_SECONDS)
            await three.settled()
    await three.judged(quorums=[three.asked])


@pytest.mark.parametrize("step", ["intent:quorum_refund"])
async def test_a_round_that_nobody_drew_in_time(three: Seated, step: str) -> None:
    async with mining(three.devnet):
        await three.all_can_be_drawn()
        await three.asks()
        await three.devnet.control.mine(FORGOTTEN)
        await three.dies(step)
        async with three.process():
            await eventually("the quorum has ended", three.ended, PATIENCE_SECONDS)
            await three.settled()
    assert await three.stage.market.state(three.asked) is QuorumState.REFUNDED
    await three.judged(quorums_refunded=[three.asked])


@pytest.mark.parametrize("step", ["intent:collect"])
async def test_what_was_earned_is_collected(three: Seated, step: str) -> None:
    async with mining(three.devnet):
        await three.all_can_be_drawn()
        await three.asks()
        async with three.others(), three.process():
            await eventually("the quorum has ended", three.ended, PATIENCE_SECONDS)
            await three.settled()
        three.config = replace(three.config, withdraw_threshold=1)
        await three.dies(step)

        async def collected() -> bool:
            return await three.stage.market.balance_of(three.account.address) == 0

        async with three.process():
            await eventually("it has its fee", collected, PATIENCE_SECONDS)
            await three.settled()
    await three.judged(quorums=[three.asked])
