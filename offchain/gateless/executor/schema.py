"""The journal's tables. Amounts are decimal text: they have 128 bits, SQLite's integers 64."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

#: Raised by every change of the tables; a journal of another number is refused, never guessed at.
SCHEMA_VERSION = 6


class RequestId(TypeDecorator[int]):
    """A request's id as text: those of signed requests have 256 bits.

    64 hex digits each, so that the order of the text is that of the numbers.
    """

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> str | None:
        """What is stored for an id."""
        return None if value is None else f"{value:064x}"

    def process_result_value(self, value: str | None, dialect: Any) -> int | None:
        """The id again."""
        return None if value is None else int(value, 16)


metadata = MetaData()

#: What the journal belongs to: schema version, chain, market, account.
meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

work = Table(
    "work",
    metadata,
    Column("request_id", RequestId, primary_key=True),
    Column("version_id", Integer, nullable=False),
    Column("requester", String, nullable=False),
    Column("mode", Integer, nullable=False),
    Column("price", String, nullable=False),
    Column("collateral", String, nullable=False),
    Column("deadline", Integer, nullable=False),
    Column("input_digest", LargeBinary, nullable=False),
    Column("input_binding", LargeBinary, nullable=False),
    Column("named_executor", String),
    Column("created_block", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
    Column("packed_input", LargeBinary),
    Column("circuit_index", Integer, nullable=False, default=0),
    Column("packed_output", LargeBinary),
    Column("proof", LargeBinary),
    Column("batch_id", Integer),
    Column("callback_gas", Integer, nullable=False, default=0),
    Column("lock_deadline", Integer, nullable=False, default=0),
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
    Column("batch_id", Integer, primary_key=True),
    Column("version_id", Integer, nullable=False),
    Column("circuit_index", Integer, nullable=False),
    Column("request_ids", Text, nullable=False),
    Column("packed_inputs", LargeBinary, nullable=False),
    Column("packed_outputs", LargeBinary, nullable=False),
    Column("proof", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
)

intents = Table(
    "intents",
    metadata,
    Column("intent_id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("request_id", RequestId),
    Column("batch_id", Integer),
    Column("tx_hash", String, nullable=False, unique=True),
    Column("nonce", Integer, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("state", String, nullable=False),
    Column("block_number", Integer, nullable=False, default=0),
    Column("gas_used", Integer, nullable=False, default=0),
    Column("text", Text, nullable=False, default=""),
    Column("created_at", Float, nullable=False),
    Index("intents_by_state", "state", "request_id"),
)

#: Requests that one transaction locks.
intent_requests = Table(
    "intent_requests",
    metadata,
    Column("intent_id", Integer, primary_key=True, autoincrement=False),
    Column("request_id", RequestId, primary_key=True),
    Index("intents_by_request", "request_id"),
)

#: Receipts, written whole before they are signed. A row is never removed: its slot stays used. The
#: packed input and output are, when nobody can challenge it any more.
receipts = Table(
    "receipts",
    metadata,
    Column("court", String, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    #: The question that it answers, so that one asked again gets the same receipt.
    Column("question", LargeBinary, nullable=False),
    Column("version_id", Integer, nullable=False),
    Column("input_binding", LargeBinary, nullable=False),
    Column("input_digest", LargeBinary, nullable=False),
    Column("output_digest", LargeBinary, nullable=False),
    Column("executor", String, nullable=False),
    Column("beneficiary", String, nullable=False),
    Column("price", String, nullable=False),
    Column("bond", String, nullable=False),
    Column("issued", Integer, nullable=False),
    Column("expires", Integer, nullable=False),
    Column("packed_input", LargeBinary),
    Column("packed_output", LargeBinary),
    Column("signature", LargeBinary),
    Index("receipts_by_question", "court", "question", unique=True),
)

#: Epochs of own pools at the court that are not released yet.
pools = Table(
    "pools",
    metadata,
    Column("epoch", Integer, primary_key=True, autoincrement=False),
)

#: Challenges of own receipts.
claims = Table(
    "claims",
    metadata,
    Column("claim_id", Integer, primary_key=True, autoincrement=False),
    Column("subject", LargeBinary, nullable=False),
    Column("version_id", Integer, nullable=False),
    Column("input_binding", LargeBinary, nullable=False),
    Column("output_digest", LargeBinary, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("deadline", Integer, nullable=False),
    Column("created_block", Integer, nullable=False),
    Column("standing", String, nullable=False),
    Column("reason", String, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
    Index("claims_by_subject", "subject", "standing"),
)

#: What settles all challenges that say the same: the input they carried, and the proof once made.
defences = Table(
    "defences",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("packed_input", LargeBinary, nullable=False),
    Column("packed_output", LargeBinary),
    Column("circuit_index", Integer, nullable=False, default=0),
    Column("proof", LargeBinary),
)

#: Lazy requests. Structs are JSON: they are shown to the market exactly as events told them.
lazy_work = Table(
    "lazy_work",
    metadata,
    Column("request_id", RequestId, primary_key=True),
    Column("request", Text, nullable=False),
    Column("signature", LargeBinary),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
    Column("packed_input", LargeBinary),
    Column("packed_output", LargeBinary),
    Column("lock", Text),
    Column("rival", Text),
    Column("claim", Text),
    Column("dispute_deadline", Integer, nullable=False, default=0),
    Column("fee", String, nullable=False, default="0"),
    Column("created_block", Integer, nullable=False, default=0),
    Column("changed_block", Integer, nullable=False, default=0),
    Column("deadline", Integer, nullable=False),
    Index("lazy_by_state", "state", "deadline"),
)

#: Inputs that were handed in, by the digest that requests name; the bytes are in the content store.
inputs = Table(
    "inputs",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("stored_at", Float, nullable=False),
)

#: The last blocks that were read, to find the fork point of a reorganisation; the highest one is
#: the cursor.
blocks = Table(
    "blocks",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", String, nullable=False),
)

#: How long proofs of a version's circuit take on this machine.
timings = Table(
    "timings",
    metadata,
    Column("version_id", Integer, primary_key=True, autoincrement=False),
    Column("circuit_index", Integer, primary_key=True, autoincrement=False),
    Column("seconds", Float, nullable=False),
    Column("samples", Integer, nullable=False),
)
