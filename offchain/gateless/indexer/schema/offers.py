"""Who offers what: models, their versions and aliases, executors and what they serve."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table

from gateless.adapters.db.columns import Words
from gateless.indexer.schema.columns import Json, amount, metadata, number, record, text

models = Table(
    "models",
    metadata,
    Column("model_id", BigInteger, primary_key=True, autoincrement=False),
    text("name"),
    text("creator"),
    text("holder"),
    number("created_at"),
    number("versions"),
    number("latest"),
    #: Where the alias ``stable`` points to.
    Column("stable", BigInteger),
    amount("royalties"),
    amount("royalties_withdrawn"),
    Index("models_by_name", "name"),
    Index("models_by_holder", "holder", "model_id"),
)

#: Rows of their own: a holder may set as many as it pays gas for.
aliases = Table(
    "aliases",
    metadata,
    Column("model_id", BigInteger, primary_key=True, autoincrement=False),
    Column("alias", Words, primary_key=True),
    number("version_id"),
    number("set_at"),
)

versions = Table(
    "versions",
    metadata,
    Column("version_id", BigInteger, primary_key=True, autoincrement=False),
    number("model_id"),
    text("publisher"),
    text("model_digest"),
    text("manifest_digest"),
    text("io_schema"),
    number("binding"),
    number("modes"),
    number("royalty_bps"),
    number("proof_seconds"),
    Column("repeatable", Boolean, nullable=False, default=False),
    Column("circuits", Json, nullable=False, default=[]),
    text("uri"),
    number("published_at"),
    Column("deprecated", Boolean, nullable=False, default=False),
    text("deprecation_reason"),
    number("requests"),
    *record(),
    #: Newest first, and the newest that is not deprecated, without a look at the rows.
    Index("versions_by_model", "model_id", "deprecated", "version_id"),
    Index("versions_by_manifest", "manifest_digest"),
)

executors = Table(
    "executors",
    metadata,
    Column("address", String, primary_key=True),
    text("endpoint"),
    text("receipt_key"),
    amount("min_price"),
    number("capacity"),
    amount("stake"),
    #: By the deployment's contracts, all others in one: nobody can make it long.
    Column("allocations", Json, nullable=False, default={}),
    amount("slashed_amount"),
    number("seen_at"),
    *record(),
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
    amount("stake"),
    amount("min_price"),
    Index("enrolments_by_executor", "executor", "version_id"),
)
