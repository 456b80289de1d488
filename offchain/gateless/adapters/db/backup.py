"""Copies of a SQLite database, made while it is written to, and put back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gateless.adapters.db.engine import in_words
from gateless.adapters.db.faults import damaged
from gateless.adapters.db.url import DatabaseUrl
from gateless.adapters.storage.atomic_file import sync_directory
from gateless.core.errors import ConfigError

#: Seconds to wait for whoever closes the database in this moment.
_BUSY_SECONDS = 10.0


async def copy_database(source: Path, dest: Path) -> int:
    """Copies a SQLite database as it is at one moment, without holding up who writes to it.

    The copy appears under its name only when it is complete, checked and on disk. It may be read by
    its owner alone: it holds what the database holds.

    Args:
        source: the database; it may be in use.
        dest: a file that does not exist.

    Returns:
        Its size in bytes.

    Raises:
        ConfigError: ``file-exists``, ``no-database``, ``journal-unreadable``.
        DatabaseError: ``database-full``, ``database-unreachable``.
    """
    return await asyncio.to_thread(_copy, source, dest)


def _copy(source: Path, dest: Path) -> int:
    if not source.is_file():
        raise ConfigError(
            "no-database", f"there is no database {source}", hint="see where it is kept"
        )
    if dest.exists():
        raise ConfigError(
            "file-exists",
            f"{dest} exists; it is not overwritten",
            hint="name another file, or move that one away",
        )
    part = dest.with_name(f".{dest.name}.part")
    with in_words(DatabaseUrl.of_path(dest)):
        dest.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        try:
            with in_words(DatabaseUrl.of_path(source)):
                _write(source, part)
            _check(part, source)
            descriptor = os.open(part, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            part.rename(dest)
            sync_directory(dest.parent)
        finally:
            part.unlink(missing_ok=True)
    return dest.stat().st_size


def _write(source: Path, part: Path) -> None:
    """One step, so that no writer makes it begin again; in WAL mode nobody waits for it.

    https://www.sqlite.org/backup.html
    """
    with _opened(source, "ro") as reading, _opened(part, "rw") as writing:
        reading.backup(writing, pages=-1)
        writing.execute("PRAGMA journal_mode = DELETE")  # all of it in the one file


def _check(part: Path, source: Path) -> None:
    with _opened(part, "ro") as copy:
        (found,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise damaged(DatabaseUrl.of_path(source), found)


@contextlib.contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS)
    try:
        yield connection
    finally:
        connection.close()
