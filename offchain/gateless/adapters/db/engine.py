"""A database opened by URL: SQLite or PostgreSQL, through the same code.

SQLite is opened so that a committed transaction survives a crash and a power cut, and PostgreSQL is
told the same. There is one connection unless more are asked for: transactions of one program come
one after the other then, on either database, and none of them can fail because of another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from gateless.adapters.db import few_hops
from gateless.adapters.db.faults import describe
from gateless.adapters.db.process_lock import ProcessLock
from gateless.adapters.db.session_lock import Connector
from gateless.adapters.db.time_limit import TimeLimit
from gateless.adapters.db.url import DatabaseUrl

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers do not stop the writer
    "PRAGMA synchronous = FULL",  # a commit is on disk, also after a power cut
    "PRAGMA busy_timeout = 10000",
    "PRAGMA foreign_keys = ON",
)
#: Seconds to wait for a connection that other transactions use.
_POOL_SECONDS = 30.0
_POOL_SECONDS_IN_HASTE = 5.0
#: Marks transactions that only read.
_READS = "gateless_reads"
_LIMIT = "gateless_limit"


class Database:
    """An open database. Made by :func:`open_database`; usable as ``async with``.

    Attributes:
        url: where it is.
        engine: SQLAlchemy's. Its errors are not yet in words: use :meth:`begin` and
            :meth:`connect`.
    """

    def __init__(self, url: DatabaseUrl, engine: AsyncEngine, lock: ProcessLock | None) -> None:
        self.url = url
        self.engine = engine
        self._lock = lock

    @property
    def dialect(self) -> Dialect:
        """Which database it is, and how it is spoken to."""
        return self.engine.dialect

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end of the block, undone where it raises.

        Raises:
            DatabaseError: ``database-full``, ``database-busy``, ``database-unreachable``: nothing
                was written. (Where the connection is lost during the commit, nobody knows.)
            ConfigError: ``journal-unreadable``, ``database-refused``, ``already-running``.
        """
        with in_words(self.url):
            async with self.engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads.

        Raises:
            GatelessError: as :meth:`begin`.
        """
        with in_words(self.url):
            async with self.engine.connect() as connection:
                yield await connection.execution_options(**{_READS: True})

    async def close(self) -> None:
        """Closes all connections, and gives the lock back."""
        try:
            await self.engine.dispose()
        finally:
            if self._lock is not None:
                self._lock.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


async def open_database(
    url: DatabaseUrl | Path,
    *,
    owner: str | None = None,
    connections: int = 1,
    seconds: float | None = None,
) -> Database:
    """Opens a database; a SQLite file is made where it is absent.

    Args:
        url: where it is.
        owner: what uses it alone, such as ``the executor's journal``: one process at a time. On
            PostgreSQL each connection that is made holds the lock, so that nothing is ever written
            by a process that lost it. None locks nothing.
        connections: how many at once; one where there is an owner.
        seconds: longest time for a transaction on SQLite, for a statement on PostgreSQL; for
            databases that strangers' questions are read from. None sets no limit.

    Raises:
        ConfigError: ``already-running``, ``database-refused``, ``invalid-database-url``.
        DatabaseError: ``database-unreachable``.
    """
    if isinstance(url, Path):
        url = DatabaseUrl.of_path(url)
    if owner is not None and connections != 1:
        raise ValueError("a lock is held by one connection")
    if url.path is None:
        return await _checked(Database(url, _postgresql(url, owner, connections, seconds), None))
    lock = None
    with in_words(url):
        url.path.parent.mkdir(parents=True, exist_ok=True)
        if owner is not None:
            lock = ProcessLock(url.path.with_name(url.path.name + ".lock"), what=owner)
            lock.take()
    return await _checked(Database(url, _sqlite(url.path, connections, seconds), lock))


async def _checked(database: Database) -> Database:
    """Connects, so that what is wrong shows at once."""
    try:
        async with database.connect():
            return database
    except BaseException:
        await database.close()
        raise


def _waiting(seconds: float | None) -> float:
    """How long to wait for a connection: where each is soon free again, not long."""
    return _POOL_SECONDS if seconds is None else _POOL_SECONDS_IN_HASTE


def _postgresql(
    url: DatabaseUrl, owner: str | None, connections: int, seconds: float | None
) -> AsyncEngine:
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=Connector(url, owner, seconds),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_waiting(seconds),
        pool_pre_ping=True,
    )


def _sqlite(path: Path, connections: int, seconds: float | None) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_waiting(seconds),
        connect_args={"async_creator_fn": few_hops.connect},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, record: Any) -> None:
        # The driver's own idea of when a transaction begins leaves reads and tables out of it.
        connection.isolation_level = None
        try:
            cursor = connection.cursor()
            for pragma in _PRAGMAS:
                cursor.execute(pragma)
            cursor.close()
            if seconds is not None:
                record.info[_LIMIT] = TimeLimit(connection, seconds)
        except BaseException:
            connection.close()
            raise

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        if _LIMIT in connection.info:
            connection.info[_LIMIT].start()
        reads = connection.get_execution_options().get(_READS, False)
        driver: Any = connection.connection.driver_connection
        driver.begin(only_reads=reads)

    return engine


@contextmanager
def in_words(url: DatabaseUrl) -> Iterator[None]:
    """Says in words what a database could not do."""
    try:
        yield
    except Exception as error:
        found = describe(error, url)
        if found is None:
            raise
        raise found from error
