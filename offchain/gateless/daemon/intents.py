"""The tables of intents and their attempts, which journals share.

An intent is something to be done on chain once. Its attempts are signed transactions of one nonce,
each written here before it is sent; so after any crash everything that may have been sent is known.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Insert,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    Update,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.clock import Clock
from gateless.adapters.db import Database, RowId, Words
from gateless.daemon.metrics import TransactionTotals
from gateless.daemon.transactions import IntentState

#: Writes what belongs to an intent, given its number.
Writing = Callable[[AsyncConnection, int], Awaitable[None]]


class IntentTables(NamedTuple):
    """Where a journal keeps intents."""

    intents: Table
    attempts: Table


def intent_tables(metadata: MetaData, *subject: Column[Any]) -> IntentTables:
    """Makes the tables.

    Args:
        metadata: of the journal.
        *subject: columns that say what an intent is about.
    """
    return IntentTables(
        Table(
            "intents",
            metadata,
            Column("intent_id", RowId, primary_key=True),
            Column("kind", String, nullable=False),
            *subject,
            Column("nonce", BigInteger, nullable=False),
            Column("state", String, nullable=False),
            Column("block_number", BigInteger, nullable=False, default=0),
            Column("gas_used", BigInteger, nullable=False, default=0),
            Column("text", Words, nullable=False, default=""),
            Column("created_at", Float, nullable=False),
            Index("intents_by_state", "state", "nonce"),
        ),
        Table(
            "attempts",
            metadata,
            Column("tx_hash", String, primary_key=True),
            Column("intent_id", RowId, ForeignKey("intents.intent_id"), nullable=False),
            #: The order in which they were signed.
            Column("number", BigInteger, nullable=False),
            Column("raw", LargeBinary, nullable=False),
            Column("private", Boolean, nullable=False),
            Column("cancels", Boolean, nullable=False),
            Column("created_at", Float, nullable=False),
            Index("attempts_by_intent", "intent_id", "number", unique=True),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptIntent:
    """An intent in a journal.

    Attributes:
        intent_id: its number.
        attempts: all that was signed for it, oldest first; with one nonce.
        state: what became of it.
        block_number: where it was mined; 0 where it was not.
        gas_used: by what was mined.
        text: why it was given up, or what was mined in its place.
    """

    intent_id: int
    attempts: tuple[PreparedTx, ...]
    state: IntentState = IntentState.PENDING
    block_number: int = 0
    gas_used: int = 0
    text: str = ""

    @property
    def nonce(self) -> int:
        """The nonce of all its attempts."""
        return self.attempts[0].nonce

    @property
    def tx_hash(self) -> str:
        """The latest attempt's hash."""
        return self.attempts[-1].tx_hash


class IntentLog:
    """Intents, in a journal's database."""

    #: The journal's tables.
    intent_tables: IntentTables

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def attempted(self, intent_id: int, attempt: PreparedTx) -> None:
        """Writes a further attempt down, before it is sent. One that is known is no other one."""
        attempts = self.intent_tables.attempts
        async with self._database.begin() as connection:
            query = select(attempts.c.intent_id).where(attempts.c.tx_hash == attempt.tx_hash)
            if (await connection.execute(query)).one_or_none() is None:
                await self._write_attempt(connection, intent_id, attempt)

    async def owner_of(self, tx_hash: str) -> str | None:
        """What a transaction was for, if this journal signed it."""
        intents, attempts = self.intent_tables.intents, self.intent_tables.attempts
        query = (
            select(intents.c.kind, intents.c.intent_id)
            .join(attempts, intents.c.intent_id == attempts.c.intent_id)
            .where(attempts.c.tx_hash == tx_hash)
        )
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else f"{row.kind} (intent {row.intent_id})"

    async def last_nonce(self) -> int | None:
        """The highest nonce that a mined transaction of this journal had; None before the first."""
        intents = self.intent_tables.intents
        query = select(func.max(intents.c.nonce)).where(intents.c.block_number > 0)
        async with self._database.connect() as connection:
            found = (await connection.execute(query)).scalar_one()
        return None if found is None else int(found)

    async def conclude(
        self,
        intent_id: int,
        state: IntentState,
        *,
        block_number: int = 0,
        gas_used: int = 0,
        text: str = "",
    ) -> None:
        """Writes what became of an intent."""
        values = {"state": state, "block_number": block_number, "gas_used": gas_used, "text": text}
        async with self._database.begin() as connection:
            await connection.execute(self._conclusion, {"of_intent": intent_id, **values})

    async def transaction_totals(self) -> TransactionTotals:
        """How many transactions there were, for what, what became of them, and their gas."""
        intents, attempts = self.intent_tables.intents, self.intent_tables.attempts
        by_kind = select(
            intents.c.kind, intents.c.state, func.count(), func.sum(intents.c.gas_used)
        ).group_by(intents.c.kind, intents.c.state)
        repeated = select(func.count()).select_from(attempts).where(attempts.c.number > 0)
        counts: dict[tuple[str, str], int] = {}
        gas: dict[str, int] = {}
        async with self._database.connect() as connection:
            for kind, state, count, used in await connection.execute(by_kind):
                counts[(kind, state)] = count
                gas[kind] = gas.get(kind, 0) + int(used)
            replacements = (await connection.execute(repeated)).scalar_one()
        return TransactionTotals(counts, gas, replacements)

    async def _intend(
        self, prepared: PreparedTx, values: Mapping[str, Any], also: Writing | None = None
    ) -> int:
        """Writes an intent and its first attempt down, all or nothing; returns its number.

        Args:
            prepared: the attempt.
            values: what it is about.
            also: writes more about a new one, in the same transaction.

        Signing is deterministic: what was dropped unsent and is decided again may have the very
        same bytes. Then it is the same one, and pending again.
        """
        intents = self.intent_tables.intents
        async with self._database.begin() as connection:
            known = await connection.scalar(self._signed_for, {"of_hash": prepared.tx_hash})
            if known is not None:
                await connection.execute(
                    update(intents)
                    .where(intents.c.intent_id == known)
                    .values(state=IntentState.PENDING, text="")
                )
                return int(known)
            kept = {
                "nonce": prepared.nonce,
                "state": IntentState.PENDING,
                "created_at": self._clock.now(),
                **values,
            }
            result = await connection.execute(self._new_intent, kept)
            intent_id = int(result.scalar_one())
            await self._write_attempt(connection, intent_id, prepared)
            if also is not None:
                await also(connection, intent_id)
        return intent_id

    async def _write_attempt(
        self, connection: AsyncConnection, intent_id: int, attempt: PreparedTx
    ) -> None:
        await connection.execute(
            self._new_attempt,
            {
                "tx_hash": attempt.tx_hash,
                "intent_id": intent_id,
                "of_intent": intent_id,
                "raw": attempt.raw,
                "private": attempt.private,
                "cancels": attempt.cancels,
                "created_at": self._clock.now(),
            },
        )

    # Statements take longer to put together than to run.

    @cached_property
    def _signed_for(self) -> Select[int]:
        attempts = self.intent_tables.attempts
        return select(attempts.c.intent_id).where(attempts.c.tx_hash == bindparam("of_hash"))

    @cached_property
    def _new_intent(self) -> ReturningInsert[int]:
        intents = self.intent_tables.intents
        return insert(intents).returning(intents.c.intent_id)

    @cached_property
    def _conclusion(self) -> Update:
        intents = self.intent_tables.intents
        return update(intents).where(intents.c.intent_id == bindparam("of_intent"))

    @cached_property
    def _new_attempt(self) -> Insert:
        """Numbers attempts by those before."""
        attempts = self.intent_tables.attempts
        before = attempts.c.intent_id == bindparam("of_intent", type_=attempts.c.intent_id.type)
        return insert(attempts).values(number=select(func.count()).where(before).scalar_subquery())

    async def _find_intents(
        self, *conditions: Any
    ) -> list[tuple[Mapping[Any, Any], tuple[PreparedTx, ...]]]:
        """Rows of intents with their attempts, in the order of their nonces."""
        intents, attempts = self.intent_tables.intents, self.intent_tables.attempts
        found = select(intents).where(*conditions).order_by(intents.c.nonce, intents.c.intent_id)
        signed = (
            select(attempts, intents.c.kind, intents.c.nonce)
            .join(intents, intents.c.intent_id == attempts.c.intent_id)
            .where(*conditions)
            .order_by(attempts.c.number)
        )
        by_intent: dict[int, list[PreparedTx]] = {}
        async with self._database.connect() as connection:
            rows = (await connection.execute(found)).all()
            for row in await connection.execute(signed):
                by_intent.setdefault(row.intent_id, []).append(
                    PreparedTx(
                        row.raw,
                        row.tx_hash,
                        row.nonce,
                        row.kind,
                        private=row.private,
                        cancels=row.cancels,
                    )
                )
        return [(row._mapping, tuple(by_intent[row.intent_id])) for row in rows]


def kept_facts(row: Mapping[Any, Any], attempts: Sequence[PreparedTx]) -> dict[str, Any]:
    """What :class:`KeptIntent` needs of a row."""
    return {
        "intent_id": row["intent_id"],
        "attempts": tuple(attempts),
        "state": IntentState(row["state"]),
        "block_number": row["block_number"],
        "gas_used": row["gas_used"],
        "text": row["text"],
    }
