"""The watchtower's tables. Amounts are decimal text: they have 128 bits, SQLite's integers 64."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

#: Raised by every change of the tables; a journal of another number is refused, never guessed at.
SCHEMA_VERSION = 1

metadata = MetaData()

#: What the journal belongs to: schema version, chain, contracts, account.
meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

cases = Table(
    "cases",
    metadata,
    Column("case_id", LargeBinary, primary_key=True),
    Column("kind", String, nullable=False),
    Column("document", Text, nullable=False),
    Column("executor", String, nullable=False),
    Column("version_id", Integer, nullable=False),
    Column("expires", Integer, nullable=False),
    Column("packed_input", LargeBinary),
    Column("packed_output", LargeBinary),
    Column("block", Integer, nullable=False, default=0),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
    Column("salt", LargeBinary, nullable=False, default=b""),
    Column("claim_id", Integer, nullable=False, default=0),
    Column("bond", String, nullable=False, default="0"),
    Column("deadline", Integer, nullable=False, default=0),
    Column("reward", String, nullable=False, default="0"),
    Column("lost", String, nullable=False, default="0"),
    Column("opened_block", Integer, nullable=False, default=0),
    Column("updated_at", Float, nullable=False),
    Index("cases_by_state", "state", "expires"),
)

#: Slots that receipts were seen for: two receipts for one slot are worth a part of the pool.
slots = Table(
    "slots",
    metadata,
    Column("court", String, primary_key=True),
    Column("executor", String, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("case_id", LargeBinary, nullable=False),
)

#: Inputs that came with requests to the lazy market, until their answers are judged.
inputs = Table(
    "inputs",
    metadata,
    Column("request_id", LargeBinary, primary_key=True),
    Column("packed_input", LargeBinary, nullable=False),
    Column("block", Integer, nullable=False),
    #: Second after which no answer to the request can be challenged.
    Column("useless_at", Integer, nullable=False),
)

intents = Table(
    "intents",
    metadata,
    Column("intent_id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("case_id", LargeBinary),
    Column("tx_hash", String, nullable=False, unique=True),
    Column("nonce", Integer, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("state", String, nullable=False),
    Column("block_number", Integer, nullable=False, default=0),
    Column("gas_used", Integer, nullable=False, default=0),
    Column("text", Text, nullable=False, default=""),
    Column("created_at", Float, nullable=False),
    Index("intents_by_state", "state", "case_id"),
)

#: The last blocks that were read, to find the fork point of a reorganisation; the highest one is
#: the cursor.
blocks = Table(
    "blocks",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", String, nullable=False),
)
