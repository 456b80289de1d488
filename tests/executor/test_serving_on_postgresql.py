"""The same executor with its journal in PostgreSQL: it serves, and goes on when the server comes
back."""

from __future__ import annotations

import pytest
from database_fixtures import NewDatabase
from executor_fixtures import config_of, reading, running
from gateless.adapters.db import open_database
from gateless.core.errors import ConfigError
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor.states import WorkState
from gateless.executor.work import IntentKind
from market_fixtures import ROW, MakeAccount, MakeServed
from sqlalchemy import text


async def test_an_executor_serves_with_its_journal_in_postgresql(
    devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    new_postgresql: NewDatabase,
) -> None:
    served = await make_served("exec-postgresql")
    user = await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    config = config_of(served.executor, database=new_postgresql())
    async with running(devnet, served.executor, config) as run:
        first = await user.client.infer("exec-postgresql", ROW, price=1_000_000)
        await run.reaches(first.request_id, WorkState.FULFILLED)
        # All sessions end, as they do when the server is restarted.
        async with await open_database(config.journal) as other, other.begin() as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            await connection.execute(text(ended))
        second = await user.client.infer("exec-postgresql", [0.1, 0.2, 0.3, 0.4], price=500_000)
        await run.reaches(second.request_id, WorkState.FULFILLED)
        elsewhere = config_of(
            served.executor, database=config.journal, data_dir=config.data_dir / "b"
        )
        with pytest.raises(ConfigError) as caught:
            async with running(devnet, served.executor, elsewhere):
                pass
        assert caught.value.code == "already-running"
    async with reading(devnet, served.executor, config) as journal:
        intents = await journal.intents(second.request_id)
        assert [(intent.kind, intent.state) for intent in intents] == [
            (IntentKind.LOCK, IntentState.MINED),
            (IntentKind.FULFILL, IntentState.MINED),
        ]
        assert await journal.earned() > 0
    assert not (config.data_dir / "journal.db").exists()
