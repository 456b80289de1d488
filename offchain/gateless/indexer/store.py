"""The index's database: takes stretches of the chain in, one transaction each."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar, cast

from sqlalchemy import Connection, delete, insert, select

from gateless import migrations
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.db import Database, DatabaseUrl, migrate, open_database, upsert
from gateless.core.errors import ConfigError
from gateless.daemon.follower import Stretch
from gateless.daemon.journals import REMEMBERED_BLOCKS, Position
from gateless.indexer import listings
from gateless.indexer.facts import fact_of
from gateless.indexer.fulltext import full_text
from gateless.indexer.projector import Change, Projector
from gateless.indexer.schema import SCHEMA_VERSION, blocks, manifests, meta, undo

_REVISION = "revision"
_IDENTITY = "identity"
_FLOOR = "undo_floor"
_T = TypeVar("_T")


class IndexStore:
    """The only writer of an index. Made by :meth:`open`; to be closed.

    Args:
        database: opened and up to date.
        deployment: whose events it holds.
        remembered: blocks below the last one that can be taken back row by row; where a fork is
            deeper, everything is made again from the log.
    """

    def __init__(self, database: Database, deployment: Deployment, remembered: int) -> None:
        self._database = database
        self._remembered = remembered
        addresses = {address.lower(): name for name, address in deployment.contracts.items()}
        self._projector = Projector(addresses)
        self._before_first = deployment.start_block - 1

    @classmethod
    async def open(
        cls, url: DatabaseUrl, deployment: Deployment, *, remembered: int = REMEMBERED_BLOCKS
    ) -> Self:
        """Opens or makes an index.

        Raises:
            ConfigError: ``journal-of-another``, ``already-running``, ``database-refused``, ...
            DatabaseError: ``database-unreachable``.
        """
        database = await open_database(url, owner="the index")
        try:
            await migrate(database, migrations.INDEXER)
            store = cls(database, deployment, remembered)
            await store._identify(deployment)
        except BaseException:
            await database.close()
            raise
        return store

    async def close(self) -> None:
        """Closes the database."""
        await self._database.close()

    # --- what the follower asks of it ---

    async def positions(self, limit: int = REMEMBERED_BLOCKS) -> Sequence[Position]:
        """The last positions stored with stretches, the highest first."""
        query = select(blocks).order_by(blocks.c.number.desc()).limit(limit)
        async with self._database.connect() as connection:
            return [Position(row.number, row.hash) for row in await connection.execute(query)]

    async def rewind(self, ancestor: int) -> None:
        """Forgets all that was read above block ``ancestor``, exactly."""

        def run(connection: Connection) -> None:
            changed = self._projector.rewind(connection, ancestor, self._floor(connection))
            if changed is None:
                _set(connection, _FLOOR, str(ancestor))
            connection.execute(delete(blocks).where(blocks.c.number > ancestor))
            _refresh(connection, changed)
            _bump(connection)

        await self.write(run)

    async def advance(self, stretch: Stretch) -> None:
        """Stores what a stretch told, and its last block."""
        facts = [fact_of(event, stretch.times[event.block_number]) for event in stretch.events]

        def run(connection: Connection) -> None:
            last = stretch.last
            changed = self._projector.take_in(connection, facts, last.number)
            _want_manifests(connection, changed)
            _refresh(connection, changed)
            connection.execute(insert(blocks).values(number=last.number, hash=last.hash))
            self._forget(connection, last.number - self._remembered)
            _bump(connection)

        await self.write(run)

    # --- the rest ---

    async def rebuild(self) -> None:
        """Makes everything but the event log and what was fetched again."""

        def run(connection: Connection) -> None:
            self._projector.rebuild(connection)
            cursor = connection.execute(select(blocks.c.number).order_by(blocks.c.number.desc()))
            _set(connection, _FLOOR, str(cursor.scalar() or self._before_first))
            listings.refresh(connection, None)
            _bump(connection)

        await self.write(run)

    async def write(self, run: Callable[[Connection], _T]) -> _T:
        """Does something in one transaction.

        Raises:
            DatabaseError: nothing was written.
        """
        async with self._database.begin() as connection:
            return await connection.run_sync(run)

    def _forget(self, connection: Connection, floor: int) -> None:
        """Gives up what only a deeper fork than is remembered would need.

        The floor never sinks: after a rebuild it is higher than so many blocks below the last, as
        nothing is remembered of what was before.
        """
        if floor <= self._floor(connection):
            return
        connection.execute(delete(blocks).where(blocks.c.number < floor))
        connection.execute(delete(undo).where(undo.c.block <= floor))
        _set(connection, _FLOOR, str(floor))

    def _floor(self, connection: Connection) -> int:
        """The lowest block to which everything can be taken back row by row."""
        return int(_read(connection, _FLOOR) or self._before_first)

    async def _identify(self, deployment: Deployment) -> None:
        """Writes into a new index what it belongs to; refuses one of something else."""
        identity = {
            "schema": str(SCHEMA_VERSION),
            "chain_id": str(deployment.chain_id),
            "registry": deployment.address("ModelRegistry"),
            "market": deployment.address("InferenceMarket"),
        }

        def run(connection: Connection) -> Mapping[str, str]:
            stored = {row.key: row.value for row in connection.execute(select(meta))}
            for key in identity:
                if key not in stored:
                    _set(connection, key, identity[key])
            if _IDENTITY not in stored:
                _set(connection, _IDENTITY, secrets.token_hex(8))
            if full_text(connection.dialect.name).create(connection):
                listings.refresh(connection, None)
            return stored

        stored = await self.write(run)
        for key, value in identity.items():
            if stored.get(key, value) != value:
                raise ConfigError(
                    "journal-of-another",
                    f"{self._database.url} is an index for {key} {stored[key]}, not {value}",
                    hint="give each network an index of its own; after a devnet was started"
                    " afresh, remove the old one",
                    key=key,
                    expected=value,
                    found=stored[key],
                )


def bump_revision(connection: Connection) -> None:
    """Says that what the index shows has changed."""
    _bump(connection)


def read_revision(connection: Connection) -> str:
    """A text that is another one after each change of what the index shows."""
    return _read(connection, _REVISION) or "0"


def read_identity(connection: Connection) -> str:
    """Which index this is: one that is made anew counts its revisions from the start again."""
    return _read(connection, _IDENTITY) or ""


def _refresh(connection: Connection, changed: Sequence[Change] | None) -> None:
    """Makes the listings again that these changes are about; None: all of them."""
    if changed is None:
        listings.refresh(connection, None)
    else:
        listings.follow(connection, changed)


def _want_manifests(connection: Connection, changed: Iterable[Change]) -> None:
    """Notes manifests that are named for the first time."""
    named = {
        now["manifest_digest"]
        for projection, _, _, now in changed
        if projection == "versions" and now is not None and now["manifest_digest"]
    }
    if named:
        wanted = upsert(cast(Any, connection), manifests).on_conflict_do_nothing()
        connection.execute(wanted, [{"digest": d, "state": "wanted"} for d in sorted(named)])


def _bump(connection: Connection) -> None:
    _set(connection, _REVISION, str(int(_read(connection, _REVISION) or "0") + 1))


def _read(connection: Connection, key: str) -> str | None:
    return connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def _set(connection: Connection, key: str, value: str) -> None:
    statement = upsert(cast(Any, connection), meta).values(key=key, value=value)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["key"], set_={"value": value})
    )
