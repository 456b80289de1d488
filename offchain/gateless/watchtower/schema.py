"""The watchtower's tables. Amounts are decimal text: they have 128 bits, databases' integers 64."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from gateless.adapters.db import Words
from gateless.daemon.intents import intent_tables
from gateless.daemon.journals import blocks_table, meta_table

metadata = MetaData()

meta = meta_table(metadata)

cases = Table(
    "cases",
    metadata,
    Column("case_id", LargeBinary, primary_key=True),
    Column("kind", String, nullable=False),
    Column("document", Text, nullable=False),
    Column("executor", String, nullable=False),
    Column("version_id", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("packed_input", LargeBinary),
    Column("packed_output", LargeBinary),
    Column("block", BigInteger, nullable=False, default=0),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False, default=""),
    Column("text", Words, nullable=False, default=""),
    Column("salt", LargeBinary, nullable=False, default=b""),
    Column("claim_id", BigInteger, nullable=False, default=0),
    Column("bond", String, nullable=False, default="0"),
    Column("deadline", BigInteger, nullable=False, default=0),
    Column("reward", String, nullable=False, default="0"),
    Column("lost", String, nullable=False, default="0"),
    Column("opened_block", BigInteger, nullable=False, default=0),
    Column("updated_at", Float, nullable=False),
    Index("cases_by_state", "state", "expires"),
)

#: Slots that receipts were seen for: two receipts for one slot are worth a part of the pool.
slots = Table(
    "slots",
    metadata,
    Column("court", String, primary_key=True),
    Column("executor", String, primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("case_id", LargeBinary, nullable=False),
)

#: Inputs that came with requests to the lazy market, until their answers are judged.
inputs = Table(
    "inputs",
    metadata,
    Column("request_id", LargeBinary, primary_key=True),
    Column("packed_input", LargeBinary, nullable=False),
    Column("block", BigInteger, nullable=False),
    #: Second after which no answer to the request can be challenged.
    Column("useless_at", BigInteger, nullable=False),
)

intents, attempts = intent_tables(metadata, Column("case_id", LargeBinary, index=True))

blocks = blocks_table(metadata)

#: Challenges of receipts, whoever made them: the first slash of a slot takes its bond.
court_challenges = Table(
    "court_challenges",
    metadata,
    Column("claim_id", BigInteger, primary_key=True, autoincrement=False),
    #: Executor, epoch and slot: see :func:`gateless.watchtower.court_events.place_of`.
    Column("place", String, nullable=False, index=True),
    Column("block", BigInteger, nullable=False),
)

#: Up to where the court's events were read.
court_blocks = blocks_table(metadata, "court_blocks")
