"""kill -9 at every journaled step at the lazy market: each answer is given, and paid, once."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from dataclasses import replace

import pytest
from gateless.adapters.chain import lazy_calls
from gateless.core.lazy import LazyState
from gateless.devnet import Devnet
from gateless.executor import PolicyConfig
from gateless.executor.lazy.states import LazyWorkState
from lazy_serving import BACKING, DOLLAR, LAZY
from market_fixtures import MakeAccount, MakeServed, send
from patience import eventually
from tried import PATIENCE_SECONDS, Tried, on_trial


@pytest.fixture
async def tried(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> Tried:
    tried = await on_trial(isolated_devnet, make_served, make_account, "killed-lazily")
    tried.config = replace(tried.config, lazy=LAZY)
    return tried


@pytest.mark.parametrize(
    "step",
    ["intent:lazy_back", "lazy:checked", "intent:lazy_lock", "lazy:locked", "intent:lazy_answer",
     "lazy:answered"],
)  # fmt: skip
async def test_a_lazy_answer(tried: Tried, step: str) -> None:
    await tried.asks_lazily()
    await tried.dies(step)
    await lazily_recovers(tried)


@pytest.mark.parametrize("step", ["intent:lazy_finalize", "lazy:final"])
async def test_a_lazy_end(tried: Tried, step: str) -> None:
    request_id = await tried.asks_lazily()
    async with tried.process():
        await tried.ask.reaches(request_id, LazyState.ANSWERED)
    await tried.window_passes(request_id)
    await tried.dies(step)
    await tried.recovers()


@pytest.mark.parametrize("step", ["lazy:doubted", "claim:proved", "intent:lazy_prove"])
async def test_a_doubted_answer(tried: Tried, make_account: MakeAccount, step: str) -> None:
    request_id = await tried.asks_lazily()
    async with tried.process(die_at=step) as process:
        await tried.ask.reaches(request_id, LazyState.ANSWERED)
        await tried.ask.doubt(await make_account(), request_id)
        assert await process.ended() == -signal.SIGKILL
    await tried.recovers()


@pytest.mark.parametrize("step", ["intent:lazy_lock_and_answer", "lazy:answered"])
async def test_a_lazy_request_for_this_executor_alone(tried: Tried, step: str) -> None:
    await tried.asks_lazily(executor=tried.address)
    await tried.dies(step)
    await lazily_recovers(tried)


@pytest.mark.parametrize("step", ["intent:lazy_take_over", "lazy:locked"])
async def test_a_lock_that_another_missed(
    tried: Tried, make_account: MakeAccount, step: str
) -> None:
    rival = await make_account()
    await rival.client.back_lazily(50 * DOLLAR)
    request = await tried.ask.request(lock_duration=60)
    tried.lazy.append(await tried.ask.sent(request))
    await send(rival, lazy_calls.lock(request))
    await tried.devnet.control.advance(62)
    await tried.dies(step)
    await lazily_recovers(tried)


@pytest.mark.parametrize("step", ["intent:lazy_batch"])
async def test_steps_that_share_a_transaction(tried: Tried, step: str) -> None:
    policy = PolicyConfig(max_concurrent=4, margin_seconds=1.0)
    tried.config = replace(tried.config, policy=policy)
    control, me = tried.devnet.control, tried.ask.served.executor
    await tried.ask.sender(me).send(lazy_calls.back(BACKING))
    tried.since = (await tried.devnet.client.block()).number
    for _ in range(5):
        await tried.asks_lazily(executor=tried.address)
    await control.set_automine(False)
    async with tried.process(die_at=step) as process, tried.journal() as journal:

        async def all_decided() -> bool:
            states = [work.state for work in await journal.find_lazy(list(LazyWorkState))]
            return states == [LazyWorkState.CHECKED] * 5

        await eventually("what each is answered is known", all_decided, PATIENCE_SECONDS)
        ended = asyncio.create_task(process.ended())
        # One was sent alone; the others wait for its block.
        while not ended.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(ended), 1.0)
            await control.mine()
        assert await ended == -signal.SIGKILL
    await control.set_automine(True)
    await lazily_recovers(tried)


@pytest.mark.parametrize("step", ["intent:collect", "intent:collect+concluding"])
async def test_what_was_earned_is_collected(tried: Tried, step: str) -> None:
    request_id = await tried.asks_lazily()
    async with tried.process():
        await tried.ask.reaches(request_id, LazyState.ANSWERED)
    tried.config = replace(tried.config, withdraw_threshold=1)
    await tried.window_passes(request_id)
    await tried.dies(*step.split("+"))

    async def collected() -> bool:
        return await tried.ask.market.balance_of(tried.address) == 0

    await tried.recovers(until=collected)


async def lazily_recovers(tried: Tried) -> None:
    """The answers come, their windows pass, and they are paid."""
    async with tried.process(), tried.journal() as journal:
        for request_id in tried.lazy:
            await tried.ask.reaches(request_id, LazyState.ANSWERED)
        for request_id in tried.lazy:
            await tried.window_passes(request_id)
        await tried.at_rest(journal)
    await tried.judged()
