"""A batch with dense words from requests to payment, in a process of its own: one transaction."""

from __future__ import annotations

from executor_fixtures import config_of, eventually, executor_process, reading
from gateless.core.types import RequestState
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor import PolicyConfig
from gateless.executor.states import WorkState
from gateless.executor.work import IntentKind
from gateless_proofs import Bundle, KeyCache, Prover
from market_fixtures import MakeAccount, MakeServed

ROWS = [[1, 2, 3, 4], [-60, 0, 7, 59], [11, -5, 0, 30], [2, 2, 2, -2]]
PRICE = 1_000_000
FEE = 950_000
POLICY = PolicyConfig(max_concurrent=4, margin_seconds=1.0, batch_wait_seconds=30.0)


async def test_a_dense_batch_is_settled_in_one_transaction(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, dense_bundle: Bundle
) -> None:
    served = await make_served("dense-e2e", dense_bundle)
    users = [await make_account() for _ in range(2)]
    config = config_of(served.executor, policy=POLICY)
    async with reading(devnet, served.executor, config) as journal:
        for index in (0, 1):
            await journal.measured(served.published.version_id, index, 0.5)
    ids = []
    for place, row in enumerate(ROWS):
        user = users[place % len(users)]
        await user.client.services.store.put(served.bundle.root / "manifest.json")
        ids.append((await user.client.submit(served.name, row, price=PRICE)).request_id)

    async def paid() -> bool:
        states = [(await devnet.client.market.request(entry)).state for entry in ids]
        return all(state is RequestState.PAID for state in states)

    async with executor_process(devnet, served.executor, config) as process:
        await eventually(f"requests {ids} are paid", paid)
        assert await process.terminate() == 0
    events = await devnet.client.events(["RequestFulfilled"], devnet.deployment.start_block)
    mine = {event.args["requestId"]: event for event in events if event.args["requestId"] in ids}
    assert len({event.tx_hash for event in mine.values()}) == 1

    # Each request got the output of the circuit for single inferences, for its own input.
    created = await devnet.client.events(["RequestCreated"], devnet.deployment.start_block)
    given = {event.args["requestId"]: bytes(event.args["input"]) for event in created}
    prover = Prover(KeyCache(config.cache_dir))
    for entry in ids:
        alone = await prover.witness(served.bundle, given[entry], 0)
        assert mine[entry].args["output"] == alone.packed_output
    assert await devnet.client.market.balance_of(served.executor.address) == len(ids) * FEE
    async with reading(devnet, served.executor, config) as journal:
        sent = [i for i in await journal.intents() if i.kind is IntentKind.FULFILL_BATCH]
        assert [intent.state for intent in sent] == [IntentState.MINED]
        for entry in ids:
            assert (await journal.get(entry)).state is WorkState.FULFILLED
