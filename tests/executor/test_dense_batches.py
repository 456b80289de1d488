"""Batches with dense words, and the input that such a batch cannot prove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from executor_fixtures import Running, config_of, running
from gateless.core.types import Event
from gateless.devnet import Devnet
from gateless.executor import PolicyConfig
from gateless.executor.states import WorkState
from gateless.executor.work import IntentKind
from gateless_proofs import BatchProof, Bundle, KeyCache, Prover
from market_fixtures import Account, MakeAccount, MakeServed, Served

PRICE = 1_000_000
ROWS = [[1, 2, 3, 4], [-60, 0, 7, 59], [11, -5, 0, 30], [2, 2, 2, -2]]
#: eight times -128 is the lowest value that the output's packing has
POISON = [-128, 1, 2, 3]
POLICY = PolicyConfig(max_concurrent=2, margin_seconds=1.0, batch_wait_seconds=30.0)
SINGLE, BATCH = 0, 1


class CountingProver(Prover):
    """A real prover that remembers how many rows each proof was asked for."""

    def __init__(self, keys: KeyCache) -> None:
        super().__init__(keys)
        self.asked: list[tuple[int, int]] = []

    async def prove_batch(
        self,
        bundle: Bundle,
        packed_rows: Sequence[bytes],
        circuit_index: int,
        *rest: Any,
        **due: Any,
    ) -> BatchProof:
        self.asked.append((circuit_index, len(packed_rows)))
        return await super().prove_batch(bundle, packed_rows, circuit_index, *rest, **due)


class Case:
    """A version with a dense batch circuit, its executor, and requests for it."""

    def __init__(self, devnet: Devnet, served: Served, user: Account) -> None:
        self.devnet, self.served, self.user = devnet, served, user
        self.config = config_of(served.executor, policy=POLICY)
        self.prover = CountingProver(KeyCache(self.config.cache_dir))

    async def ask(self, *rows: list[int]) -> list[int]:
        submit = self.user.client.submit
        return [(await submit(self.served.name, row, price=PRICE)).request_id for row in rows]

    async def measured(self, run: Running) -> None:
        """As if both circuits had been proven here before."""
        for index in (SINGLE, BATCH):
            await run.journal.measured(self.served.published.version_id, index, 0.5)

    async def fulfilments(self, ids: list[int]) -> dict[int, Event]:
        found = await self.devnet.client.events(["RequestFulfilled"], 0)
        return {e.args["requestId"]: e for e in found if e.args["requestId"] in ids}

    async def assert_answered(self, ids: list[int], rows: Sequence[list[int]]) -> None:
        """Each request got what the model says of its own input."""
        spec = self.served.bundle.schema.outputs[0]
        events = await self.fulfilments(ids)
        for request_id, row in zip(ids, rows, strict=True):
            first = int.from_bytes(events[request_id].args["output"][: spec.width], signed=True)
            assert first == 8 * row[0] << spec.scale_bits


@pytest.fixture
async def case(
    request: pytest.FixtureRequest,
    devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    dense_bundle: Bundle,
) -> Case:
    served = await make_served(f"dense-{abs(hash(request.node.name)) % 10**8}", dense_bundle)
    user = await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    return Case(devnet, served, user)


async def test_an_input_that_no_dense_batch_takes_is_proven_alone_beside_one(case: Case) -> None:
    """It is found before anything is locked: the batch is proven once and not in vain."""
    rows = [ROWS[0], POISON, ROWS[1], ROWS[2]]
    ids = await case.ask(*rows)
    async with running(case.devnet, case.served.executor, case.config, prover=case.prover) as run:
        await case.measured(run)
        for request_id in ids:
            await run.reaches(request_id, WorkState.FULFILLED)
        kinds = [intent.kind for intent in await run.journal.intents(ids[1])]
        assert kinds[1:] == [IntentKind.FULFILL]
    assert sorted(case.prover.asked) == [(SINGLE, 1), (BATCH, 3)]
    others = [ids[0], *ids[2:]]
    assert len({event.tx_hash for event in (await case.fulfilments(others)).values()}) == 1
    await case.assert_answered(ids, rows)


async def test_such_an_input_does_not_spoil_the_trial_of_a_batch_circuit(case: Case) -> None:
    """It comes first, nothing was measured: the circuit is tried with another row, and used."""
    ids = await case.ask(POISON, *ROWS[:3])
    async with running(case.devnet, case.served.executor, case.config, prover=case.prover) as run:
        for request_id in ids:
            await run.reaches(request_id, WorkState.FULFILLED)
        assert await run.journal.timing(case.served.published.version_id, BATCH) is not None
    assert next(rows for index, rows in case.prover.asked if index == BATCH) == 1
    await case.assert_answered(ids, [POISON, *ROWS[:3]])


async def test_a_version_whose_proofs_fit_no_transaction_is_refused(case: Case) -> None:
    """The trial before the first lock gets no more gas than the transaction will have."""
    (request_id,) = await case.ask(ROWS[0])
    policy = PolicyConfig(max_concurrent=2, margin_seconds=1.0, max_proof_gas=250_000)
    async with running(
        case.devnet, case.served.executor, config_of(case.served.executor, policy=policy)
    ) as run:
        work = await run.reaches(request_id, WorkState.REJECTED)
        assert work.reason == "proof-too-large"
        assert await run.journal.intents(request_id) == []
