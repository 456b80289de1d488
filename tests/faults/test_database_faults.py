"""A journal in PostgreSQL whose server ends all sessions, at any time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from database_fixtures import NewDatabase
from executor_fixtures import running
from gateless.adapters.db import open_database
from gateless.devnet import Devnet
from gateless.executor.states import WorkState
from gateless_proofs import KeyCache
from held_prover import HeldProver
from market_fixtures import MakeAccount, MakeServed
from sqlalchemy import text
from tried import Tried, on_trial, rows


@pytest.fixture
async def tried(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    new_postgresql: NewDatabase,
) -> Tried:
    tried = await on_trial(isolated_devnet, make_served, make_account, "banked")
    tried.config = replace(tried.config, database=new_postgresql())
    return tried


async def cut(tried: Tried) -> None:
    """Ends all sessions but the one that says so, as a restart of the server does."""
    sessions = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    database = await open_database(tried.config.journal)
    async with database as other, other.begin() as connection:
        await connection.execute(text(sessions))


async def test_sessions_end_while_a_request_is_proven(tried: Tried) -> None:
    await tried.knows_its_speed()
    prover = HeldProver(KeyCache(tried.config.cache_dir))
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config, prover=prover) as run:
        request_id = await tried.asks()
        await run.reaches(request_id, WorkState.PROVING)
        await cut(tried)
        prover.let_go.set()
        await cut(tried)
        await tried.asks(rows(1)[0])
        await tried.at_rest(run.journal)
    await tried.judged()


async def test_sessions_end_again_and_again(tried: Tried) -> None:
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config) as run:
        for row in rows(3):
            await tried.asks(row)
            await cut(tried)
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("step", ["intent:lock", "after:locked", "intent:fulfill"])
async def test_killed_with_its_journal_in_postgresql(tried: Tried, step: str) -> None:
    await tried.asks()
    await tried.dies(step)
    await tried.recovers()
