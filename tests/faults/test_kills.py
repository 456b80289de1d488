"""kill -9 at every journaled step of requests for proofs; the next start finishes the job, and the
judge finds nothing."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace

import pytest
from gateless.adapters.chain.lane import SendingPolicy
from gateless.adapters.chain.prepared import decode_transaction
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor import PolicyConfig
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from tried import PATIENCE_SECONDS, Tried, on_trial, rows

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


@pytest.mark.parametrize("step", ["intent:lock_many"])
async def test_locks_that_share_a_transaction(tried: Tried, step: str) -> None:
    policy = PolicyConfig(max_concurrent=4, margin_seconds=1.0, lock_wait_seconds=10.0)
    tried.config = replace(tried.config, policy=policy)
    await tried.knows_its_speed()
    for row in rows(3):
        await tried.asks(row)
    await tried.dies(step)
    await tried.recovers()


@pytest.mark.parametrize("step", ["intent:lock_and_fulfill"])
async def test_a_request_for_this_executor_alone(tried: Tried, step: str) -> None:
    await tried.asks(executor=tried.address)
    await tried.dies(step)
    await tried.recovers()


@pytest.mark.parametrize("step", ["intent:withdraw", "intent:withdraw+concluding"])
async def test_what_was_earned_is_withdrawn(tried: Tried, step: str) -> None:
    tried.config = replace(tried.config, withdraw_threshold=1)
    await tried.asks()
    await tried.dies(*step.split("+"))
    market = tried.devnet.client.market
    assert await market.balance_of(tried.address) > 0

    async def withdrawn() -> bool:
        return await market.balance_of(tried.address) == 0

    await tried.recovers(until=withdrawn)


@pytest.mark.parametrize("step", ["attempted"])
async def test_between_a_replacement_and_its_sending(tried: Tried, step: str) -> None:
    """The lock waits for a block while fees rise; the dearer one is journaled and never sent."""
    tried.config = replace(
        tried.config, sending=SendingPolicy(stuck_seconds=0.3, stuck_blocks=1, look_seconds=0.2)
    )
    await tried.knows_its_speed()
    await tried.asks()
    rpc, control = tried.devnet.client.rpc, tried.devnet.control
    before = await rpc.request("eth_getBlockByNumber", "latest", False)
    await control.set_automine(False)
    try:
        async with tried.process(die_at=step) as process:

            async def waits() -> bool:
                return int((await rpc.request("txpool_status"))["pending"], 16) == 1

            await eventually("the lock waits for a block", waits, PATIENCE_SECONDS)
            async with tried.journal() as journal:
                (lock,) = await journal.intents(state=IntentState.PENDING)
            dear = hex(2 * decode_transaction(lock.attempts[0].raw).fees.per_gas)
            ended = asyncio.create_task(process.ended())
            while not ended.done():
                await rpc.request("anvil_setNextBlockBaseFeePerGas", dear)
                await control.mine()
                await asyncio.sleep(0.1)
            assert await ended == -signal.SIGKILL
        async with tried.journal() as journal:
            (lock,) = await journal.intents(state=IntentState.PENDING)
            assert len(lock.attempts) > 1
    finally:
        await control.set_automine(True)
        await rpc.request("anvil_setNextBlockBaseFeePerGas", before["baseFeePerGas"])
    await control.mine()
    await tried.recovers()
