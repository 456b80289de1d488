"""What was read of the chain, and what takes it back."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from gateless.indexer.schema.columns import Json, metadata

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
