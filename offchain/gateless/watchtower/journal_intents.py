"""The journal's part about transactions: each is written down before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.clock import Clock
from gateless.adapters.db import Database, upsert
from gateless.daemon.transactions import IntentState
from gateless.watchtower import schema
from gateless.watchtower.cases import IntentKind


@dataclass(frozen=True, slots=True)
class Intent:
    """A transaction that was journaled before it was sent: for a case or for none."""

    intent_id: int
    kind: IntentKind
    case_id: bytes | None
    tx_hash: str
    nonce: int
    raw: bytes
    state: IntentState

    @property
    def label(self) -> str:
        """What it is for."""
        return self.kind.value

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the log says about it."""
        return {} if self.case_id is None else {"case": f"0x{self.case_id.hex()}"}


class IntentLog:
    """Transactions, in the journal's database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def intend(
        self, kind: IntentKind, prepared: PreparedTx, case_id: bytes | None = None
    ) -> Intent:
        """Writes a signed transaction down before it is sent.

        Signing is deterministic: what was dropped unsent and is decided again may have the very
        same bytes. Then it is the same one, and pending again.
        """
        query = (
            upsert(self._database, schema.intents)
            .values(
                kind=kind,
                case_id=case_id,
                tx_hash=prepared.tx_hash,
                nonce=prepared.nonce,
                raw=prepared.raw,
                state=IntentState.PENDING,
                created_at=self._clock.now(),
            )
            .on_conflict_do_update(
                index_elements=["tx_hash"], set_={"state": IntentState.PENDING, "text": ""}
            )
            .returning(schema.intents.c.intent_id)
        )
        async with self._database.begin() as connection:
            intent_id = int((await connection.execute(query)).scalar_one())
        return Intent(
            intent_id,
            kind,
            case_id,
            prepared.tx_hash,
            prepared.nonce,
            prepared.raw,
            IntentState.PENDING,
        )

    async def conclude(
        self,
        intent_id: int,
        state: IntentState,
        *,
        block_number: int = 0,
        gas_used: int = 0,
        text: str = "",
    ) -> None:
        """Writes what became of a transaction."""
        query = (
            update(schema.intents)
            .where(schema.intents.c.intent_id == intent_id)
            .values(state=state, block_number=block_number, gas_used=gas_used, text=text)
        )
        async with self._database.begin() as connection:
            await connection.execute(query)

    async def intents(
        self,
        case_id: bytes | None = None,
        *,
        state: IntentState | None = None,
        kind: IntentKind | None = None,
    ) -> list[Intent]:
        """Transactions in the order of their nonces, of one case or all."""
        table = schema.intents.c
        query = select(schema.intents).order_by(table.nonce, table.intent_id)
        if case_id is not None:
            query = query.where(table.case_id == case_id)
        if state is not None:
            query = query.where(table.state == state)
        if kind is not None:
            query = query.where(table.kind == kind)
        async with self._database.connect() as connection:
            return [
                Intent(
                    row.intent_id,
                    IntentKind(row.kind),
                    row.case_id,
                    row.tx_hash,
                    row.nonce,
                    row.raw,
                    IntentState(row.state),
                )
                for row in await connection.execute(query)
            ]
