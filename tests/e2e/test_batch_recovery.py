"""kill -9 of an executor process in the middle of a batch; a restart pays everybody, once."""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import replace

import pytest
from executor_fixtures import config_of, eventually, executor_process, reading
from gateless.core.types import RequestState
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor import PolicyConfig
from gateless.executor.states import WorkState
from gateless.executor.work import IntentKind
from gateless_proofs import Bundle
from market_fixtures import Account, MakeAccount, MakeServed, Served

ROWS = [[0.5, -0.25, 1.0, 0.125], [0.1, 0.2, 0.3, 0.4], [-1.0, 1.0, 0.0, 0.5]]
PRICE = 1_000_000
FEE = 950_000
POLICY = PolicyConfig(
    max_concurrent=4, margin_seconds=1.0, batch_wait_seconds=30.0, lock_wait_seconds=30.0
)


class Case:
    """An executor, its requester, and what the chain says in the end."""

    def __init__(self, devnet: Devnet, served: Served, user: Account) -> None:
        self.devnet = devnet
        self.served = served
        self.user = user
        self.config = replace(config_of(served.executor), policy=POLICY)

    async def ask(self) -> list[int]:
        submit = self.user.client.submit
        return [(await submit(self.served.name, row, price=PRICE)).request_id for row in ROWS]

    async def measured(self) -> None:
        async with reading(self.devnet, self.served.executor, self.config) as journal:
            for index in (0, 1):
                await journal.measured(self.served.published.version_id, index, 0.5)

    async def states(self) -> dict[int, WorkState]:
        async with reading(self.devnet, self.served.executor, self.config) as journal:
            return {work.request_id: work.state for work in await journal.find(list(WorkState))}

    async def batches(self) -> list[IntentState]:
        async with reading(self.devnet, self.served.executor, self.config) as journal:
            found = await journal.intents()
        return [intent.state for intent in found if intent.kind is IntentKind.FULFILL_BATCH]

    async def restarted(self, ids: list[int]) -> str:
        """Runs an executor until all requests are paid; returns all logs."""
        async with executor_process(self.devnet, self.served.executor, self.config) as process:
            recovered = '"event": "recovered"'
            earlier = process.log.read_text().count(recovered)

            async def fulfilled() -> bool:
                if process.log.read_text().count(recovered) == earlier:
                    return False
                states = await self.states()
                return all(states.get(entry) is WorkState.FULFILLED for entry in ids)

            await eventually(f"requests {ids} are fulfilled", fulfilled)
            assert await process.terminate() == 0
        return process.log.read_text()

    async def assert_paid_once(self, ids: list[int]) -> None:
        names = ["RequestLocked", "RequestFulfilled", "RequestRefunded"]
        found = await self.devnet.client.events(names, self.devnet.deployment.start_block)
        mine = [event for event in found if event.args["requestId"] in ids]
        assert Counter((event.name, event.args["requestId"]) for event in mine) == {
            (name, entry): 1 for name in names[:2] for entry in ids
        }
        market = self.devnet.client.market
        executor = self.served.executor.address
        assert await market.balance_of(executor) == len(ids) * FEE
        allocation = await self.devnet.client.staking.allocation(executor, market.address)
        assert (allocation.locked, allocation.allocated) == (0, 50_000_000)
        async with reading(self.devnet, self.served.executor, self.config) as journal:
            assert await journal.earned() == len(ids) * FEE


@pytest.fixture
async def case(
    request: pytest.FixtureRequest,
    devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    batching_bundle: Bundle,
) -> Case:
    name = f"batches-{abs(hash(request.node.name)) % 10**8}"
    served = await make_served(name, batching_bundle)
    user = await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    case = Case(devnet, served, user)
    await case.measured()
    return case


@pytest.mark.parametrize(
    ("die_at", "proofs"),
    [
        # between the first decision and the others, with and without a signed transaction
        ("after:locking", 1),
        ("intent:lock_many", 1),
        # between the first member's lock and the others', which one transaction made
        ("after:locked", 1),
        ("after:proving", 1),
        ("batch:proved", 1),
        # between the first member's step and the others'
        ("after:fulfilling", 1),
        ("intent:fulfill_batch", 1),
        ("after:fulfilled", 1),
    ],
)
async def test_killed_in_the_middle_of_a_batch(case: Case, die_at: str, proofs: int) -> None:
    ids = await case.ask()
    async with executor_process(
        case.devnet, case.served.executor, case.config, die_at=die_at
    ) as process:
        assert await process.ended() == -signal.SIGKILL
    log = await case.restarted(ids)
    await case.assert_paid_once(ids)
    # What was proven before the crash is not proven again, and one transaction pays for all.
    assert log.count('"event": "batch-proof-made"') == proofs
    assert (await case.batches()).count(IntentState.MINED) == 1


async def test_killed_while_the_locks_wait_to_be_mined_and_mined_while_nobody_runs(
    case: Case, isolated_devnet: Devnet
) -> None:
    control, rpc = isolated_devnet.control, isolated_devnet.client.rpc

    async def locks_wait() -> bool:
        return int((await rpc.request("txpool_status"))["pending"], 16) == 1

    ids = await case.ask()
    await control.set_automine(False)
    async with executor_process(case.devnet, case.served.executor, case.config) as process:
        await eventually("the locks wait to be mined", locks_wait)
        await process.kill()
    await control.mine()
    for entry in ids:
        assert (await case.devnet.client.market.request(entry)).state is RequestState.LOCKED
    await control.set_automine(True)
    log = await case.restarted(ids)
    await case.assert_paid_once(ids)
    # The locks were found, not made again.
    sent = [line for line in log.splitlines() if '"event": "transaction-sent"' in line]
    assert [line.count('"kind": "lock_many"') for line in sent] == [1, 0]
    assert (await case.batches()).count(IntentState.MINED) == 1


async def test_killed_while_the_batch_waits_to_be_mined_and_mined_while_nobody_runs(
    case: Case, isolated_devnet: Devnet
) -> None:
    control, rpc = isolated_devnet.control, isolated_devnet.client.rpc
    executor = case.served.executor.address

    async def waiting(count: int) -> bool:
        return int((await rpc.request("txpool_status"))["pending"], 16) == count

    async def batch_waits() -> bool:
        return await waiting(1) and await case.batches() == [IntentState.PENDING]

    async def locks_wait() -> bool:
        return await waiting(1)

    ids = await case.ask()
    await control.set_automine(False)
    async with executor_process(case.devnet, case.served.executor, case.config) as process:
        await eventually("the locks wait to be mined", locks_wait)
        await control.mine()
        await eventually("the batch waits to be mined", batch_waits)
        await process.kill()
    await control.mine()
    for entry in ids:
        assert (await case.devnet.client.market.request(entry)).state is RequestState.PAID
    nonce = await rpc.quantity("eth_getTransactionCount", executor, "latest")
    await case.restarted(ids)
    await case.assert_paid_once(ids)
    assert nonce == await rpc.quantity("eth_getTransactionCount", executor, "latest")
    assert await case.batches() == [IntentState.MINED]
