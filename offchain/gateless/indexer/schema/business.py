"""What was asked, answered, doubted and paid."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from gateless.adapters.db.columns import RequestId
from gateless.indexer.schema.columns import Json, Units, amount, metadata, number, text

requests = Table(
    "requests",
    metadata,
    Column("request_id", RequestId, primary_key=True),
    text("market"),
    number("mode"),
    number("version_id"),
    text("requester"),
    Column("executor", String),
    Column("named_executor", String),
    text("state"),
    amount("max_price"),
    Column("price", Units),
    Column("fee", Units),
    Column("royalty", Units),
    amount("collateral"),
    number("deadline"),
    text("input_digest"),
    text("input_binding"),
    text("input_hint"),
    Column("output_digest", String),
    Column("output", Json),
    text("how"),
    text("reason"),
    number("missed_locks"),
    Column("seats", Json, nullable=False, default=[]),
    Column("requested_at", BigInteger, nullable=False, default=0),
    Column("locked_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("ended_at", BigInteger),
    text("requested_tx"),
    text("ended_tx"),
    Column("topic", String),
    Column("board_index", BigInteger),
    Index("requests_by_time", "requested_at", "request_id"),
    Index("requests_by_version", "version_id", "requested_at"),
    Index("requests_by_executor", "executor", "requested_at"),
    Index("requests_by_requester", "requester", "requested_at"),
    Index("requests_by_mode", "mode", "requested_at"),
    Index("requests_by_state", "state", "requested_at"),
    Index("results_by_time", "state", "ended_at", "request_id"),
    Index("results_by_version", "version_id", "ended_at"),
    Index("results_by_input", "input_binding", "ended_at"),
)

#: Doubts: about lazy answers (the id is the request's), receipts and equivocations (the claim's).
disputes = Table(
    "disputes",
    metadata,
    Column("kind", String, primary_key=True),
    Column("dispute_id", RequestId, primary_key=True),
    text("state"),
    Column("executor", String),
    Column("challenger", String),
    Column("beneficiary", String),
    Column("version_id", BigInteger),
    amount("bond"),
    amount("compensation"),
    amount("reward"),
    amount("burned"),
    number("deadline"),
    Column("opened_at", BigInteger, nullable=False, default=0),
    Column("ended_at", BigInteger),
    Index("disputes_by_time", "opened_at", "dispute_id"),
    Index("disputes_by_executor", "executor", "opened_at"),
    Index("disputes_by_challenger", "challenger", "opened_at"),
)

#: Pools of bonded receipts.
pools = Table(
    "pools",
    metadata,
    Column("pool_id", RequestId, primary_key=True),
    text("executor"),
    number("epoch"),
    amount("bond"),
    number("capacity"),
    text("state"),
    Index("pools_by_executor", "executor", "pool_id"),
)

#: What accounts earned and lost, in token units; ``fees`` and the rest are sums over all time.
earnings = Table(
    "earnings",
    metadata,
    Column("address", String, primary_key=True),
    amount("fees"),
    number("answers"),
    amount("royalties"),
    amount("rewards"),
    amount("bonds_won"),
    amount("bonds_lost"),
    amount("compensation"),
    amount("spent"),
    number("asked"),
)

#: What happened on a day (UTC, days since 1970), by version and trust mode.
usage = Table(
    "usage",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("version_id", BigInteger, primary_key=True, autoincrement=False),
    Column("mode", Integer, primary_key=True, autoincrement=False),
    number("requests"),
    number("fulfilled"),
    number("refunded"),
    number("slashed"),
    amount("fees"),
    amount("royalties"),
    Index("usage_by_version", "version_id", "day"),
)
