"""Brings a database's tables to what this release expects, by Alembic's migrations.

A migration is a file with ``revision``, ``down_revision`` and ``upgrade(op)``. Alembic's
operations are handed to it, not imported: they would be a global of the process, and two databases
may be opened at once.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from gateless.adapters.db.engine import Database
from gateless.adapters.db.faults import damaged
from gateless.adapters.db.session_lock import lock_key
from gateless.core.errors import ConfigError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

#: Alembic's name for the table that tells a database's revision.
_VERSION_TABLE = "alembic_version"


async def migrate(database: Database, folder: Path) -> None:
    """Runs what is missing of the migrations in ``folder``: all or nothing.

    Args:
        database: to bring up to date.
        folder: migrations, one head. Revisions are named after the folder, such as
            ``executor_0001``.

    Raises:
        ConfigError: ``database-newer``: a later release has used it; ``journal-of-another``: it
            holds other tables; ``journal-unreadable``.
        DatabaseError: it cannot be reached or written now.
    """
    scripts = _scripts(folder)
    async with database.connect() as connection:
        present = await connection.run_sync(_revision)
    if present == scripts.get_current_head():
        return
    async with database.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Also where several programs open it at the same moment.
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key("migrations")}
            )
        await connection.run_sync(_upgrade, database, scripts, folder.name)


def _upgrade(
    connection: Connection, database: Database, scripts: ScriptDirectory, owner: str
) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationStep, RevisionStep

    present = _revision(connection)
    _require_known(present, connection, database, scripts, owner)

    def steps(_heads: object, _context: MigrationContext) -> list[RevisionStep]:
        missing = scripts.iterate_revisions("head", present or "base", implicit_base=True)
        return [
            MigrationStep.upgrade_from_script(scripts.revision_map, script)
            for script in reversed([*missing])
        ]

    context = MigrationContext.configure(
        connection, opts={"fn": steps, "transaction_per_migration": False}
    )
    context.run_migrations(op=Operations(context))


def _require_known(
    present: str | None,
    connection: Connection,
    database: Database,
    scripts: ScriptDirectory,
    owner: str,
) -> None:
    """Refuses a database that migrations of this release cannot have made."""
    if present is None:
        strange = inspect(connection).get_table_names()
        if strange and database.url.path is not None:
            raise damaged(database.url, f"it holds other tables ({', '.join(strange[:3])})")
        return
    if not present.startswith(f"{owner}_"):
        raise ConfigError(
            "journal-of-another",
            f"{database.url} is used by something else (its revision is {present})",
            hint="give each program a database of its own",
            expected=owner,
            found=present,
        )
    if present not in {script.revision for script in scripts.walk_revisions()}:
        raise ConfigError(
            "database-newer",
            f"{database.url} was written by a later release (its revision is {present})",
            hint="start that release or a later one; to go back, restore a backup from before",
            found=present,
            known=scripts.get_current_head(),
        )


def _revision(connection: Connection) -> str | None:
    """The revision that a database is at; None before the first."""
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()  # noqa: S608
    return None if found is None else str(found)


@lru_cache
def _scripts(folder: Path) -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory(folder, version_locations=[folder])
