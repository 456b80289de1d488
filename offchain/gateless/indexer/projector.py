"""Keeps the projections equal to what the events say: forwards, backwards and from the start.

A stretch of events is reduced in memory, and the rows that it changed are written with what they
were before (``undo``). A fork takes the newest stretches back row by row. Where what is needed for
that is gone, or on request, everything is made again from the event log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, Table, delete, func, insert, select, tuple_

from gateless.adapters.db.upsert import upsert
from gateless.core.types import TrustMode
from gateless.indexer.facts import Fact
from gateless.indexer.reducers import reduce
from gateless.indexer.schema import PROJECTIONS, events, key_names, undo
from gateless.indexer.workset import Key, Row, WorkingSet, in_batches

#: Keys in one query, and rows in one statement.
_KEYS_AT_ONCE = 500
_EVENTS_AT_ONCE = 5_000
#: Arguments of events that are accounts, of which there may be rows.
_ACCOUNTS = (
    "executor",
    "requester",
    "challenger",
    "member",
    "account",
    "beneficiary",
    "reporter",
)

#: Rows that changed: projection, key, before, now; None where there is none.
Change = tuple[str, Key, Row | None, Row | None]


class Projector:
    """Applies events to the projections. Everything happens in the caller's transaction.

    Args:
        addresses: contract's name by address in lower case.
    """

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses

    def take_in(
        self, connection: Connection, facts: Sequence[Fact], stretch: int | None
    ) -> list[Change]:
        """Applies events that follow on those before, and writes the event log.

        Args:
            connection: in a transaction.
            facts: in the order of the chain.
            stretch: number of the last block read, under which rows are kept for :meth:`rewind`.
        """
        for some in in_batches(facts, _EVENTS_AT_ONCE):
            connection.execute(insert(events), [_event_row(fact) for fact in some])
        return self._apply(connection, facts, stretch)

    def rewind(self, connection: Connection, ancestor: int, floor: int) -> list[Change] | None:
        """Takes everything back to how it was at block ``ancestor``.

        Args:
            connection: in a transaction.
            ancestor: number of the last block of a stretch, or the block before the first.
            floor: down to where ``undo`` reaches.

        Returns:
            What changed; None where everything was made again.
        """
        connection.execute(delete(events).where(events.c.block > ancestor))
        if ancestor < floor:
            self.rebuild(connection)
            return None
        query = select(undo).where(undo.c.block > ancestor).order_by(undo.c.block.desc())
        kept: dict[tuple[str, str], str | None] = {}
        for row in connection.execute(query):
            kept[row.projection, row.key] = row.before  # the oldest, which comes last, decides
        changed: list[Change] = []
        for (projection, key), before in kept.items():
            was = None if before is None else json.loads(before)
            changed.append((projection, tuple(json.loads(key)), None, was))
        _write(connection, changed)
        connection.execute(delete(undo).where(undo.c.block > ancestor))
        return changed

    def rebuild(self, connection: Connection) -> None:
        """Makes all projections again from the event log."""
        for table in (*PROJECTIONS.values(), undo):
            connection.execute(delete(table))
        after = (-1, -1)
        while True:
            query = (
                select(events)
                .where(tuple_(events.c.block, events.c.log_index) > after)
                .order_by(events.c.block, events.c.log_index)
                .limit(_EVENTS_AT_ONCE)
            )
            facts = [_fact_of_row(row) for row in connection.execute(query)]
            if not facts:
                return
            self._apply(connection, facts, None)
            after = facts[-1].block, facts[-1].log_index

    def _apply(
        self, connection: Connection, facts: Sequence[Fact], stretch: int | None
    ) -> list[Change]:
        rows = WorkingSet(lambda name, keys: _load(connection, name, keys), self._addresses)
        _preload(rows, facts)
        for fact in facts:
            reduce(rows, fact)
        changed: list[Change] = [
            (projection, key, was, now)
            for projection, found in rows.changes().items()
            for key, (was, now) in found.items()
        ]
        _write(connection, changed)
        if stretch is not None:
            _remember(connection, changed, stretch)
        return changed


def oldest_event(connection: Connection) -> int | None:
    """Block of the first event of the log."""
    return connection.execute(select(func.min(events.c.block))).scalar()


# --- rows in and out ---


def _event_row(fact: Fact) -> dict[str, Any]:
    return {
        "block": fact.block,
        "log_index": fact.log_index,
        "block_hash": fact.block_hash,
        "tx_hash": fact.tx_hash,
        "at": fact.at,
        "contract": fact.contract,
        "name": fact.name,
        "args": fact.args,
    }


def _fact_of_row(row: Any) -> Fact:
    return Fact(
        contract=row.contract,
        name=row.name,
        args=row.args,
        block=row.block,
        log_index=row.log_index,
        block_hash=row.block_hash,
        tx_hash=row.tx_hash,
        at=row.at,
    )


def _load(connection: Connection, projection: str, keys: list[Key]) -> Iterable[Row]:
    table = PROJECTIONS[projection]
    columns = [table.c[name] for name in key_names(table)]
    for some in in_batches(keys, _KEYS_AT_ONCE):
        if len(columns) == 1:
            wanted = columns[0].in_([key[0] for key in some])
        else:
            wanted = tuple_(*columns).in_(some)
        for row in connection.execute(select(table).where(wanted)).mappings():
            yield dict(row)


def _preload(rows: WorkingSet, facts: Sequence[Fact]) -> None:
    """Reads most of what the events touch in few queries; what is missed is read one by one."""
    requests: list[Key] = []
    accounts: list[Key] = []
    versions: list[int] = []
    models: list[int] = []
    days: set[int] = set()
    set_aliases: list[Key] = []
    for fact in facts:
        args = fact.args
        if "requestId" in args:
            requests.append((args["requestId"],))
        if "versionId" in args:
            versions.append(args["versionId"])
        if "modelId" in args:
            models.append(args["modelId"])
        if "aliasName" in args:
            set_aliases.append((args["modelId"], args["aliasName"]))
        accounts.extend((args[name],) for name in _ACCOUNTS if isinstance(args.get(name), str))
        days.add(fact.day)
    for request in rows.preload("requests", requests):
        versions.append(request["version_id"])
        accounts.append((request["requester"],))
        if request["executor"] is not None:
            accounts.append((request["executor"],))
    rows.preload("disputes", [("lazy", key[0]) for key in requests])
    rows.preload("versions", [(version,) for version in versions])
    rows.preload("models", [(model,) for model in {*models, *(v >> 32 for v in versions)}])
    rows.preload("aliases", set_aliases)
    rows.preload("executors", accounts)
    rows.preload("earnings", accounts)
    rows.preload(
        "usage",
        [
            (day, version, int(mode))
            for day in days
            for version in dict.fromkeys(versions)
            for mode in TrustMode
        ],
    )


def _write(connection: Connection, changed: Iterable[Change]) -> None:
    by_projection: dict[str, tuple[list[Row], list[Key]]] = {}
    for projection, key, _, now in changed:
        kept, gone = by_projection.setdefault(projection, ([], []))
        if now is None:
            gone.append(key)
        else:
            kept.append(now)
    for projection, (kept, gone) in by_projection.items():
        table = PROJECTIONS[projection]
        if kept:
            connection.execute(_overwrite(connection, table), kept)
        names = key_names(table)
        for key in gone:
            same = [table.c[name] == part for name, part in zip(names, key, strict=True)]
            connection.execute(delete(table).where(*same))


def _overwrite(connection: Connection, table: Table) -> Any:
    statement = upsert(cast(Any, connection), table)
    names = key_names(table)
    return statement.on_conflict_do_update(
        index_elements=list(names),
        set_={
            column.name: statement.excluded[column.name]
            for column in table.columns
            if column.name not in names
        },
    )


def _remember(connection: Connection, changed: Sequence[Change], stretch: int) -> None:
    if changed:
        connection.execute(
            insert(undo),
            [
                {
                    "block": stretch,
                    "projection": projection,
                    "key": json.dumps(key),
                    "before": None if was is None else json.dumps(was),
                }
                for projection, key, was, _ in changed
            ],
        )
