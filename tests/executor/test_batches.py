"""Several requests, one proof, one transaction: real proofs on a real chain."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from executor_fixtures import Running, config_of, eventually, running
from gateless.adapters.chain import calls
from gateless.core.types import Event, RequestState
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor import ExecutorConfig, PolicyConfig
from gateless.executor.states import WorkState
from gateless.executor.work import IntentKind
from gateless_proofs import BatchProof, Bundle, KeyCache, Prover
from market_fixtures import Account, MakeAccount, MakeServed, Served, send
from patience import PATIENCE_SECONDS

PRICE = 1_000_000
FEE = 950_000
ROWS = [[0.5, -0.25, 1.0, 0.125], [0.1, 0.2, 0.3, 0.4], [-1.0, 1.0, 0.0, 0.5], [0.9, 0.8, -0.7, 0]]
#: Long enough for requests that are looked at in turn; nobody waits for what never comes.
POLICY = PolicyConfig(
    max_concurrent=4, margin_seconds=1.0, batch_wait_seconds=30.0, lock_wait_seconds=30.0
)
SINGLE, BATCH = 0, 1


class HeldProver(Prover):
    """A real prover whose batch proofs start when they are let go."""

    def __init__(self, keys: KeyCache) -> None:
        super().__init__(keys)
        self.asked = asyncio.Event()
        self.let_go = asyncio.Event()
        self.stopped = asyncio.Event()

    async def prove_batch(
        self,
        bundle: Bundle,
        packed_rows: Any,
        circuit_index: int,
        progress: Any = None,
        *,
        due: float = math.inf,
    ) -> BatchProof:
        if circuit_index == BATCH:
            self.asked.set()
            try:
                await self.let_go.wait()
            except asyncio.CancelledError:
                self.stopped.set()
                raise
        return await super().prove_batch(bundle, packed_rows, circuit_index, progress, due=due)


class Case:
    """A version with a batch circuit, its executor, and requests of several users."""

    def __init__(self, devnet: Devnet, served: Served, users: list[Account]) -> None:
        self.devnet = devnet
        self.served = served
        self.users = users
        self.config = config_of(served.executor, policy=POLICY)

    async def ask(self, count: int, **terms: Any) -> list[int]:
        ids = []
        for index in range(count):
            user = self.users[index % len(self.users)]
            asked = await user.client.submit(self.served.name, ROWS[index], price=PRICE, **terms)
            ids.append(asked.request_id)
        return ids

    async def measured(self, run: Running) -> None:
        """As if both circuits had been proven here before."""
        for index in (SINGLE, BATCH):
            await run.journal.measured(self.served.published.version_id, index, 0.5)

    async def all_in(self, run: Running, ids: list[int], *states: WorkState) -> None:
        for request_id in ids:
            await run.reaches(request_id, *states)

    async def fulfilments(self, ids: list[int]) -> dict[int, Event]:
        found = await self.devnet.client.events(["RequestFulfilled"], 0)
        return {e.args["requestId"]: e for e in found if e.args["requestId"] in ids}

    async def state(self, request_id: int) -> RequestState:
        return (await self.devnet.client.market.request(request_id)).state

    async def assert_answers_are_right(self, ids: list[int]) -> None:
        """Each request got the output of its own input."""
        prover = Prover(KeyCache(self.config.cache_dir))
        events = await self.fulfilments(ids)
        created = await self.devnet.client.events(["RequestCreated"], 0)
        for request_id in ids:
            asked = next(e for e in created if e.args["requestId"] == request_id)
            witness = await prover.witness(self.served.bundle, bytes(asked.args["input"]))
            assert events[request_id].args["output"] == witness.packed_output


@pytest.fixture
async def case(
    request: pytest.FixtureRequest,
    devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    batching_bundle: Bundle,
) -> Case:
    name = f"batch-{abs(hash(request.node.name)) % 10**8}"
    served = await make_served(name, batching_bundle)
    users = [await make_account() for _ in range(3)]
    for user in users:
        await user.client.services.store.put(served.bundle.root / "manifest.json")
    return Case(devnet, served, users)


def held(config: ExecutorConfig) -> HeldProver:
    return HeldProver(KeyCache(config.cache_dir))


async def test_requests_of_several_users_are_settled_in_one_transaction(case: Case) -> None:
    ids = await case.ask(4)
    async with running(case.devnet, case.served.executor, case.config) as run:
        await case.measured(run)
        await case.all_in(run, ids, WorkState.FULFILLED)
        [batch] = [i for i in await run.journal.intents() if i.kind is IntentKind.FULFILL_BATCH]
        assert batch.state is IntentState.MINED
        for request_id in ids:
            kinds = [intent.kind for intent in await run.journal.intents(request_id)]
            assert kinds == [IntentKind.LOCK_MANY, IntentKind.FULFILL_BATCH]
            assert (await run.work(request_id)).fee == FEE
        status = await run.executor.status()
        assert (status.batches.proofs, status.batches.requests) == (1, 4)
        assert status.earned == 4 * FEE
    events = await case.fulfilments(ids)
    assert {event.tx_hash for event in events.values()} == {batch.tx_hash}
    await case.assert_answers_are_right(ids)
    market = case.devnet.client.market
    executor = case.served.executor.address
    assert await market.balance_of(executor) == 4 * FEE
    allocation = await case.devnet.client.staking.allocation(executor, market.address)
    assert allocation.locked == 0
    for user, count in zip(case.users, (2, 1, 1), strict=True):
        assert (await user.client.balances()).wallet == 1000 * 10**6 - count * PRICE


async def test_a_new_version_is_tried_before_anything_is_promised(case: Case) -> None:
    """Nothing was measured: circuits are tried first, then requests share a proof."""
    ids = await case.ask(4)
    async with running(case.devnet, case.served.executor, case.config) as run:
        await case.all_in(run, ids, WorkState.FULFILLED)
        version_id = case.served.published.version_id
        assert await run.journal.timing(version_id, SINGLE) is not None
        assert await run.journal.timing(version_id, BATCH) is not None
    await case.assert_answers_are_right(ids)


async def test_a_batch_that_is_not_full_is_padded(case: Case) -> None:
    ids = await case.ask(3)
    async with running(case.devnet, case.served.executor, case.config) as run:
        await case.measured(run)
        await case.all_in(run, ids, WorkState.FULFILLED)
    assert len({event.tx_hash for event in (await case.fulfilments(ids)).values()}) == 1
    await case.assert_answers_are_right(ids)


async def test_one_request_alone_is_proven_alone(case: Case) -> None:
    ids = await case.ask(1)
    async with running(case.devnet, case.served.executor, case.config) as run:
        await case.measured(run)
        await case.all_in(run, ids, WorkState.FULFILLED)
        kinds = [intent.kind for intent in await run.journal.intents(ids[0])]
        assert kinds == [IntentKind.LOCK, IntentKind.FULFILL]


async def test_an_operator_can_have_requests_proven_one_by_one(case: Case) -> None:
    ids = await case.ask(2)
    config = config_of(
        case.served.executor, policy=PolicyConfig(max_concurrent=4, margin_seconds=1, max_batch=1)
    )
    async with running(case.devnet, case.served.executor, config) as run:
        await case.measured(run)
        await case.all_in(run, ids, WorkState.FULFILLED)
        kinds = {intent.kind for intent in await run.journal.intents()}
        assert kinds - {IntentKind.LOCK, IntentKind.LOCK_MANY} == {IntentKind.FULFILL}


async def test_a_request_that_is_refunded_while_its_batch_is_proven_does_not_sink_it(
    case: Case, isolated_devnet: Devnet
) -> None:
    prover = held(case.config)
    short = await case.ask(1, lock_duration=150)
    long = await case.ask(3, lock_duration=550)
    async with running(isolated_devnet, case.served.executor, case.config, prover=prover) as run:
        await case.measured(run)
        await case.all_in(run, [*short, *long], WorkState.PROVING)
        await asyncio.wait_for(prover.asked.wait(), PATIENCE_SECONDS)
        await isolated_devnet.control.advance(200)
        await send(case.users[0], calls.refund(short[0]))
        await run.reaches(short[0], WorkState.FAILED)
        assert not prover.stopped.is_set(), "the others still wait for this proof"
        prover.let_go.set()
        await case.all_in(run, long, WorkState.FULFILLED)
        assert (await run.work(short[0])).state is WorkState.FAILED
    assert await case.state(short[0]) is RequestState.REFUNDED
    assert len({event.tx_hash for event in (await case.fulfilments(long)).values()}) == 1
    await case.assert_answers_are_right(long)


async def test_a_request_that_expires_under_way_is_skipped_on_chain(
    case: Case, isolated_devnet: Devnet
) -> None:
    """The transaction was sent while all locks held, and is mined when one does not any more."""
    prover = held(case.config)
    short = await case.ask(1, lock_duration=150)
    long = await case.ask(3, lock_duration=550)
    ids = [*short, *long]
    control, rpc = isolated_devnet.control, isolated_devnet.client.rpc

    async def waits_to_be_mined() -> bool:
        return int((await rpc.request("txpool_status"))["pending"], 16) == 1

    async with running(isolated_devnet, case.served.executor, case.config, prover=prover) as run:
        await case.measured(run)
        await case.all_in(run, ids, WorkState.PROVING)
        await control.set_automine(False)
        prover.let_go.set()
        await eventually("the batch waits to be mined", waits_to_be_mined)
        await control.advance(200)
        await control.set_automine(True)
        await case.all_in(run, long, WorkState.FULFILLED)
        work = await run.reaches(short[0], WorkState.FAILED)
        assert work.reason == "answer-undelivered"
    skipped = await isolated_devnet.client.events(["FulfilmentSkipped"], 0)
    assert [event.args["requestId"] for event in skipped] == short
    assert await case.state(short[0]) is RequestState.LOCKED  # refundable by anybody now
    await case.assert_answers_are_right(long)


async def test_a_proof_for_which_nobody_waits_is_stopped(
    case: Case, isolated_devnet: Devnet
) -> None:
    prover = held(case.config)
    ids = await case.ask(3, lock_duration=150)
    async with running(isolated_devnet, case.served.executor, case.config, prover=prover) as run:
        await case.measured(run)
        await case.all_in(run, ids, WorkState.PROVING)
        await asyncio.wait_for(prover.asked.wait(), PATIENCE_SECONDS)
        await isolated_devnet.control.advance(200)
        for request_id in ids:
            await send(case.users[0], calls.refund(request_id))
        await asyncio.wait_for(prover.stopped.wait(), PATIENCE_SECONDS)
        await case.all_in(run, ids, WorkState.FAILED)
