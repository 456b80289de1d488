"""The journal's tables. Amounts are decimal text: they have 128 bits, databases' integers 64."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from gateless.adapters.db import RequestId, RowId, Words
from gateless.daemon.intents import intent_tables
from gateless.daemon.journals import blocks_table, meta_table

metadata = MetaData()

meta = meta_table(metadata)

work = Table(
    "work",
    metadata,
    Column("request_id", RequestId, primary_key=True),
    Column("version_id", BigInteger, nullable=False),
    Column("requester", String, nullable=False),
    Column("mode", Integer, nullable=False),
    Column("price", String, nullable=False),
    Column("collateral", String, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("input_digest", LargeBinary, nullable=False),
    Column("input_binding", LargeBinary, nullable=False),
    Column("named_executor", String),
    Column("created_block", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False, default=""),
    Column("text", Words, nullable=False, default=""),
    Column("packed_input", LargeBinary),
    Column("circuit_index", BigInteger, nullable=False, default=0),
    Column("packed_output", LargeBinary),
    Column("proof", LargeBinary),
    Column("batch_id", BigInteger),
    Column("callback_gas", BigInteger, nullable=False, default=0),
    Column("lock_deadline", BigInteger, nullable=False, default=0),
    Column("fee", String, nullable=False, default="0"),
    #: Where the requester signed it and handed it in, as JSON, and the signature in it.
    Column("offer", Text),
    Column("updated_at", Float, nullable=False),
    Index("work_by_state", "state", "deadline"),
    Index("work_by_batch", "batch_id"),
)

#: Proofs that several requests share. Emptied, not removed, when the last of them has ended.
batches = Table(
    "batches",
    metadata,
    Column("batch_id", RowId, primary_key=True),
    Column("version_id", BigInteger, nullable=False),
    Column("circuit_index", BigInteger, nullable=False),
    Column("request_ids", Text, nullable=False),
    Column("packed_inputs", LargeBinary, nullable=False),
    Column("packed_outputs", LargeBinary, nullable=False),
    Column("proof", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
)

intents, attempts = intent_tables(
    metadata, Column("request_id", RequestId, index=True), Column("batch_id", BigInteger)
)

#: Requests that one transaction locks.
intent_requests = Table(
    "intent_requests",
    metadata,
    Column("intent_id", BigInteger, primary_key=True, autoincrement=False),
    Column("request_id", RequestId, primary_key=True),
    Index("intents_by_request", "request_id"),
)

#: Receipts, written whole before they are signed. A row is never removed: its slot stays used. The
#: packed input and output are, when nobody can challenge it any more.
receipts = Table(
    "receipts",
    metadata,
    Column("court", String, primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    #: The question that it answers, so that one asked again gets the same receipt.
    Column("question", LargeBinary, nullable=False),
    Column("version_id", BigInteger, nullable=False),
    Column("input_binding", LargeBinary, nullable=False),
    Column("input_digest", LargeBinary, nullable=False),
    Column("output_digest", LargeBinary, nullable=False),
    Column("executor", String, nullable=False),
    Column("beneficiary", String, nullable=False),
    Column("price", String, nullable=False),
    Column("bond", String, nullable=False),
    Column("issued", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("packed_input", LargeBinary),
    Column("packed_output", LargeBinary),
    Column("signature", LargeBinary),
    Index("receipts_by_question", "court", "question", unique=True),
)

#: Epochs of own pools at the court that are not released yet.
pools = Table(
    "pools",
    metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
)

#: Challenges of own receipts.
claims = Table(
    "claims",
    metadata,
    Column("claim_id", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", LargeBinary, nullable=False),
    Column("version_id", BigInteger, nullable=False),
    Column("input_binding", LargeBinary, nullable=False),
    Column("output_digest", LargeBinary, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("slot", BigInteger, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("created_block", BigInteger, nullable=False),
    Column("standing", String, nullable=False),
    Column("reason", String, nullable=False, default=""),
    Column("text", Words, nullable=False, default=""),
    Index("claims_by_subject", "subject", "standing"),
)

#: What settles all challenges that say the same: the input they carried, and the proof once made.
defences = Table(
    "defences",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("packed_input", LargeBinary, nullable=False),
    Column("packed_output", LargeBinary),
    Column("circuit_index", BigInteger, nullable=False, default=0),
    Column("proof", LargeBinary),
)

#: Lazy requests. Structs are JSON: they are shown to the market exactly as events told them.
lazy_work = Table(
    "lazy_work",
    metadata,
    Column("request_id", RequestId, primary_key=True),
    Column("request", Text, nullable=False),
    Column("audit_bps", Integer, nullable=False),
    Column("signature", LargeBinary),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False, default=""),
    Column("text", Words, nullable=False, default=""),
    Column("packed_input", LargeBinary),
    Column("packed_output", LargeBinary),
    Column("lock", Text),
    Column("rival", Text),
    Column("claim", Text),
    Column("dispute_deadline", BigInteger, nullable=False, default=0),
    Column("fee", String, nullable=False, default="0"),
    Column("created_block", BigInteger, nullable=False, default=0),
    Column("changed_block", BigInteger, nullable=False, default=0),
    Column("deadline", BigInteger, nullable=False),
    Index("lazy_by_state", "state", "deadline"),
    Index("lazy_by_lot", "audit_bps", "state"),
)

#: Inputs that were handed in, by the digest that requests name; the bytes are in the content store.
inputs = Table(
    "inputs",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("stored_at", Float, nullable=False),
)

blocks = blocks_table(metadata)

#: How long proofs of a version's circuit take on this machine.
timings = Table(
    "timings",
    metadata,
    Column("version_id", BigInteger, primary_key=True, autoincrement=False),
    Column("circuit_index", BigInteger, primary_key=True, autoincrement=False),
    Column("seconds", Float, nullable=False),
    Column("samples", Integer, nullable=False),
)

#: Losses, and what is not worked on for them until somebody has looked.
halts = Table(
    "halts",
    metadata,
    Column("cause", String, primary_key=True),
    Column("version_id", BigInteger, nullable=False),
    Column("is_whole", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("text", Words, nullable=False),
    Column("since", Float, nullable=False),
    Column("ended_at", Float),
)

#: Requests to quorums. Structs are JSON; salt and output are never written again.
rounds = Table(
    "rounds",
    metadata,
    Column("request_id", RequestId, primary_key=True),
    Column("request", Text, nullable=False),
    Column("opened_block", BigInteger, nullable=False),
    Column("packed_input", LargeBinary, nullable=False),
    Column("round", Text),
    Column("salt", LargeBinary),
    Column("packed_output", LargeBinary),
    Column("standing", String, nullable=False),
    Column("reason", String, nullable=False, default=""),
    Column("text", Words, nullable=False, default=""),
    Column("last_block", BigInteger, nullable=False),
    Column("updated_at", Float, nullable=False),
    Index("rounds_by_standing", "standing", "opened_block"),
)

#: The last blocks that were read for quorums, which are followed apart.
quorum_blocks = blocks_table(metadata, "quorum_blocks")
