"""Reading the index: lists and single things, each with the revision that it is of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from sqlalchemy import BigInteger, Connection, RowMapping, String, Table, func, select
from sqlalchemy.sql.elements import ColumnElement

from gateless.adapters.db import Database, DatabaseUrl, open_database
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
    pools,
    versions,
)
from gateless.indexer.store import read_revision

_CONNECTIONS = 4
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
    async def open(cls, url: DatabaseUrl) -> Self:
        """Opens an index that a store has made.

        Raises:
            DatabaseError: ``database-unreachable``.
        """
        return cls(await open_database(url, connections=_CONNECTIONS))

    async def close(self) -> None:
        """Closes the connections."""
        await self._database.close()

    async def read(self, run: Callable[[Connection], _T]) -> _T:
        """Reads in one transaction.

        Raises:
            DatabaseError: ``database-busy``, ``database-unreachable``.
        """
        async with self._database.connect() as connection:
            return await connection.run_sync(run)


def revision(connection: Connection) -> str:
    """A text that is another one after each change of what the index shows, or of the branch."""
    query = select(blocks.c.hash).order_by(blocks.c.number.desc()).limit(1)
    return f"{read_revision(connection)}:{connection.execute(query).scalar()}"


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
    kinds = [str if type(column.type) is String else int for column, _ in order]
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


def version_rows(connection: Connection, model_id: int) -> list[Row]:
    """A model's versions with what their manifests say, the newest first."""
    query = (
        _with_manifests()
        .where(versions.c.model_id == model_id)
        .order_by(versions.c.version_id.desc())
    )
    return list(connection.execute(query).mappings())


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


def enrolments_of(connection: Connection, column: str, value: Any, limit: int) -> list[Row]:
    """Who serves a version, or what an executor serves."""
    query = (
        select(enrolments)
        .where(enrolments.c[column] == value, enrolments.c.active)
        .order_by(enrolments.c.version_id, enrolments.c.executor, enrolments.c.runtime_class)
        .limit(limit)
    )
    return list(connection.execute(query).mappings())


def pools_of(connection: Connection, executor: str, limit: int) -> list[Row]:
    """The newest pools of an executor."""
    query = select(pools).where(pools.c.executor == executor)
    return list(connection.execute(query.order_by(pools.c.pool_id.desc()).limit(limit)).mappings())


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
