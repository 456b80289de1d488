"""Journals saved while they are written to, put back elsewhere, and what is not known then."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path

import pytest
from gateless import migrations
from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.clock import SystemClock
from gateless.adapters.db import DatabaseUrl
from gateless.core.claims import CourtLimits
from gateless.core.errors import ConfigError, DatabaseError, FundsError
from gateless.daemon.backups import back_up, restore
from gateless.daemon.transactions import IntentState
from gateless.executor import Journal
from gateless.executor.journal import OWNER
from gateless.executor.work import IntentKind
from gateless.watchtower import Journal as WatchJournal

IDENTITY = {"chain_id": 31337, "market": "0xMarket", "account": "0xAccount"}
NOW = 1_900_000_000


class At(SystemClock):
    """A clock that stands."""

    def now(self) -> float:
        return float(NOW)


@asynccontextmanager
async def opened(url: DatabaseUrl, *, alone: bool = True) -> AsyncIterator[Journal]:
    journal = await Journal.open(url, alone=alone, **IDENTITY)  # type: ignore[arg-type]
    try:
        yield journal
    finally:
        await journal.close()


async def put_back(source: Path | None, url: DatabaseUrl) -> None:
    await restore(source, url, migrations=migrations.EXECUTOR, owner=OWNER, clock=At())


def at(path: Path) -> DatabaseUrl:
    return DatabaseUrl.of_path(path)


def prepared(nonce: int) -> PreparedTx:
    return PreparedTx(b"raw" + bytes([nonce]), f"0x{nonce:064x}", nonce, "withdraw")


async def test_what_was_journaled_before_a_backup_is_in_it(tmp_path: Path) -> None:
    """Made over and over while another task writes: each is whole, and none holds up the writer."""
    source = at(tmp_path / "a" / "journal.db")
    written = 0
    done = asyncio.Event()
    async with opened(source) as journal:

        async def write() -> None:
            nonlocal written
            while not done.is_set():
                await journal.intend(IntentKind.WITHDRAW, prepared(written))
                written += 1
                await asyncio.sleep(0)

        writing = asyncio.create_task(write())
        known = []
        for number in range(5):
            before = written
            assert await back_up(source, tmp_path / f"backup{number}") > 0
            known.append((before, written))
        done.set()
        await writing
    for number, (least, most) in enumerate(known):
        dest = at(tmp_path / f"b{number}" / "journal.db")
        await put_back(tmp_path / f"backup{number}", dest)
        async with opened(dest) as again:
            nonces = [intent.nonce for intent in await again.intents(state=IntentState.PENDING)]
        assert nonces == list(range(len(nonces)))
        assert least <= len(nonces) <= most + 1


async def test_a_backup_is_one_file_for_its_owner_alone(tmp_path: Path) -> None:
    source, saved = at(tmp_path / "journal.db"), tmp_path / "saved" / "backup"
    async with opened(source):
        await back_up(source, saved)
    assert os.listdir(saved.parent) == ["backup"]
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    connection = sqlite3.connect(saved)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()


async def test_nothing_is_overwritten(tmp_path: Path) -> None:
    source, other = at(tmp_path / "journal.db"), tmp_path / "other"
    other.write_text("precious")
    async with opened(source):
        with pytest.raises(ConfigError) as caught:
            await back_up(source, other)
        assert caught.value.code == "file-exists"
        await back_up(source, tmp_path / "backup")
    with pytest.raises(ConfigError) as caught:
        await put_back(tmp_path / "backup", source)
    assert caught.value.code == "file-exists"
    assert other.read_text() == "precious"


async def test_what_cannot_be_saved_or_put_back_is_said(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    broken = tmp_path / "broken"
    broken.write_bytes(b"no database" * 1000)
    with pytest.raises(ConfigError) as caught:
        await back_up(at(nothing), tmp_path / "backup")
    assert caught.value.code == "no-database"
    with pytest.raises(ConfigError) as caught:
        await back_up(DatabaseUrl.parse("postgresql://db/g"), tmp_path / "backup")
    assert caught.value.code == "not-sqlite"
    assert "pg_dump" in caught.value.hint
    wrong = ((nothing, "no-database"), (broken, "journal-unreadable"), (None, "no-database"))
    for source, code in wrong:
        with pytest.raises(ConfigError) as caught:
            await put_back(source, at(tmp_path / "new.db"))
        assert caught.value.code == code
    assert set(os.listdir(tmp_path)) <= {"broken", "new.db.lock"}
    with pytest.raises(DatabaseError):
        await back_up(at(broken), broken / "backup")


async def test_another_programs_backup_is_refused(tmp_path: Path) -> None:
    source = at(tmp_path / "watch.db")
    watch = await WatchJournal.open(source, chain_id=31337, court="0xCourt", account="0xAccount")
    await watch.close()
    await back_up(source, tmp_path / "backup")
    with pytest.raises(ConfigError) as caught:
        await put_back(tmp_path / "backup", at(tmp_path / "new.db"))
    assert caught.value.code == "journal-of-another"
    assert not (tmp_path / "new.db").exists()


async def test_a_running_executors_journal_is_not_replaced(database_url: DatabaseUrl) -> None:
    async with opened(database_url):
        with pytest.raises(ConfigError) as caught:
            await put_back(None, database_url)
    assert caught.value.code == "already-running"


async def test_remains_of_a_lost_database_are_no_part_of_the_restored_one(tmp_path: Path) -> None:
    source = at(tmp_path / "journal.db")
    async with opened(source) as journal:
        await back_up(source, tmp_path / "backup")
        await journal.intend(IntentKind.WITHDRAW, prepared(7))
        remains = (tmp_path / "journal.db-wal").read_bytes()
        assert remains
    os.remove(tmp_path / "journal.db")
    (tmp_path / "journal.db-wal").write_bytes(remains)
    await put_back(tmp_path / "backup", source)
    async with opened(source) as journal:
        assert await journal.intents() == []


async def test_no_receipt_is_signed_where_slots_may_have_been_used(
    database_url: DatabaseUrl,
) -> None:
    limits = CourtLimits(**dict.fromkeys([f.name for f in fields(CourtLimits)], 1000))
    epoch = NOW // 1000
    async with opened(database_url) as journal:
        await journal.require_remembered(limits, epoch)
    await put_back(None, database_url)
    async with opened(database_url) as journal:
        for past in (0, epoch - 1, epoch):
            with pytest.raises(FundsError) as caught:
                await journal.require_remembered(limits, past)
            assert caught.value.code == "slots-unknown"
        await journal.require_remembered(limits, epoch + 1)


async def test_what_was_never_a_journal_is_not_marked(database_url: DatabaseUrl) -> None:
    if database_url.path is not None:
        database_url.path.touch()
    with pytest.raises(ConfigError) as caught:
        await put_back(None, database_url)
    assert caught.value.code == "no-database"
