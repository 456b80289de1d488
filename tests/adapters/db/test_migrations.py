"""Migrations make the tables that the code expects, on both databases; a later release's database
and another program's are refused."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from database_fixtures import NewDatabase
from gateless import migrations
from gateless.adapters.db import Database, DatabaseUrl, migrate, open_database
from gateless.core.errors import ConfigError
from sqlalchemy import Connection, MetaData, inspect, text

FOLDERS = sorted(
    path for path in Path(migrations.__file__).parent.iterdir() if list(path.glob("[a-z]*.py"))
)
NAMES = [folder.name for folder in FOLDERS]
LATER = """
revision = "{name}_0002"
down_revision = "{name}_0001"


def upgrade(op):
    op.execute("CREATE TABLE later (number INTEGER)")
    {then}
"""


def metadata_of(folder: Path) -> MetaData:
    metadata: MetaData = importlib.import_module(f"gateless.{folder.name}.schema").metadata
    return metadata


async def tables(database: Database) -> set[str]:
    async with database.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


def with_later(folder: Path, copy: Path, then: str = "") -> Path:
    """A later release's migrations."""
    later = copy / folder.name
    later.mkdir(parents=True)
    for path in folder.glob("*.py"):
        (later / path.name).write_text(path.read_text())
    (later / "second.py").write_text(LATER.format(name=folder.name, then=then))
    return later


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
async def test_migrated_tables_are_those_of_the_code(
    folder: Path, database_url: DatabaseUrl
) -> None:
    metadata = metadata_of(folder)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, metadata))

    async with await open_database(database_url) as database:
        await migrate(database, folder)
        async with database.connect() as connection:
            assert await connection.run_sync(differences) == []
        assert await tables(database) == {*metadata.tables, "alembic_version"}
        await migrate(database, folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_migrations_have_one_head_and_are_named_after_their_folder(folder: Path) -> None:
    scripts = ScriptDirectory(folder, version_locations=[folder])
    assert scripts.get_current_head() is not None
    for script in scripts.walk_revisions():
        assert script.revision.startswith(f"{folder.name}_")


async def test_a_database_grows_with_releases_and_is_not_taken_back(
    database_url: DatabaseUrl, tmp_path: Path
) -> None:
    later = with_later(migrations.EXECUTOR, tmp_path)
    async with await open_database(database_url) as database:
        await migrate(database, migrations.EXECUTOR)
        await migrate(database, later)
        assert "later" in await tables(database)
        with pytest.raises(ConfigError) as caught:
            await migrate(database, migrations.EXECUTOR)
    assert caught.value.code == "database-newer"
    assert "later release" in caught.value.message
    assert "backup" in caught.value.hint


async def test_a_migration_that_fails_leaves_everything_as_it_was(
    database_url: DatabaseUrl, tmp_path: Path
) -> None:
    broken = with_later(migrations.EXECUTOR, tmp_path, then="raise LookupError")
    async with await open_database(database_url) as database:
        await migrate(database, migrations.EXECUTOR)
        before = await tables(database)
        with pytest.raises(LookupError):
            await migrate(database, broken)
        assert await tables(database) == before
        await migrate(database, migrations.EXECUTOR)


async def test_another_programs_database_is_refused(database_url: DatabaseUrl) -> None:
    async with await open_database(database_url) as database:
        await migrate(database, migrations.WATCHTOWER)
        with pytest.raises(ConfigError) as caught:
            await migrate(database, migrations.EXECUTOR)
    assert caught.value.code == "journal-of-another"


async def test_a_file_with_other_tables_is_refused(tmp_path: Path) -> None:
    async with await open_database(tmp_path / "other.db") as database:
        async with database.begin() as connection:
            await connection.execute(text("CREATE TABLE other (number INTEGER)"))
        with pytest.raises(ConfigError) as caught:
            await migrate(database, migrations.EXECUTOR)
    assert caught.value.code == "journal-unreadable"


async def test_several_may_open_a_new_database_at_once(new_database: NewDatabase) -> None:
    url = new_database()
    databases = [await open_database(url) for _ in range(4)]
    try:
        await asyncio.gather(*(migrate(database, migrations.EXECUTOR) for database in databases))
        assert "work" in await tables(databases[0])
    finally:
        for database in databases:
            await database.close()
