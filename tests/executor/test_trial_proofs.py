"""Proofs that nobody was promised give way to those that somebody was."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from executor_fixtures import config_of, eventually, running
from gateless.adapters.clock import SystemClock
from gateless.core.errors import ProofError
from gateless.devnet import Devnet
from gateless.executor import ExecutorConfig, PolicyConfig
from gateless.executor.states import WorkState
from gateless.executor.trials import Trials
from gateless_proofs import KeyCache, Proof, Prover
from market_fixtures import ROW, Account, MakeAccount, MakeServed, Served
from patience import PATIENCE_SECONDS

#: With this time of a proof a lock leaves time for its proof, but not twice.
TIGHT = 80.0
LOCK_SECONDS = 300


class Owing:
    """What is owed, as a test needs it."""

    def __init__(self) -> None:
        self.pressing = False

    async def presses(self) -> bool:
        return self.pressing


def trials() -> tuple[Trials, Owing]:
    owing: Any = Owing()
    return Trials(owing, SystemClock()), owing


async def test_a_trial_with_nothing_beside_it_is_made() -> None:
    made, _ = trials()

    async def make() -> str:
        await asyncio.sleep(0.5)  # longer than a look
        return "proof"

    assert await made.run(make, "a test") == "proof"

    async def fail() -> str:
        raise ProofError("proving-failed", "there is none")

    with pytest.raises(ProofError) as caught:
        await made.run(fail, "a test")
    assert caught.value.code == "proving-failed"


async def test_a_trial_is_not_begun_while_something_presses() -> None:
    made, owing = trials()
    owing.pressing = True

    async def make() -> str:
        raise AssertionError("it was begun")

    with pytest.raises(ProofError) as caught:
        await made.run(make, "a test")
    assert caught.value.code == "proof-put-off"


async def test_a_trial_stops_when_something_presses_and_when_nobody_waits() -> None:
    made, owing = trials()
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def make() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return "never"

    task = asyncio.create_task(made.run(make, "a test"))
    await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
    assert not task.done()
    owing.pressing = True
    with pytest.raises(ProofError) as caught:
        await asyncio.wait_for(task, PATIENCE_SECONDS)
    assert caught.value.code == "proof-put-off"
    assert stopped.is_set()

    owing.pressing = False
    begun.clear()
    stopped.clear()
    task = asyncio.create_task(made.run(make, "a test"))
    await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()


class OneSlot(Prover):
    """A real prover with room for one proof. Trials hold it until they are let go."""

    def __init__(self, keys: KeyCache) -> None:
        super().__init__(keys)
        self.slot = asyncio.Lock()
        self.hogged = asyncio.Event()
        self.put_off = asyncio.Event()
        self.let_go = asyncio.Event()

    async def prove(self, *args: Any, due: float = math.inf, **options: Any) -> Proof:
        async with self.slot:
            if math.isinf(due):
                self.hogged.set()
                try:
                    await self.let_go.wait()
                except asyncio.CancelledError:
                    self.put_off.set()
                    raise
            return await super().prove(*args, due=due, **options)


async def both(
    name: str, make_served: MakeServed, make_account: MakeAccount
) -> tuple[Served, Served, Account, ExecutorConfig]:
    """An executor that serves two versions, and somebody who asks."""
    known, fresh = await make_served(f"{name}-known"), await make_served(f"{name}-new")
    await known.executor.client.stake(0, serve=[fresh.name])
    user = await make_account()
    await user.client.services.store.put(known.bundle.root / "manifest.json")
    policy = PolicyConfig(margin_seconds=1.0, max_concurrent=4)
    return known, fresh, user, config_of(known.executor, policy=policy)


async def test_a_trial_that_hogs_the_slot_costs_no_lock(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    known, fresh, user, config = await both("hogged", make_served, make_account)
    prover = OneSlot(KeyCache(config.cache_dir))
    async with running(devnet, known.executor, config, prover=prover) as run:
        await run.journal.measured(known.published.version_id, 0, TIGHT)
        tried = await user.client.submit(fresh.name, ROW)
        await asyncio.wait_for(prover.hogged.wait(), PATIENCE_SECONDS)
        promised = await user.client.submit(known.name, ROW, lock_duration=LOCK_SECONDS)
        # The trial would never end: what was promised is proven all the same.
        await run.reaches(promised.request_id, WorkState.FULFILLED)
        assert prover.put_off.is_set()
        # And then there is time for the trial again.
        prover.let_go.set()
        await run.reaches(tried.request_id, WorkState.FULFILLED)


async def test_a_trial_goes_on_while_there_is_time_for_what_is_promised(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    known, fresh, user, config = await both("spared", make_served, make_account)
    prover = OneSlot(KeyCache(config.cache_dir))
    async with running(devnet, known.executor, config, prover=prover) as run:
        await run.journal.measured(known.published.version_id, 0, 0.5)
        tried = await user.client.submit(fresh.name, ROW)
        await asyncio.wait_for(prover.hogged.wait(), PATIENCE_SECONDS)
        promised = await user.client.submit(known.name, ROW, lock_duration=LOCK_SECONDS)
        await run.reaches(promised.request_id, WorkState.PROVING)

        async def queued() -> bool:
            return bool(prover.slot._waiters)

        await eventually("the promised proof waits for the slot", queued)
        prover.let_go.set()
        await run.reaches(promised.request_id, WorkState.FULFILLED)
        await run.reaches(tried.request_id, WorkState.FULFILLED)
        assert not prover.put_off.is_set()


async def test_what_cannot_be_measured_now_waits_and_says_why(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    known, fresh, user, config = await both("waiting", make_served, make_account)
    prover = OneSlot(KeyCache(config.cache_dir))
    async with (
        prover.slot,  # promised proofs wait, so that they stay owed
        running(devnet, known.executor, config, prover=prover) as run,
    ):
        await run.journal.measured(known.published.version_id, 0, TIGHT)
        promised = await user.client.submit(known.name, ROW, lock_duration=LOCK_SECONDS)
        await run.reaches(promised.request_id, WorkState.PROVING)
        tried = await user.client.submit(fresh.name, ROW)
        await run.waits_for(tried.request_id, "proof-put-off")
        await run.has_problems("proof-put-off")
        assert not prover.hogged.is_set()
