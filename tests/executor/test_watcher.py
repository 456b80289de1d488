"""Following the chain: every request once, whatever the pauses, spans and forks."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from executor_fixtures import config_of, eventually, running
from gateless.core.errors import ChainError
from gateless.core.types import RequestState
from gateless.devnet import Devnet
from gateless.executor import Journal
from gateless.executor.states import WorkState
from gateless.executor.watcher import Watcher
from market_fixtures import ROW, Account, MakeAccount, MakeServed, Served

DOLLAR = 1_000_000
ME = "0x00000000000000000000000000000000000000AA"


@asynccontextmanager
async def journal_in(devnet: Devnet, folder: Path) -> AsyncIterator[Journal]:
    journal = await Journal.open(
        folder / "journal.db",
        chain_id=devnet.deployment.chain_id,
        market=devnet.client.market.address,
        account=ME,
    )
    try:
        yield journal
    finally:
        await journal.close()


async def ids_in(journal: Journal) -> list[int]:
    return sorted(work.request_id for work in await journal.find(list(WorkState)))


@pytest.fixture
async def served(make_served: MakeServed, request: pytest.FixtureRequest) -> Served:
    return await make_served(f"watch-{abs(hash(request.node.name)) % 10**8}")


@pytest.fixture
async def user(make_account: MakeAccount, served: Served) -> Account:
    user = await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    return user


async def ask(user: Account, served: Served, price: int = DOLLAR) -> int:
    return (await user.client.submit(served.name, ROW, price=price)).request_id


async def test_requests_are_journaled_as_they_were_made(
    devnet: Devnet, served: Served, user: Account, tmp_path: Path
) -> None:
    async with journal_in(devnet, tmp_path) as journal:
        watcher = Watcher(devnet.client, journal, me=ME)
        request_id = await ask(user, served)
        sighting = await watcher.poll()
        assert request_id in sighting.added
        work = await journal.get(request_id)
        info = await devnet.client.market.request(request_id)
        assert (work.version_id, work.requester, work.price, work.collateral, work.deadline) == (
            info.version_id,
            user.address,
            info.price,
            info.collateral,
            info.deadline,
        )
        assert (work.input_digest, work.input_binding) == (info.input_digest, info.input_binding)
        assert work.named_executor is None
        data, hint = await watcher.created_input(work.created_block, request_id)
        assert len(data) == served.bundle.schema.inputs[0].packed_length
        assert hint == ""
        again = await watcher.poll()
        assert (again.added, again.rewound) == ((), False)


async def test_any_pauses_and_spans_find_every_request_once(
    isolated_devnet: Devnet, served: Served, user: Account
) -> None:
    devnet = isolated_devnet
    made = [await ask(user, served) for _ in range(3)]
    head = (await devnet.client.block()).number
    with tempfile.TemporaryDirectory() as folder:
        async with journal_in(devnet, Path(folder)) as journal:
            await Watcher(devnet.client, journal, me=ME).poll()
            whole = await ids_in(journal)
    # Requests of other tests are on the chain as well; those that were signed have large ids.
    assert [entry for entry in whole if entry in made] == made

    random = Random(head)
    cases = [(1, []), (head + 5, [2, 2]), (head, [head])]
    cases += [
        (random.randint(1, head), [random.randint(0, head) for _ in range(random.randint(0, 3))])
        for _ in range(6)
    ]
    for span, pauses in cases:
        with tempfile.TemporaryDirectory() as folder:
            seen: list[int] = []
            # Each run sees the chain up to some block, then is down for a while.
            for confirmations in [*sorted(pauses, reverse=True), 0]:
                async with journal_in(devnet, Path(folder)) as journal:
                    watcher = Watcher(
                        devnet.client, journal, me=ME, span=span, confirmations=confirmations
                    )
                    seen += (await watcher.poll()).added
                    cursor = await journal.cursor()
                    start = max(1, devnet.deployment.start_block)
                    assert (cursor.number if cursor else None) == (
                        head - confirmations if head - confirmations >= start else None
                    )
            assert sorted(seen) == whole, (span, pauses)


async def test_a_fork_is_found_and_the_new_branch_read(
    isolated_devnet: Devnet, served: Served, user: Account, tmp_path: Path
) -> None:
    devnet = isolated_devnet
    async with journal_in(devnet, tmp_path) as journal:
        watcher = Watcher(devnet.client, journal, me=ME)
        kept = await ask(user, served)
        await watcher.poll()
        fork = await devnet.control.snapshot()
        # The first branch: a request that will never have been.
        gone = await ask(user, served, price=DOLLAR)
        await devnet.control.mine(2)
        assert gone in (await watcher.poll()).added
        # The second branch: another request gets its number.
        await devnet.control.revert(fork)
        await devnet.control.mine(1)
        again = await ask(user, served, price=2 * DOLLAR)
        assert again == gone
        await devnet.control.mine(4)
        sighting = await watcher.poll()
        assert sighting.rewound
        assert gone in sighting.added
        assert (await journal.get(gone)).price == 2 * DOLLAR
        assert kept in await ids_in(journal)
        assert not (await watcher.poll()).rewound


async def test_a_shorter_branch_is_followed_too(
    isolated_devnet: Devnet, served: Served, user: Account, tmp_path: Path
) -> None:
    devnet = isolated_devnet
    async with journal_in(devnet, tmp_path) as journal:
        watcher = Watcher(devnet.client, journal, me=ME)
        await watcher.poll()
        fork = await devnet.control.snapshot()
        gone = await ask(user, served)
        await devnet.control.mine(5)
        await watcher.poll()
        await devnet.control.revert(fork)

        async def rewound() -> bool:
            # At first it might be a node that is behind.
            try:
                return (await watcher.poll()).rewound
            except ChainError as error:
                assert error.code == "rpc-behind"
                return False

        await eventually("the shorter branch is believed", rewound)
        assert gone not in await ids_in(journal)
        cursor = await journal.cursor()
        assert cursor is not None
        assert cursor.number == (await devnet.client.block()).number


async def test_a_fulfilment_that_a_fork_undid_is_sent_again_with_the_same_proof(
    isolated_devnet: Devnet, served: Served, user: Account
) -> None:
    devnet = isolated_devnet
    config = config_of(served.executor)
    async with running(devnet, served.executor, config) as run:
        request_id = await ask(user, served)
        await devnet.control.set_automine(False)
        await run.reaches(request_id, WorkState.LOCKING)

        async def one_waits() -> bool:
            return int((await devnet.client.rpc.request("txpool_status"))["pending"], 16) == 1

        await eventually("the lock waits to be mined", one_waits)
        await devnet.control.mine()
        fork = await devnet.control.snapshot()
        await run.reaches(request_id, WorkState.FULFILLING)
        await eventually("the fulfilment waits to be mined", one_waits)
        await devnet.control.mine()
        proof = (await run.reaches(request_id, WorkState.FULFILLED)).proof
    # While nobody runs, the chain forks: the lock stays, the fulfilment never happened.
    await devnet.control.revert(fork)
    await devnet.control.set_automine(True)
    await devnet.control.mine(3)
    info = await devnet.client.market.request(request_id)
    assert info.state is RequestState.LOCKED
    async with running(devnet, served.executor, config) as run:

        async def paid() -> bool:
            found = await devnet.client.market.request(request_id)
            return found.state is RequestState.PAID

        await eventually("it is fulfilled again", paid)
        work = await run.reaches(request_id, WorkState.FULFILLED)
        assert work.proof == proof
    assert await devnet.client.market.balance_of(served.executor.address) == work.fee
