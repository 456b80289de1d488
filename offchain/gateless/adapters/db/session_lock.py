"""Connections to PostgreSQL, each of which holds a lock for as long as it lives."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from typing import TYPE_CHECKING, Any

from gateless.adapters.db.url import DatabaseUrl
from gateless.core.errors import ConfigError

if TYPE_CHECKING:
    import asyncpg

_CONNECT_SECONDS = 10.0
_COMMAND_SECONDS = 60.0
#: After a connection broke, the server may need a moment to see that its session is over.
_RETRIES = 25
_RETRY_SECONDS = 0.2

_HOLDER = """
SELECT a.application_name, a.client_addr FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32 | l.objid::bigint) = $1 LIMIT 1
"""


class Connector:
    """Makes connections; for SQLAlchemy's ``async_creator``.

    An advisory lock belongs to its session: the server takes it back when the holder dies, and
    whoever reconnects takes it anew, or may not write.
    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS

    Args:
        url: the database.
        owner: what uses the database alone; None locks nothing.
        seconds: longest time for a statement; None for the driver's own.
    """

    def __init__(self, url: DatabaseUrl, owner: str | None, seconds: float | None = None) -> None:
        self._url = url
        self._owner = owner
        self._settings = {
            "application_name": f"gateless {os.getpid()}@{socket.gethostname()}"[:63],
            "synchronous_commit": "on",  # a commit is on disk
        }
        if seconds is not None:
            self._settings["statement_timeout"] = str(round(1000 * seconds))
        self._held = False

    async def __call__(self, *_args: Any, **_options: Any) -> asyncpg.Connection:
        """A new connection.

        Raises:
            ConfigError: ``already-running``, ``invalid-database-url``.
            Exception: what the driver raises.
        """
        import asyncpg

        try:
            connection = await asyncpg.connect(
                self._url.dsn,
                timeout=_CONNECT_SECONDS,
                command_timeout=_COMMAND_SECONDS,
                server_settings=self._settings,
            )
        except ValueError as error:
            raise ConfigError(
                "invalid-database-url",
                f"{self._url} cannot be used: {type(error).__name__}",
                hint="name it as postgresql://user@host/database",
            ) from None
        try:
            if self._owner is not None:
                await self._lock(connection, self._owner)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _lock(self, connection: asyncpg.Connection, owner: str) -> None:
        key = lock_key(owner)
        for attempt in range(_RETRIES if self._held else 1):
            if attempt:
                await asyncio.sleep(_RETRY_SECONDS)
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
                self._held = True
                return
        row = await connection.fetchrow(_HOLDER, key & 0xFFFF_FFFF_FFFF_FFFF)
        holder = "unknown" if row is None else f"{row['application_name']}, {row['client_addr']}"
        raise ConfigError(
            "already-running",
            f"another process ({holder}) uses {owner} in {self._url}",
            hint="stop that process, or give this one a database of its own",
            holder=holder,
        )


def lock_key(owner: str) -> int:
    """The advisory lock's number: 63 bits that nobody else is likely to use."""
    digest = hashlib.sha256(f"gateless: {owner}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
