"""Several requests, one lock transaction: each with its own outcome."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from executor_fixtures import Running, config_of, eventually, running
from gateless.adapters.chain import calls
from gateless.adapters.chain.offers import Offer
from gateless.core.types import RequestState
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor import PolicyConfig
from gateless.executor.states import WorkState
from gateless.executor.work import Intent, IntentKind
from market_fixtures import Account, MakeAccount, MakeServed, Served, send, with_files

PRICE = 1_000_000
DOLLAR = 1_000_000
ROWS = [[0.5, -0.25, 1.0, 0.125], [0.1, 0.2, 0.3, 0.4], [-1.0, 1.0, 0.0, 0.5]]
#: Long enough for requests that are looked at in turn; nobody waits for what never comes.
POLICY = PolicyConfig(max_concurrent=8, margin_seconds=1.0, lock_wait_seconds=30.0)


class Case:
    """A version, its executor and a user."""

    def __init__(self, devnet: Devnet, served: Served, user: Account) -> None:
        self.devnet = devnet
        self.served = served
        self.user = user
        self.config = config_of(served.executor, policy=POLICY, serve_port=0)

    async def ask(self, *rows: list[float], **terms: Any) -> list[int]:
        submit = self.user.client.submit
        return [
            (await submit(self.served.name, row, price=PRICE, **terms)).request_id for row in rows
        ]

    async def measured(self, run: Running) -> None:
        """As if the circuit had been proven here before."""
        await run.journal.measured(self.served.published.version_id, 0, 0.5)

    async def lock_waits_to_be_mined(self) -> None:
        async def waits() -> bool:
            status = await self.devnet.client.rpc.request("txpool_status")
            return int(status["pending"], 16) == 1

        await eventually("the locks wait to be mined", waits)


@pytest.fixture
async def case(
    request: pytest.FixtureRequest,
    devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
) -> Case:
    served = await make_served(f"many-{abs(hash(request.node.name)) % 10**8}")
    return Case(devnet, served, await with_files(await make_account(), served))


async def locks_of(run: Running) -> list[Intent]:
    """Transactions that lock, in their order."""
    kinds = (IntentKind.LOCK, IntentKind.LOCK_MANY)
    return [intent for intent in await run.journal.intents() if intent.kind in kinds]


async def locked_stake(case: Case) -> int:
    """Stake that is still locked."""
    market = case.devnet.client.market.address
    found = await case.devnet.client.staking.allocation(case.served.executor.address, market)
    return found.locked


async def test_sent_and_signed_requests_are_locked_together(case: Case) -> None:
    """They wait for the same thing, the executor's stake, and go on at the same time."""
    user, executor = case.user, case.served.executor
    chain = user.client.chain
    await send(user, calls.approve(chain.market.address, 10 * DOLLAR))
    await send(user, calls.deposit(10 * DOLLAR))
    collateral = 60 * DOLLAR  # more than the executor has staked
    sent = await case.ask(*ROWS[:2], collateral=collateral)
    made = await user.client.sign(case.served.name, ROWS[2], price=PRICE, collateral=collateral)
    offer = Offer(
        chain.chain_id, chain.market.address, made.signed, made.signature, made.packed_input
    )
    ids = [*sent, made.request_id]
    async with (
        running(case.devnet, executor, case.config) as run,
        httpx.AsyncClient(base_url=run.executor.serving_at, timeout=60) as http,
    ):
        await case.measured(run)
        taken = await http.post("/v1/requests", content=offer.to_json())
        assert taken.status_code == 202, taken.text
        for request_id in ids:
            await run.waits_for(request_id, "stake-too-low")
        await executor.client.stake(200 * DOLLAR)
        for request_id in ids:
            await run.reaches(request_id, WorkState.FULFILLED)
        (lock,) = await locks_of(run)
        assert (lock.kind, lock.state) == (IntentKind.LOCK_MANY, IntentState.MINED)
        for request_id in ids:
            kinds = [intent.kind for intent in await run.journal.intents(request_id)]
            assert kinds == [IntentKind.LOCK_MANY, IntentKind.FULFILL]
        assert [work.request_id for work in await run.journal.locked_together(lock.intent_id)] == (
            sorted(ids)
        )
    locked = await case.devnet.client.events(["RequestLocked"], 0)
    hashes = {event.tx_hash for event in locked if event.args["requestId"] in ids}
    assert hashes == {lock.tx_hash}
    assert await locked_stake(case) == 0


async def test_what_fails_is_left_out_and_has_its_own_end(
    case: Case, isolated_devnet: Devnet
) -> None:
    """The transaction is mined when one of the requests has expired."""
    control = isolated_devnet.control
    long = await case.ask(*ROWS[:2], timeout=3600, lock_duration=550)
    short = await case.ask(ROWS[2], timeout=150, lock_duration=100)
    await control.set_automine(False)
    async with running(isolated_devnet, case.served.executor, case.config) as run:
        await case.measured(run)
        await case.lock_waits_to_be_mined()
        await control.advance(200)
        await control.set_automine(True)
        for request_id in long:
            await run.reaches(request_id, WorkState.FULFILLED)
        lost = await run.reaches(short[0], WorkState.LOST)
        assert lost.reason == "expired"
        (lock,) = await locks_of(run)
        assert (lock.kind, lock.state) == (IntentKind.LOCK_MANY, IntentState.MINED)
    (skipped,) = await isolated_devnet.client.events(["LockSkipped"], 0)
    assert skipped.tx_hash == lock.tx_hash
    assert (await case.user.client.request(short[0])).state is RequestState.OPEN
    assert await locked_stake(case) == 0


async def test_where_none_can_be_locked_each_is_told_why(
    case: Case, isolated_devnet: Devnet
) -> None:
    """All have expired when the transaction is mined: it reverts, and each is looked at again."""
    control = isolated_devnet.control
    ids = await case.ask(*ROWS[:2], timeout=150, lock_duration=100)
    await control.set_automine(False)
    async with running(isolated_devnet, case.served.executor, case.config) as run:
        await case.measured(run)
        await case.lock_waits_to_be_mined()
        await control.advance(200)
        await control.set_automine(True)
        for request_id in ids:
            lost = await run.reaches(request_id, WorkState.LOST)
            assert lost.reason == "expired"
        (lock,) = await locks_of(run)
        assert (lock.kind, lock.state) == (IntentKind.LOCK_MANY, IntentState.REVERTED)
