"""What goes wrong around an executor, and that nothing is lost by it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from executor_fixtures import config_of, eventually, gate_to, running
from gateless.adapters.chain import calls
from gateless.adapters.chain.sender import Sender
from gateless.core.errors import ConfigError
from gateless.core.types import RequestState
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor import ExecutorConfig, PolicyConfig
from gateless.executor.service import open_executor
from gateless.executor.states import WorkState
from gateless.executor.work import IntentKind
from gateless_proofs import KeyCache, Proof, Prover
from market_fixtures import ROW, Account, MakeAccount, MakeServed, Served
from patience import PATIENCE_SECONDS

DOLLAR = 1_000_000


async def requester(make_account: MakeAccount, served: Served) -> Account:
    user = await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    return user


class HeldProver(Prover):
    """A real prover that starts when it is let go: a slow machine, as slow as a test needs."""

    def __init__(self, keys: KeyCache) -> None:
        super().__init__(keys)
        self.asked = asyncio.Event()
        self.let_go = asyncio.Event()
        self.stopped = asyncio.Event()

    async def prove(self, *args: Any, **options: Any) -> Proof:
        self.asked.set()
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.stopped.set()
            raise
        return await super().prove(*args, **options)


def held(config: ExecutorConfig) -> HeldProver:
    return HeldProver(KeyCache(config.cache_dir))


async def test_the_node_goes_away_and_comes_back(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("faults-node")
    user = await requester(make_account, served)
    config = config_of(served.executor)
    prover = held(config)
    async with (
        gate_to(devnet) as gate,
        running(devnet, served.executor, config, rpc_url=gate.url, prover=prover) as run,
    ):
        version = served.published.version_id
        await run.journal.measured(version, 0, 0.5)
        locked = await user.client.submit(served.name, ROW)
        await asyncio.wait_for(prover.asked.wait(), PATIENCE_SECONDS)
        assert (await run.work(locked.request_id)).state is WorkState.PROVING
        # The node goes away while a locked request is proven, and another one is made meanwhile.
        await gate.shut()
        missed = await user.client.submit(served.name, ROW)
        prover.let_go.set()

        await run.has_problems("rpc-unreachable")
        assert (await run.work(locked.request_id)).state in {WorkState.PROVING, WorkState.LOCKED}
        await gate.open()
        await run.reaches(locked.request_id, WorkState.FULFILLED)
        await run.reaches(missed.request_id, WorkState.FULFILLED)
        await run.has_problems()


async def test_proving_stops_when_another_executor_locks_first(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("faults-race")
    user = await requester(make_account, served)
    rival = await make_account()
    await rival.client.stake(50 * DOLLAR, serve=[served.name])
    config = config_of(served.executor)
    prover = held(config)
    async with running(devnet, served.executor, config, prover=prover) as run:
        asked = await user.client.submit(served.name, ROW, price=DOLLAR)
        await asyncio.wait_for(prover.asked.wait(), PATIENCE_SECONDS)
        assert (await run.work(asked.request_id)).state is WorkState.CHECKED
        taken = calls.lock(await rival.client.request(asked.request_id))
        await Sender(rival.client.chain, rival.signer).send(taken)
        await asyncio.wait_for(prover.stopped.wait(), PATIENCE_SECONDS)
        work = await run.reaches(asked.request_id, WorkState.LOST)
        assert work.reason == "locked-by-another"


async def test_a_fork_that_undoes_a_request_while_it_is_proven(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    served = await make_served("faults-fork")
    user = await requester(make_account, served)
    config = config_of(served.executor)
    prover = held(config)
    async with running(devnet, served.executor, config, prover=prover) as run:
        fork = await devnet.control.snapshot()
        undone = await user.client.submit(served.name, ROW)
        await asyncio.wait_for(prover.asked.wait(), PATIENCE_SECONDS)
        await devnet.control.revert(fork)
        await devnet.control.mine(5)
        await asyncio.wait_for(prover.stopped.wait(), PATIENCE_SECONDS)

        async def forgotten() -> bool:
            return await run.state(undone.request_id) is None

        await eventually("the request is forgotten", forgotten)
        # The number goes to another request, which is served as any other.
        prover.let_go.set()
        again = await user.client.infer(served.name, [0.1, 0.2, 0.3, 0.4])
        assert again.request_id == undone.request_id
        await run.reaches(again.request_id, WorkState.FULFILLED)


async def test_a_missed_lock_stops_proving_and_halts_its_version_until_it_is_resumed(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    served, other = await make_served("faults-missed"), await make_served("faults-other")
    await served.executor.client.stake(0, serve=[other.name])
    user = await requester(make_account, served)
    version_id = served.published.version_id
    config = config_of(served.executor, serve_port=0)
    prover = held(config)
    async with running(devnet, served.executor, config, prover=prover) as run:
        await run.journal.measured(version_id, 0, 0.5)
        asked = await user.client.submit(served.name, ROW)
        await asyncio.wait_for(prover.asked.wait(), PATIENCE_SECONDS)
        await devnet.control.advance(400)
        await asyncio.wait_for(prover.stopped.wait(), PATIENCE_SECONDS)
        work = await run.reaches(asked.request_id, WorkState.FAILED)
        assert work.reason == "lock-missed"
        [problem] = await run.has_problems("version-halted")
        assert str(version_id) in problem.message
        assert f"gateless executor resume {version_id}" in problem.hint
        assert (await run.executor.status()).phase == "running"
        assert not await run.executor.obstacles(), "its other versions go on"
        async with httpx.AsyncClient(base_url=run.executor.serving_at) as http:
            health = (await http.get("/health")).json()
        assert [entry["code"] for entry in health["halted"]] == ["version-halted"]
        prover.let_go.set()
        refused = await user.client.submit(served.name, ROW)
        served_on = await user.client.submit(other.name, ROW)
        await run.reaches(served_on.request_id, WorkState.FULFILLED)
        assert await run.state(refused.request_id) is WorkState.SEEN
    # A restart by itself has found no cause.
    async with running(devnet, served.executor, config) as run:
        await run.has_problems("version-halted")
        assert await run.state(refused.request_id) is WorkState.SEEN
        await run.journal.resume(version_id)
        await run.reaches(refused.request_id, WorkState.FULFILLED)
        await run.has_problems()


async def test_what_is_lost_by_two_versions_halts_everything(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    served, other = await make_served("faults-first"), await make_served("faults-second")
    third = await make_served("faults-third")
    await served.executor.client.stake(0, serve=[other.name, third.name])
    user = await requester(make_account, served)
    config = config_of(
        served.executor,
        serve_port=0,
        policy=PolicyConfig(margin_seconds=1.0, max_concurrent=2),
    )
    prover = held(config)
    async with running(devnet, served.executor, config, prover=prover) as run:
        for entry in (served, other, third):
            await run.journal.measured(entry.published.version_id, 0, 0.5)
        ids = [(await user.client.submit(e.name, ROW)).request_id for e in (served, other)]
        for request_id in ids:
            await run.reaches(request_id, WorkState.PROVING)
        await devnet.control.advance(400)
        for request_id in ids:
            await run.reaches(request_id, WorkState.FAILED)

        async def halted() -> bool:
            return (await run.executor.status()).phase == "halted"

        await eventually("it takes no more work", halted)
        await run.has_problems("halted")
        assert [entry.code for entry in await run.executor.obstacles()] == ["halted"]
        prover.let_go.set()
        refused = await user.client.submit(third.name, ROW)
        await run.reaches(refused.request_id, WorkState.SEEN)
        # One is looked into: what is left was the other version's alone.
        await run.journal.resume(other.published.version_id)
        await run.reaches(refused.request_id, WorkState.FULFILLED)
        await run.has_problems("version-halted")
        assert (await run.executor.status()).phase == "running"


async def test_stopping_finishes_what_is_locked_and_drops_the_rest(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("faults-stop")
    user = await requester(make_account, served)
    config = config_of(served.executor, policy=PolicyConfig(max_concurrent=1, margin_seconds=1))
    prover = held(config)
    async with running(devnet, served.executor, config, prover=prover) as run:
        await run.journal.measured(served.published.version_id, 0, 0.5)
        locked = await user.client.submit(served.name, ROW)
        await asyncio.wait_for(prover.asked.wait(), PATIENCE_SECONDS)
        waiting = await user.client.submit(served.name, ROW)
        await run.reaches(waiting.request_id, WorkState.SEEN)
        run.executor.stop()

        async def stopping() -> bool:
            return (await run.executor.status()).phase == "stopping"

        await eventually("it is stopping", stopping)
        assert not run.task.done()
        prover.let_go.set()
        await asyncio.wait_for(run.task, PATIENCE_SECONDS)
        assert (await run.work(locked.request_id)).state is WorkState.FULFILLED
        assert (await run.work(waiting.request_id)).state is WorkState.SEEN
    info = await devnet.client.market.request(waiting.request_id)
    assert info.state is RequestState.OPEN


async def test_earnings_are_withdrawn_above_the_threshold(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("faults-earnings", royalty_bps=0)
    user = await requester(make_account, served)
    executor = served.executor
    before = await devnet.client.token.balance_of(executor.address)
    async with running(devnet, executor, withdraw_threshold=2 * DOLLAR) as run:
        for _ in range(2):
            asked = await user.client.submit(served.name, ROW, price=DOLLAR)
            await run.reaches(asked.request_id, WorkState.FULFILLED)

        async def withdrawn() -> bool:
            return await devnet.client.token.balance_of(executor.address) == before + 2 * DOLLAR

        await eventually("the earnings are in the wallet", withdrawn)
        assert await devnet.client.market.balance_of(executor.address) == 0
        asked = await user.client.submit(served.name, ROW, price=DOLLAR)
        await run.reaches(asked.request_id, WorkState.FULFILLED)

        async def withdrawn_once() -> bool:
            kinds = [intent for intent in await run.journal.intents() if intent.request_id is None]
            return [(i.kind, i.state) for i in kinds] == [(IntentKind.WITHDRAW, IntentState.MINED)]

        await eventually("one withdrawal is in the journal", withdrawn_once)
        await asyncio.sleep(0.5)  # several further looks withdraw nothing more
        assert await withdrawn_once()
    assert await devnet.client.market.balance_of(executor.address) == DOLLAR


async def test_a_withdrawal_that_is_looked_up_gives_up_no_answer_on_its_way(
    devnet: Devnet, make_served: MakeServed
) -> None:
    """What was signed a moment ago is not at the node yet: that does not mean it never will be."""
    served = await make_served("faults-on-its-way")
    executor = served.executor
    async with running(devnet, executor, withdraw_threshold=DOLLAR) as run:
        await run.has_problems()
        sender = run.executor._recovery._transactions._sender
        staking = devnet.client.staking.address
        withdrawal, answer = [
            await run.journal.intend(kind, await sender.prepare(calls.approve(staking, 1)))
            for kind in (IntentKind.WITHDRAW, IntentKind.LAZY_ANSWER)
        ]

        async def given_up() -> bool:
            states = {entry.intent_id: entry.state for entry in await run.journal.intents()}
            return states[withdrawal.intent_id] is IntentState.DROPPED

        await eventually("the withdrawal that was never sent is given up", given_up)
        pending = await run.journal.intents(state=IntentState.PENDING)
        assert [entry.intent_id for entry in pending] == [answer.intent_id]


async def test_two_executors_cannot_share_a_journal(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("faults-shared")
    config = config_of(served.executor)
    async with running(devnet, served.executor, config):
        with pytest.raises(ConfigError) as caught:
            async with open_executor(
                config, deployment=devnet.deployment, signer=served.executor.signer
            ):
                pass
        assert caught.value.code == "already-running"
    other = await make_account()
    with pytest.raises(ConfigError) as caught:
        async with open_executor(config, deployment=devnet.deployment, signer=other.signer):
            pass
    assert caught.value.code == "journal-of-another"


async def test_a_damaged_key_cache_and_bundle_are_made_again(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, tmp_path: Path
) -> None:
    """Files of an earlier run that were damaged on disk are never used as they are."""
    served = await make_served("faults-damaged")
    user = await requester(make_account, served)
    config = config_of(served.executor)
    async with running(devnet, served.executor, config) as run:
        first = await user.client.submit(served.name, ROW)
        await run.reaches(first.request_id, WorkState.FULFILLED)
    root = config.bundles_dir / served.published.manifest_digest
    for entry in served.bundle.manifest.files:
        path = root / entry.name
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    async with running(devnet, served.executor, config) as run:
        second = await user.client.submit(served.name, ROW)
        await run.reaches(second.request_id, WorkState.FULFILLED)
