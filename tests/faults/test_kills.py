"""kill -9 at every journaled step; the next start finishes the job, and the judge finds nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gateless.core.lazy import LazyState
from gateless.devnet import Devnet
from gateless.executor import PolicyConfig
from lazy_serving import LAZY
from market_fixtures import MakeAccount, MakeServed
from tried import Tried, on_trial, rows

BATCHING = PolicyConfig(max_concurrent=2, margin_seconds=1.0, batch_wait_seconds=30.0)


@pytest.fixture
async def tried(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> Tried:
    return await on_trial(isolated_devnet, make_served, make_account, "killed")


@pytest.mark.parametrize(
    "step",
    ["after:checked", "after:locking", "intent:lock", "concluding", "concluded", "after:locked",
     "after:proved", "after:fulfilling", "intent:fulfill", "after:fulfilled"],
)  # fmt: skip
async def test_one_request(tried: Tried, step: str) -> None:
    await tried.asks()
    await tried.dies(step)
    await tried.recovers()


async def test_one_request_between_lock_and_proof(tried: Tried) -> None:
    await tried.knows_its_speed()
    await tried.asks()
    await tried.dies("after:proving")
    await tried.recovers()


@pytest.mark.parametrize(
    "steps",
    [
        ("intent:lock", "intent:fulfill"),
        ("after:locked", "intent:fulfill"),
        # in the middle of the recovery from the first one
        ("intent:lock", "concluding"),
        ("intent:fulfill", "concluding"),
        ("intent:fulfill", "concluded"),
        ("intent:lock", "intent:lock", "intent:fulfill"),
    ],
    ids="+".join,
)
async def test_killed_again(tried: Tried, steps: tuple[str, ...]) -> None:
    await tried.asks()
    await tried.dies(*steps)
    await tried.recovers()


@pytest.mark.parametrize(
    "step",
    ["after:locked", "after:proving", "batch:proved", "after:fulfilling", "intent:fulfill_batch",
     "after:fulfilled"],
)  # fmt: skip
async def test_a_batch(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    batching_bundle: object,
    step: str,
) -> None:
    async def make(name: str) -> object:
        return await make_served(name, batching_bundle)

    tried = await on_trial(isolated_devnet, make, make_account, "killed-batch", policy=BATCHING)  # type: ignore[arg-type]
    await tried.knows_its_speed(0, 1)
    for row in rows(3):
        await tried.asks(row)
    await tried.dies(step)
    await tried.recovers()


@pytest.mark.parametrize(
    "step",
    ["lazy:checked", "intent:lazy_lock", "lazy:locked", "intent:lazy_answer", "lazy:answered"],
)
async def test_a_lazy_answer(tried: Tried, step: str) -> None:
    tried.config = replace(tried.config, lazy=LAZY)
    await tried.asks_lazily()
    await tried.dies(step)
    await lazily_recovers(tried)


@pytest.mark.parametrize("step", ["intent:lazy_finalize", "lazy:final"])
async def test_a_lazy_end(tried: Tried, step: str) -> None:
    tried.config = replace(tried.config, lazy=LAZY)
    request_id = await tried.asks_lazily()
    async with tried.process():
        await tried.ask.reaches(request_id, LazyState.ANSWERED)
    await tried.window_passes(request_id)
    await tried.dies(step)
    await tried.recovers()


@pytest.mark.parametrize("step", ["lazy:doubted", "claim:proved", "intent:lazy_prove"])
async def test_a_doubted_answer(tried: Tried, make_account: MakeAccount, step: str) -> None:
    tried.config = replace(tried.config, lazy=LAZY)
    request_id = await tried.asks_lazily()
    async with tried.process(die_at=step) as process:
        await tried.ask.reaches(request_id, LazyState.ANSWERED)
        await tried.ask.doubt(await make_account(), request_id)
        await process.ended()
    await tried.recovers()


async def lazily_recovers(tried: Tried) -> None:
    """The answer comes, its window passes, and it is paid."""
    (request_id,) = tried.lazy
    async with tried.process(), tried.journal() as journal:
        await tried.ask.reaches(request_id, LazyState.ANSWERED)
        await tried.window_passes(request_id)
        await tried.at_rest(journal)
    await tried.judged()
