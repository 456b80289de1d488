"""An executor that proves the digits on a cluster of two nodes, one of which dies in the middle."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from cluster_fixtures import held, is_running, local_cluster
from executor_fixtures import config_of, reading, running
from gateless.core.types import RequestState
from gateless.devnet import Devnet
from gateless.executor.states import WorkState
from gateless_proofs import BuildOptions, Bundle, CalibrationData, KeyCache, build_bundle
from market_fixtures import MakeAccount, MakeServed, TinyModel
from patience import eventually

from examples.digits.train import CALIBRATION, IMAGE, MODEL

pytest.importorskip("ray", reason="the extra `cluster` is not installed")

PRICE = 1_000_000
FEE = 950_000


@pytest.fixture(scope="module")
async def digits(tiny_model: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return await build_bundle(
        Path(MODEL),
        CalibrationData.load(Path(CALIBRATION)),
        tmp_path_factory.mktemp("digits") / "bundle",
        options=BuildOptions(name="digits", labels=tuple("0123456789"), chain_id=31337),
        keys=KeyCache(tiny_model.cache),
    )


def image() -> list[float]:
    return json.loads(Path(IMAGE).read_text())["image"]


async def test_a_node_dies_in_the_middle_of_a_proof_and_the_request_is_paid_once(
    devnet: Devnet, digits: Bundle, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("digits-on-a-cluster", digits)
    user = await make_account()
    await user.client.services.store.put(digits.root / "manifest.json")
    market = devnet.client.market
    async with local_cluster() as cluster:
        config = config_of(served.executor, cluster=cluster.address)
        async with reading(devnet, served.executor, config) as journal:
            # Its proving time is known, so the lock comes first: stake is at risk.
            await journal.measured(served.published.version_id, 0, 1.0)
        async with running(devnet, served.executor, config) as run:
            asked = await user.client.submit(served.name, image(), price=PRICE)

            victim, workers = await cluster.in_the_middle()
            with held(workers):
                # One node is at work on it, has not finished, and now cannot.
                proving = (await run.executor.status()).proving
                assert proving is not None
                at_work = [node for node in proving.nodes if node.running]
                assert [cluster.node_named(node.name) for node in at_work] == [victim]
                assert (await market.request(asked.request_id)).state is RequestState.LOCKED
                assert not (await run.work(asked.request_id)).has_proof
                await cluster.kill(victim)
                work = await run.reaches(asked.request_id, WorkState.FULFILLED)

            proving = (await run.executor.status()).proving
            assert proving is not None
            (survivor,) = proving.nodes
            assert cluster.node_named(survivor.name) != victim
            assert (survivor.done, proving.moved) == (1, 1), "proven there, and not here"

            async def died() -> bool:
                return not any(map(is_running, workers))

            await eventually("the killed node's workers are gone", died)
        # Nothing of the executor stays on the nodes.
        for node in cluster.nodes:
            for agent in cluster.agents_of(node):

                async def left(pid: int = agent) -> bool:
                    return not is_running(pid)

                await eventually("the agents are gone", left)
    assert work.fee == FEE
    events = await devnet.client.events(
        ["RequestLocked", "RequestFulfilled", "RequestRefunded"], devnet.deployment.start_block
    )
    mine = [event.name for event in events if event.args["requestId"] == asked.request_id]
    assert Counter(mine) == {"RequestLocked": 1, "RequestFulfilled": 1}
    assert (await market.request(asked.request_id)).state is RequestState.PAID
    assert await market.balance_of(served.executor.address) == FEE
