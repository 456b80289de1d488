"""Reading the index: lists and single things, each with the revision that it is of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from sqlalchemy import BigInteger, Connection, RowMapping, String, Table, func, select
from sqlalchemy.sql.elements import ColumnElement

from gateless.adapters.db import Database, DatabaseUrl, open_database
from gateless.adapters.db.columns import Words
from gateless.core.errors import NotFoundError
from gateless.indexer.cursors import Order, page, read_cursor, write_cursor
from gateless.indexer.schema import (
    LARGEST,
    LARGEST_SMALL,
    blocks,
    enrolments,
    executors,
    manifests,
    models,
    versions,
)
from gateless.indexer.store import read_identity, read_revision

_CONNECTIONS = 4
#: Longest time for one question. Strangers ask, and some questions have much to look through.
READ_SECONDS = 2.0
#: What to do where something is not here.
LOOK = "look at /v1/status for how far the index is"
_T = TypeVar("_T")
Row = RowMapping


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list."""

    rows: Sequence[Row]
    next_cursor: str | None


class IndexReader:
    """Reads beside the one writer. Made by :meth:`open`; to be closed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, url: DatabaseUrl, *, seconds: float = READ_SECONDS) -> Self:
        """Opens an index that a store has made.

        Args:
            url: of the index.
            seconds: longest time for one question.

        Raises:
            DatabaseError: ``database-unreachable``.
        """
        return cls(await open_database(url, connections=_CONNECTIONS, seconds=seconds))

    @property
    def dialect(self) -> str:
        """Which database it is, by SQLAlchemy's name."""
        return self._database.dialect.name

    async def close(self) -> None:
        """Closes the connections."""
        await self._database.close()

    async def read(self, run: Callable[[Connection], _T]) -> _T:
        """Reads in one transaction, all of it as it is at one moment.

        Raises:
            DatabaseError: ``database-busy``, ``database-too-slow``, ``database-unreachable``.
        """
        async with self._database.connect() as connection:
            if self.dialect == "postgresql":  # SQLite's are so by themselves
                await connection.execution_options(isolation_level="REPEATABLE READ")
            return await connection.run_sync(run)


def revision(connection: Connection) -> str:
    """A text that is another one after each change of what the index shows, or of the branch."""
    query = select(blocks.c.hash).order_by(blocks.c.number.desc()).limit(1)
    identity, number = read_identity(connection), read_revision(connection)
    return f"{identity}:{number}:{connection.execute(query).scalar()}"


def listed(
    connection: Connection,
    table: Table,
    order: Order,
    where: Sequence[ColumnElement[bool]],
    limit: int,
    cursor: str | None,
) -> Page:
    """A page of a table's rows.

    Args:
        connection: to read from.
        table: of rows.
        order: columns of the table.
        where: which rows.
        limit: most rows.
        cursor: where the page begins.

    Raises:
        InputError: ``invalid-cursor``.
    """
    names = [column.name for column, _ in order]
    kind = f"{table.name}:{','.join(names)}"
    # Ids of 256 bits are numbers too, although they are stored as text.
    kinds = [str if type(column.type) in (String, Words) else int for column, _ in order]
    after = None if cursor is None else read_cursor(kind, cursor, kinds)
    if after is not None:
        after = [
            value if kind is str or name in _WIDE else min(value, _largest(table.c[name]))
            for value, kind, name in zip(after, kinds, names, strict=True)
        ]
    rows, more = page(connection, select(table).where(*where), order, after, limit)
    found = [row._mapping for row in rows]
    last = None if not more else write_cursor(kind, [found[-1][name] for name in names])
    return Page(found, last)


def _largest(column: ColumnElement[int]) -> int:
    """The largest number that a column takes: nothing beyond it can even be asked for."""
    return LARGEST if isinstance(column.type, BigInteger) else LARGEST_SMALL


#: Columns of 256 bits.
_WIDE = frozenset({"request_id", "dispute_id", "pool_id"})


def one(connection: Connection, table: Table, missing: NotFoundError, **key: Any) -> Row:
    """One row by its key.

    Raises:
        NotFoundError: ``missing``.
    """
    query = select(table).where(*(table.c[name] == value for name, value in key.items()))
    found = connection.execute(query).mappings().first()
    if found is None:
        raise missing
    return found


def model_by_name(connection: Connection, name: str) -> Row:
    """A model.

    Raises:
        NotFoundError: ``unknown-model``.
    """
    missing = NotFoundError("unknown-model", f"there is no model {name!r} here", hint=LOOK)
    return one(connection, models, missing, name=name)


def of_model(model_id: int) -> Sequence[ColumnElement[bool]]:
    """Which versions are a model's: a range of ids, so that an index has them in their order."""
    return versions.c.version_id >= model_id << 32, versions.c.version_id < (model_id + 1) << 32


def version_row(connection: Connection, version_id: int) -> Row:
    """A version with what its manifest says.

    Raises:
        NotFoundError: ``unknown-version``.
    """
    found = None
    if version_id <= LARGEST:
        query = _with_manifests().where(versions.c.version_id == version_id)
        found = connection.execute(query).mappings().first()
    if found is None:
        raise NotFoundError(
            "unknown-version",
            f"there is no version {version_id} here",
            hint=LOOK,
        )
    return found


def _with_manifests() -> Any:
    told = [column for column in manifests.columns if column.name not in ("digest", "state")]
    return select(
        versions, models.c.name, manifests.c.state.label("manifest_state"), *told
    ).select_from(
        versions.join(models, models.c.model_id == versions.c.model_id).outerjoin(
            manifests, manifests.c.digest == versions.c.manifest_digest
        )
    )


def serving(connection: Connection, version_id: int, limit: int) -> list[Row]:
    """Who serves a version, the best records first: anybody may enrol any number of accounts."""
    query = (
        select(enrolments)
        .join(executors, executors.c.address == enrolments.c.executor)
        .where(enrolments.c.version_id == version_id, enrolments.c.active)
        .order_by(executors.c.score.desc(), enrolments.c.executor, enrolments.c.runtime_class)
        .limit(limit)
    )
    return list(connection.execute(query).mappings())


def counts(connection: Connection) -> dict[str, int]:
    """How much there is of what grows slowly."""
    tables = {"models": models, "versions": versions, "executors": executors}
    found = {
        name: int(connection.execute(select(func.count()).select_from(table)).scalar() or 0)
        for name, table in tables.items()
    }
    for state in ("wanted", "here", "refused"):
        query = select(func.count()).select_from(manifests).where(manifests.c.state == state)
        found[f"manifests_{state}"] = int(connection.execute(query).scalar() or 0)
    return found
