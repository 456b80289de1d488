"""The journal's part about transactions: each is written down before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateless.adapters.chain.prepared import PreparedTx
from gateless.daemon.intents import IntentLog, IntentTables, KeptIntent, kept_facts
from gateless.daemon.transactions import IntentState
from gateless.watchtower import schema
from gateless.watchtower.cases import IntentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent(KeptIntent):
    """What was journaled before it was sent: for a case or for none."""

    kind: IntentKind
    case_id: bytes | None = None

    @property
    def label(self) -> str:
        """What it is for."""
        return self.kind.value

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the log says about it."""
        return {} if self.case_id is None else {"case": f"0x{self.case_id.hex()}"}


class CaseIntents(IntentLog):
    """Intents for cases, in the journal's database."""

    intent_tables = IntentTables(schema.intents, schema.attempts)

    async def intend(
        self, kind: IntentKind, prepared: PreparedTx, case_id: bytes | None = None
    ) -> Intent:
        """Writes what is to be done, and the transaction signed for it, down before it is sent."""
        intent_id = await self._intend(prepared, {"kind": kind, "case_id": case_id})
        named = replace(prepared, label=kind.value)
        return Intent(intent_id=intent_id, kind=kind, case_id=case_id, attempts=(named,))

    async def intents(
        self,
        case_id: bytes | None = None,
        *,
        state: IntentState | None = None,
        kind: IntentKind | None = None,
    ) -> list[Intent]:
        """Intents in the order of their nonces, of one case or all."""
        table, conditions = schema.intents.c, []
        if case_id is not None:
            conditions.append(table.case_id == case_id)
        if state is not None:
            conditions.append(table.state == state)
        if kind is not None:
            conditions.append(table.kind == kind)
        return [
            Intent(
                kind=IntentKind(row["kind"]), case_id=row["case_id"], **kept_facts(row, attempts)
            )
            for row, attempts in await self._find_intents(*conditions)
        ]
