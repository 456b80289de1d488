"""Journals saved and put back.

What was done after a backup was made is unknown to it. The chain tells most of it again; what it
cannot tell is marked as unknown: see :func:`restored_at`.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import MetaData, select

from gateless.adapters.clock import Clock
from gateless.adapters.db import Database, DatabaseUrl, ProcessLock, migrate, open_database, upsert
from gateless.adapters.db.backup import copy_database
from gateless.core.errors import ConfigError
from gateless.daemon.journals import meta_table

_RESTORED_AT = "restored_at"
_meta = meta_table(MetaData())


async def back_up(url: DatabaseUrl, dest: Path) -> int:
    """Saves a journal while it is in use; returns the size in bytes.

    Raises:
        ConfigError: ``not-sqlite``, ``no-database``, ``file-exists``, ``journal-unreadable``.
        DatabaseError: ``database-full``, ``database-unreachable``.
    """
    return await copy_database(_path_of(url), dest)


async def restore(
    source: Path | None, url: DatabaseUrl, *, migrations: Path, owner: str, clock: Clock
) -> None:
    """Puts a saved journal in place, and marks it as restored now.

    Args:
        source: what :func:`back_up` made; None where the database was put back by other means, and
            only the mark is missing.
        url: where it goes; must not exist where there is a ``source``.
        migrations: of the journal.
        owner: what uses it alone: it must not run.
        clock: what time it is.

    Raises:
        ConfigError: ``already-running``, ``file-exists``, ``no-database``, ``journal-unreadable``,
            ``journal-of-another``, ``database-newer``, ``not-sqlite``.
        DatabaseError: ``database-full``, ``database-unreachable``.
    """
    if source is None:
        if url.path is not None and not url.path.is_file():
            await copy_database(url.path, url.path)  # says that there is none
        async with await open_database(url, owner=owner) as database:
            await migrate(database, migrations)
            await _mark(database, clock)
        return
    path = _path_of(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    with ProcessLock(path.with_name(path.name + ".lock"), what=owner):
        # Remains of a database that was removed would be taken for parts of this one.
        for remains in ("-wal", "-shm"):
            if not path.exists():
                path.with_name(path.name + remains).unlink(missing_ok=True)
        fresh = path.with_name(path.name + ".restoring")
        fresh.unlink(missing_ok=True)
        await copy_database(source, fresh)
        try:
            async with await open_database(fresh) as database:
                await migrate(database, migrations)
                await _mark(database, clock)
            await copy_database(fresh, path)
        finally:
            for name in (fresh.name, f"{fresh.name}-wal", f"{fresh.name}-shm"):
                fresh.with_name(name).unlink(missing_ok=True)


async def restored_at(database: Database) -> int:
    """Second at which a journal was last restored; 0 where it never was.

    What was promised off chain between the backup and this moment is not in it.
    """
    query = select(_meta.c.value).where(_meta.c.key == _RESTORED_AT)
    async with database.connect() as connection:
        found = (await connection.execute(query)).scalar_one_or_none()
    return 0 if found is None else int(found)


async def _mark(database: Database, clock: Clock) -> None:
    value = str(int(clock.now()))
    async with database.begin() as connection:
        if (await connection.execute(select(_meta.c.key).limit(1))).one_or_none() is None:
            raise ConfigError(
                "no-database",
                f"{database.url} holds no journal",
                hint="put the saved one back first",
            )
        await connection.execute(
            upsert(connection, _meta)
            .values(key=_RESTORED_AT, value=value)
            .on_conflict_do_update(index_elements=["key"], set_={"value": value})
        )


def _path_of(url: DatabaseUrl) -> Path:
    if url.path is None:
        raise ConfigError(
            "not-sqlite",
            f"{url} is a PostgreSQL database, which has tools of its own",
            hint="save it by pg_dump -Fc, put it back by pg_restore, then mark it: gateless"
            " executor restore --database URL, or watchtower for executor",
        )
    return url.path
