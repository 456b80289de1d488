"""The index's tables.

``events`` is the log as the chain told it. What :data:`PROJECTIONS` names follows from it and from
nothing else, so it can be made again at any time. ``listings`` and what belongs to it follow from
the projections and from manifests; ``manifests`` holds what was fetched by digest.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

from gateless.adapters.db.columns import RequestId, Words

#: Raised by every change of the tables.
SCHEMA_VERSION = 1

#: Digits of the largest uint256: amounts are text of this length, so that text sorts as numbers do.
_DIGITS = 78
#: The largest number of a column that is one; ids of versions stay below it.
LARGEST = (1 << 63) - 1
#: And of one whose numbers are all small, such as scores, days and modes.
LARGEST_SMALL = (1 << 31) - 1


class Units(TypeDecorator[int]):
    """An amount in token units as decimal text with leading zeros."""

    impl = String(_DIGITS)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> str | None:
        """What is stored for an amount."""
        return None if value is None else f"{value:0{_DIGITS}d}"

    def process_result_value(self, value: str | None, dialect: Any) -> int | None:
        """The amount again."""
        return None if value is None else int(value)


class Json(TypeDecorator[Any]):
    """A list or mapping as JSON text, keys sorted: equal values are equal text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        """What is stored for a value. ASCII, so that every text can be stored everywhere."""
        return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        """The value again."""
        return None if value is None else json.loads(value)


class Count(TypeDecorator[int]):
    """A number of at most 63 bits; what the chain has larger, some deadlines, is cut to that."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> int | None:
        """What is stored for a number."""
        return None if value is None else min(value, LARGEST)


metadata = MetaData()

#: What the index belongs to, its revision, and down to where it can be rewound.
meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

#: Blocks up to which the chain was read.
blocks = Table(
    "blocks",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", String, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    Column("block_hash", String, nullable=False),
    Column("tx_hash", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("contract", String, nullable=False),
    Column("name", String, nullable=False),
    Column("args", Json, nullable=False),
)

#: Rows as they were before a stretch of blocks changed them; ``before`` is null where there was
#: none.
undo = Table(
    "undo",
    metadata,
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("projection", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("before", Text),
)


def _amount(name: str) -> Column[int]:
    return Column(name, Units, nullable=False, default=0)


def _number(name: str) -> Column[int]:
    return Column(name, Count, nullable=False, default=0)


def _text(name: str) -> Column[str]:
    return Column(name, Words, nullable=False, default="")


def _record() -> list[Column[Any]]:
    """What counts for reputation (:mod:`gateless.indexer.reputation`)."""
    return [
        _number("fulfilled"),
        _number("expired"),
        _number("slashed"),
        _number("defended"),
        _number("self_dealt"),
        _number("score"),
        _amount("volume"),
        Column("lock_times", Json, nullable=False, default={}),
        Column("work_times", Json, nullable=False, default={}),
        Column("total_times", Json, nullable=False, default={}),
        Column("latency", BigInteger),
    ]


models = Table(
    "models",
    metadata,
    Column("model_id", BigInteger, primary_key=True, autoincrement=False),
    _text("name"),
    _text("creator"),
    _text("holder"),
    _number("created_at"),
    _number("versions"),
    _number("latest"),
    Column("aliases", Json, nullable=False, default={}),
    _amount("royalties"),
    _amount("royalties_withdrawn"),
    Index("models_by_name", "name"),
)

versions = Table(
    "versions",
    metadata,
    Column("version_id", BigInteger, primary_key=True, autoincrement=False),
    _number("model_id"),
    _text("publisher"),
    _text("model_digest"),
    _text("manifest_digest"),
    _text("io_schema"),
    _number("binding"),
    _number("modes"),
    _number("royalty_bps"),
    _number("proof_seconds"),
    Column("repeatable", Boolean, nullable=False, default=False),
    Column("circuits", Json, nullable=False, default=[]),
    _text("uri"),
    _number("published_at"),
    Column("deprecated", Boolean, nullable=False, default=False),
    _text("deprecation_reason"),
    _number("requests"),
    *_record(),
    Index("versions_by_model", "model_id"),
    Index("versions_by_manifest", "manifest_digest"),
)

executors = Table(
    "executors",
    metadata,
    Column("address", String, primary_key=True),
    _text("endpoint"),
    _text("receipt_key"),
    _amount("min_price"),
    _number("capacity"),
    _amount("stake"),
    Column("allocations", Json, nullable=False, default={}),
    _amount("slashed_amount"),
    _number("seen_at"),
    *_record(),
    Index("executors_by_score", "score", "address"),
)

#: Who serves which version. ``runtime_class`` is empty but for members of quorums.
enrolments = Table(
    "enrolments",
    metadata,
    Column("version_id", BigInteger, primary_key=True, autoincrement=False),
    Column("executor", String, primary_key=True),
    Column("runtime_class", String, primary_key=True),
    Column("active", Boolean, nullable=False, default=False),
    _amount("stake"),
    _amount("min_price"),
    Index("enrolments_by_executor", "executor"),
)

requests = Table(
    "requests",
    metadata,
    Column("request_id", RequestId, primary_key=True),
    _text("market"),
    _number("mode"),
    _number("version_id"),
    _text("requester"),
    Column("executor", String),
    Column("named_executor", String),
    _text("state"),
    _amount("max_price"),
    Column("price", Units),
    Column("fee", Units),
    Column("royalty", Units),
    _amount("collateral"),
    _number("deadline"),
    _text("input_digest"),
    _text("input_binding"),
    _text("input_hint"),
    Column("output_digest", String),
    Column("output", Json),
    _text("how"),
    _text("reason"),
    _number("missed_locks"),
    Column("seats", Json, nullable=False, default=[]),
    Column("requested_at", BigInteger, nullable=False, default=0),
    Column("locked_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("ended_at", BigInteger),
    _text("requested_tx"),
    _text("ended_tx"),
    Column("topic", String),
    Column("board_index", BigInteger),
    Index("requests_by_time", "requested_at", "request_id"),
    Index("requests_by_version", "version_id", "requested_at"),
    Index("requests_by_executor", "executor", "requested_at"),
    Index("requests_by_requester", "requester", "requested_at"),
    Index("results_by_time", "how", "ended_at"),
    Index("results_by_input", "input_binding"),
)

#: Doubts: about lazy answers (the id is the request's), receipts and equivocations (the claim's).
disputes = Table(
    "disputes",
    metadata,
    Column("kind", String, primary_key=True),
    Column("dispute_id", RequestId, primary_key=True),
    _text("state"),
    Column("executor", String),
    Column("challenger", String),
    Column("beneficiary", String),
    Column("version_id", BigInteger),
    _amount("bond"),
    _amount("compensation"),
    _amount("reward"),
    _amount("burned"),
    _number("deadline"),
    Column("opened_at", BigInteger, nullable=False, default=0),
    Column("ended_at", BigInteger),
    Index("disputes_by_time", "opened_at", "dispute_id"),
    Index("disputes_by_executor", "executor", "opened_at"),
)

#: Pools of bonded receipts.
pools = Table(
    "pools",
    metadata,
    Column("pool_id", RequestId, primary_key=True),
    _text("executor"),
    _number("epoch"),
    _amount("bond"),
    _number("capacity"),
    _text("state"),
    Index("pools_by_executor", "executor"),
)

#: What accounts earned and lost, in token units; ``fees`` and the rest are sums over all time.
earnings = Table(
    "earnings",
    metadata,
    Column("address", String, primary_key=True),
    _amount("fees"),
    _number("answers"),
    _amount("royalties"),
    _amount("rewards"),
    _amount("bonds_won"),
    _amount("bonds_lost"),
    _amount("compensation"),
    _amount("spent"),
    _number("asked"),
)

#: What happened on a day (UTC, days since 1970), by version and trust mode.
usage = Table(
    "usage",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("version_id", BigInteger, primary_key=True, autoincrement=False),
    Column("mode", Integer, primary_key=True, autoincrement=False),
    _number("requests"),
    _number("fulfilled"),
    _number("refunded"),
    _number("slashed"),
    _amount("fees"),
    _amount("royalties"),
    Index("usage_by_version", "version_id", "day"),
)

#: Derived from ``events`` alone.
PROJECTIONS: dict[str, Table] = {
    table.name: table
    for table in (
        models,
        versions,
        executors,
        enrolments,
        requests,
        disputes,
        pools,
        earnings,
        usage,
    )
}

#: What was read of manifests. ``state`` is wanted, here or refused; strangers wrote all of it.
manifests = Table(
    "manifests",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("state", String, nullable=False),
    _number("attempts"),
    _number("next_attempt"),
    _text("problem"),
    _text("title"),
    _text("description"),
    _text("task"),
    _text("license"),
    Column("tags", Json, nullable=False, default=[]),
    Column("inputs", Json, nullable=False, default=[]),
    Column("outputs", Json, nullable=False, default=[]),
    Column("labels", Json, nullable=False, default=[]),
    Index("manifests_wanted", "state", "next_attempt"),
)

#: What a search finds: each model by the version that it shows (:mod:`gateless.indexer.listings`).
listings = Table(
    "listings",
    metadata,
    Column("model_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version_id", BigInteger, nullable=False),
    _text("name"),
    _text("task"),
    Column("modes", Integer, nullable=False),
    Column("price", Units),
    Column("executors", Integer, nullable=False),
    Column("success", Integer),
    Column("latency", BigInteger),
    Column("score", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    #: Hash of the words under which it is found; saves writing them anew.
    Column("words_digest", String, nullable=False, default=""),
    Index("listings_by_score", "score", "model_id"),
    Index("listings_by_price", "price", "model_id"),
    Index("listings_by_time", "published_at", "model_id"),
)

listing_tags = Table(
    "listing_tags",
    metadata,
    Column("tag", Words, primary_key=True),
    Column("model_id", BigInteger, primary_key=True, autoincrement=False),
    Index("tags_by_model", "model_id"),
)


def blank(table: Table) -> dict[str, Any]:
    """A row of a table without its key: every column's default."""
    return {
        column.name: getattr(column.default, "arg", None)
        for column in table.columns
        if not column.primary_key
    }


def key_names(table: Table) -> tuple[str, ...]:
    """Names of a table's key columns."""
    return tuple(column.name for column in table.primary_key.columns)
