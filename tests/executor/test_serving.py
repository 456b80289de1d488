"""An executor at work: a real chain, real contracts, real proofs."""

from __future__ import annotations

from executor_fixtures import config_of, running
from gateless.adapters.storage import LocalStore
from gateless.core.types import RequestState
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor.states import WorkState
from gateless.executor.work import IntentKind
from market_fixtures import ROW, MakeAccount, MakeServed


async def test_requests_are_proven_fulfilled_and_paid(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("exec-whole", royalty_bps=1000)
    user = await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    async with running(devnet, served.executor) as run:
        first = await user.client.infer("exec-whole", ROW, price=1_000_000)
        second = await user.client.infer("exec-whole", [0.1, 0.2, 0.3, 0.4], price=500_000)
        work = await run.reaches(first.request_id, WorkState.FULFILLED)
        assert work.fee == first.fee == 900_000
        await run.reaches(second.request_id, WorkState.FULFILLED)
        intents = await run.journal.intents(second.request_id)
        assert [(i.kind, i.state) for i in intents] == [
            (IntentKind.LOCK, IntentState.MINED),
            (IntentKind.FULFILL, IntentState.MINED),
        ]
        # Never in the block of the lock: a proof seen beside its lock could be taken by others.
        assert intents[1].block_number > intents[0].block_number
        await run.has_problems()
        status = await run.executor.status()
    assert status.earned == 1_350_000
    assert status.counts["fulfilled"] == 2
    assert status.active == ()
    assert (await served.executor.client.balances()).market == 1_350_000
    info = await user.client.request(second.request_id)
    assert info.state is RequestState.PAID


async def test_a_request_for_this_executor_alone_takes_one_transaction(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("exec-named")
    user = await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    async with running(devnet, served.executor) as run:
        result = await user.client.infer("exec-named", ROW, executor=served.executor.address)
        await run.reaches(result.request_id, WorkState.FULFILLED)
        (intent,) = await run.journal.intents(result.request_id)
    assert (intent.kind, intent.state) == (IntentKind.LOCK_AND_FULFILL, IntentState.MINED)


async def test_whoever_serves_a_version_serves_its_files(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    """Also where the bundle lay on disk already and nothing had to be fetched."""
    served = await make_served("exec-files")
    user = await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    config = config_of(served.executor)
    async with running(devnet, served.executor, config) as run:
        first = await user.client.infer(served.name, ROW)
        await run.reaches(first.request_id, WorkState.FULFILLED)
    store = LocalStore(config.content_dir)
    for entry in served.bundle.manifest.files:
        store.path_of(entry.sha256).unlink()
    async with running(devnet, served.executor, config) as run:
        second = await user.client.infer(served.name, ROW)
        await run.reaches(second.request_id, WorkState.FULFILLED)
    for entry in served.bundle.manifest.files:
        assert len(await store.get(entry.sha256)) == entry.size
