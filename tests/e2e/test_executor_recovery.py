"""kill -9 of a real executor process at every step; a restart finishes the job, once."""

from __future__ import annotations

import signal
from collections import Counter

import pytest
from executor_fixtures import config_of, eventually, executor_process, reading
from gateless.core.types import Event, RequestState
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor.states import WorkState
from gateless.executor.work import IntentKind, Work
from gateless.sdk.results import SubmittedRequest
from market_fixtures import ROW, Account, MakeAccount, MakeServed, Served

RECOVERED = '"event": "recovered"'
PRICE = 1_000_000
FEE = 950_000


class Case:
    """One executor, one requester, and what the chain says in the end."""

    def __init__(self, devnet: Devnet, served: Served, user: Account) -> None:
        self.devnet = devnet
        self.served = served
        self.user = user
        self.config = config_of(served.executor)

    async def ask(self) -> SubmittedRequest:
        return await self.user.client.submit(self.served.name, ROW, price=PRICE)

    async def state(self, request: SubmittedRequest) -> RequestState:
        return (await self.devnet.client.market.request(request.request_id)).state

    async def work(self, request: SubmittedRequest) -> Work | None:
        async with reading(self.devnet, self.served.executor, self.config) as journal:
            found = await journal.find(list(WorkState))
        return next((work for work in found if work.request_id == request.request_id), None)

    async def known_work(self, request: SubmittedRequest) -> Work:
        work = await self.work(request)
        assert work is not None
        return work

    async def kinds(self, request: SubmittedRequest) -> list[tuple[IntentKind, IntentState]]:
        async with reading(self.devnet, self.served.executor, self.config) as journal:
            found = await journal.intents(request.request_id)
        return [(intent.kind, intent.state) for intent in found]

    def recoveries(self) -> int:
        """How often the executor has started up and looked at what was left."""
        log = self.served.executor.home / "executor.log"
        return log.read_text().count(RECOVERED) if log.exists() else 0

    async def restarted(self, request: SubmittedRequest) -> str:
        """Runs an executor until the journal says that the request is paid; returns all logs."""
        earlier = self.recoveries()
        async with executor_process(self.devnet, self.served.executor, self.config) as process:

            async def recovered() -> bool:
                assert not process.has_ended, process.log.read_text()
                return self.recoveries() > earlier

            # Before it has started up, a signal would end it in the way of any process.
            await eventually("it has recovered", recovered)

            async def fulfilled() -> bool:
                assert not process.has_ended, process.log.read_text()
                work = await self.work(request)
                return work is not None and work.state is WorkState.FULFILLED

            await eventually(f"request {request.request_id} is fulfilled", fulfilled)
            assert await process.terminate() == 0
        return process.log.read_text()

    async def events(self, request: SubmittedRequest) -> list[Event]:
        names = ["RequestLocked", "RequestFulfilled", "RequestRefunded"]
        start = request.transaction
        assert start is not None
        found = await self.devnet.client.events(names, self.devnet.deployment.start_block)
        return [event for event in found if event.args["requestId"] == request.request_id]

    async def assert_paid_once(self, request: SubmittedRequest) -> None:
        assert Counter(event.name for event in await self.events(request)) == {
            "RequestLocked": 1,
            "RequestFulfilled": 1,
        }
        assert await self.state(request) is RequestState.PAID
        market = self.devnet.client.market
        assert await market.balance_of(self.served.executor.address) == FEE
        allocation = await self.devnet.client.staking.allocation(
            self.served.executor.address, market.address
        )
        assert (allocation.locked, allocation.allocated) == (0, 50_000_000)
        assert (await self.known_work(request)).fee == FEE


@pytest.fixture
async def case(
    request: pytest.FixtureRequest,
    devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
) -> Case:
    name = f"recovery-{abs(hash(request.node.name)) % 10**8}"
    served = await make_served(name)
    user = await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    return Case(devnet, served, user)


@pytest.mark.parametrize(
    ("die_at", "chain", "proof_kept"),
    [
        ("after:checked", RequestState.OPEN, False),
        ("after:locking", RequestState.OPEN, True),
        ("intent:lock", RequestState.OPEN, True),
        ("after:locked", RequestState.LOCKED, True),
        ("after:proved", RequestState.LOCKED, True),
        ("after:fulfilling", RequestState.LOCKED, True),
        ("intent:fulfill", RequestState.LOCKED, True),
        ("after:fulfilled", RequestState.PAID, True),
    ],
)
async def test_killed_at_a_step_and_restarted(
    case: Case, die_at: str, chain: RequestState, proof_kept: bool
) -> None:
    request = await case.ask()
    async with executor_process(
        case.devnet, case.served.executor, case.config, die_at=die_at
    ) as process:
        assert await process.ended() == -signal.SIGKILL
    assert await case.state(request) is chain
    assert (await case.known_work(request)).has_proof is proof_kept

    log = await case.restarted(request)
    await case.assert_paid_once(request)
    # What was proven before the crash is not proven again: two processes, one proof.
    assert log.count('"event": "proof-made"') == 1


async def test_killed_between_lock_and_proof(case: Case) -> None:
    """The version's proving time is known, so the lock comes first and the proof after it."""
    async with reading(case.devnet, case.served.executor, case.config) as journal:
        await journal.measured(case.served.published.version_id, 0, 0.5)
    request = await case.ask()
    async with executor_process(
        case.devnet, case.served.executor, case.config, die_at="after:proving"
    ) as process:
        assert await process.ended() == -signal.SIGKILL
    assert await case.state(request) is RequestState.LOCKED
    assert not (await case.known_work(request)).has_proof

    await case.restarted(request)
    await case.assert_paid_once(request)
    assert await case.kinds(request) == [
        (IntentKind.LOCK, IntentState.MINED),
        (IntentKind.FULFILL, IntentState.MINED),
    ]


async def test_killed_from_outside_while_its_fulfilment_waits_to_be_mined(
    case: Case, isolated_devnet: Devnet
) -> None:
    request = await case.ask()
    control = isolated_devnet.control
    rpc = isolated_devnet.client.rpc

    async def waiting() -> int:
        status = await rpc.request("txpool_status")
        return int(status["pending"], 16)

    async def one_waits() -> bool:
        return await waiting() == 1

    await control.set_automine(False)
    async with executor_process(case.devnet, case.served.executor, case.config) as process:
        await eventually("the lock waits to be mined", one_waits)
        await control.mine()
        await eventually("the fulfilment waits to be mined", one_waits)
        assert (await case.known_work(request)).state is WorkState.FULFILLING
        await process.kill()
    assert await case.state(request) is RequestState.LOCKED
    # It is mined while nobody runs. The restart finds that out and sends nothing.
    await control.mine()
    assert await case.state(request) is RequestState.PAID
    nonce = await rpc.quantity("eth_getTransactionCount", case.served.executor.address, "latest")
    await case.restarted(request)
    await case.assert_paid_once(request)
    assert nonce == await rpc.quantity(
        "eth_getTransactionCount", case.served.executor.address, "latest"
    )
    assert await case.kinds(request) == [
        (IntentKind.LOCK, IntentState.MINED),
        (IntentKind.FULFILL, IntentState.MINED),
    ]


async def test_requests_made_while_it_was_down_are_found(case: Case) -> None:
    first = await case.ask()
    await case.restarted(first)
    second = await case.ask()
    await case.devnet.control.mine(3)
    log = await case.restarted(second)
    assert await case.state(second) is RequestState.PAID
    assert log.count(RECOVERED) == 2


async def test_a_locked_request_is_finished_before_a_graceful_end(case: Case) -> None:
    async with reading(case.devnet, case.served.executor, case.config) as journal:
        await journal.measured(case.served.published.version_id, 0, 0.5)
    request = await case.ask()
    async with executor_process(case.devnet, case.served.executor, case.config) as process:

        async def locked() -> bool:
            return await case.state(request) is RequestState.LOCKED

        await eventually("the request is locked", locked)
        process.interrupt()

        async def stopping() -> bool:
            return '"event": "stopping"' in process.log.read_text()

        await eventually("it has stopped intake", stopping)
        late = await case.ask()
        assert await process.ended() == 0
    assert await case.state(request) is RequestState.PAID
    # Intake had stopped: what came later was not taken.
    assert await case.state(late) is RequestState.OPEN
