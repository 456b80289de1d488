"""What searches need: manifests, and a listing for each model."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from gateless.adapters.db.columns import Words
from gateless.indexer.schema.columns import Json, Units, metadata, number, text

#: What was read of manifests. ``state`` is wanted, here or refused; strangers wrote all of it.
manifests = Table(
    "manifests",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("state", String, nullable=False),
    number("attempts"),
    number("next_attempt"),
    text("problem"),
    text("title"),
    text("description"),
    text("task"),
    text("license"),
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
    text("name"),
    text("task"),
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
