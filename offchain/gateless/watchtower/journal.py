"""The watchtower's journal: a restart goes on where it stopped, and no claim gets a second bond.

Each method is one transaction. Nothing is sent to the chain before it is written here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from eth_utils.crypto import keccak
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateless import migrations
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.db import DatabaseUrl, upsert
from gateless.core.errors import GatelessError
from gateless.core.receipts import SignedReceipt
from gateless.daemon.journals import (
    REMEMBERED_BLOCKS,
    Position,
    forget_above,
    open_journal,
    read_positions,
    require_writable,
    write_position,
)
from gateless.watchtower import schema
from gateless.watchtower.cases import (
    AT_RISK,
    FINAL,
    TRANSITIONS,
    Case,
    CaseKind,
    CaseState,
    NewCase,
)
from gateless.watchtower.court_events import CourtBook
from gateless.watchtower.journal_intents import CaseIntents

#: What uses the journal's database alone.
OWNER = "the watchtower's journal"

_AMOUNTS = ("bond", "reward", "lost")
#: How long a case that is over stays: longer than any pool is locked.
_KEPT_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class AskedInput:
    """An input that came with a request to the lazy market."""

    request_id: bytes
    packed_input: bytes
    block: int
    useless_at: int


class Journal(CaseIntents):
    """One watchtower's journal. Made by :meth:`open`."""

    @classmethod
    async def open(
        cls,
        url: DatabaseUrl | Path,
        *,
        chain_id: int,
        court: str,
        account: str,
        clock: Clock | None = None,
        alone: bool = False,
    ) -> Self:
        """Opens or makes a journal.

        Args:
            url: its database.
            chain_id: chain that it is for.
            court: court that it is for.
            account: watchtower's account.
            clock: for the times in it.
            alone: whether nobody else may open it alone too: for those who send.

        Raises:
            ConfigError: ``already-running``, ``journal-of-another``, ``journal-unreadable``,
                ``database-newer``, ``database-refused``.
            DatabaseError: ``database-unreachable``, ``database-full``, ``database-busy``.
        """
        identity = {
            "chain_id": str(chain_id),
            "court": court.lower(),
            "account": account.lower(),
        }
        database = await open_journal(
            url,
            schema.meta,
            identity,
            migrations=migrations.WATCHTOWER,
            owner=OWNER if alone else None,
        )
        return cls(database, clock or SystemClock())

    async def close(self) -> None:
        """Closes the database."""
        await self._database.close()

    @property
    def court(self) -> CourtBook:
        """What was read of the court, in the same database."""
        return CourtBook(self._database)

    # --- positions on the chain ---

    async def positions(self, limit: int = REMEMBERED_BLOCKS) -> list[Position]:
        """The last blocks that were read, the cursor first."""
        async with self._database.connect() as connection:
            return await read_positions(connection, schema.blocks, limit)

    async def advance(
        self, found: Iterable[NewCase], position: Position, inputs: Iterable[AskedInput] = ()
    ) -> list[bytes]:
        """Adds cases and inputs, and moves the cursor: all or nothing; returns the new ids."""
        async with self._database.begin() as connection:
            for asked in inputs:
                values = dataclasses.asdict(asked)
                await connection.execute(
                    upsert(connection, schema.inputs).values(values).on_conflict_do_nothing()
                )
            added = [entry.case_id for entry in found if await self._add(connection, entry)]
            await write_position(connection, schema.blocks, position)
        return added

    async def rewind(self, ancestor: int) -> None:
        """Forgets what was read above a block that is still part of the chain.

        Cases without a bond at risk go, and come back when the new branch is read. Those with one
        are compared with the chain anyway.
        """
        table = schema.cases.c
        async with self._database.begin() as connection:
            await forget_above(connection, schema.blocks, ancestor)
            await connection.execute(schema.inputs.delete().where(schema.inputs.c.block > ancestor))
            await connection.execute(
                schema.cases.delete().where(
                    table.block > ancestor, table.state.not_in(list(AT_RISK))
                )
            )

    # --- cases ---

    async def take(self, entry: NewCase) -> bool:
        """Adds what was handed over; whether it was new, or told more than was known.

        What is known already is never started again: it gains the input or output that it lacked.
        """
        async with self._database.begin() as connection:
            if await self._add(connection, entry):
                return True
            table = schema.cases.c
            more = [
                table[name].is_(None)
                for name in ("packed_input", "packed_output")
                if getattr(entry, name) is not None
            ]
            if not more:
                return False
            query = (
                update(schema.cases)
                .where(
                    table.case_id == entry.case_id,
                    or_(*more),
                    table.state.in_([CaseState.NEW, CaseState.UNDECIDED]),
                )
                .values(
                    packed_input=func.coalesce(table.packed_input, entry.packed_input),
                    packed_output=func.coalesce(table.packed_output, entry.packed_output),
                    state=CaseState.NEW,
                    reason="",
                    text="",
                )
            )
            return bool((await connection.execute(query)).rowcount)

    async def take_slot(self, signed: SignedReceipt, case_id: bytes) -> bytes:
        """Remembers which receipt was seen for a slot first; returns that one's case."""
        receipt = signed.receipt
        place = {
            "court": signed.court.address,
            "executor": receipt.executor,
            "epoch": receipt.epoch,
            "slot": receipt.slot,
        }
        table = schema.slots
        async with self._database.begin() as connection:
            await connection.execute(
                upsert(connection, table).values(**place, case_id=case_id).on_conflict_do_nothing()
            )
            query = select(table.c.case_id).where(
                *(table.c[name] == value for name, value in place.items())
            )
            return bytes((await connection.execute(query)).scalar_one())

    async def get(self, case_id: bytes) -> Case:
        """A case.

        Raises:
            LookupError: it was never seen.
        """
        query = select(schema.cases).where(schema.cases.c.case_id == case_id)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise LookupError(f"case 0x{case_id.hex()} is not in the journal")
        return _case_of(row._mapping)

    async def find(self, states: Collection[CaseState], *, limit: int | None = None) -> list[Case]:
        """Cases in some states, the most urgent first."""
        table = schema.cases.c
        query = (
            select(schema.cases)
            .where(table.state.in_(list(states)))
            .order_by(table.expires, table.case_id)
            .limit(limit)
        )
        async with self._database.connect() as connection:
            return [_case_of(row._mapping) for row in await connection.execute(query)]

    async def move(
        self, case_id: bytes, to: CaseState, *, reason: str = "", text: str = "", **facts: Any
    ) -> Case:
        """Moves a case on, as :data:`~gateless.watchtower.cases.TRANSITIONS` allows.

        Raises:
            GatelessError: ``forbidden-transition``: a defect, nothing was written.
            LookupError: it is not in the journal.
        """
        present = (await self.get(case_id)).state
        if to not in TRANSITIONS[present]:
            raise GatelessError(
                "forbidden-transition",
                f"case 0x{case_id.hex()} cannot go from {present} to {to}",
                hint="this is a defect of the watchtower; please report it with the log",
            )
        values = {"state": to, "reason": reason, "text": text, "updated_at": self._clock.now()}
        table = schema.cases.c
        query = (
            update(schema.cases)
            .where(table.case_id == case_id, table.state == present)
            .values(**values, **_columns(facts))
        )
        async with self._database.begin() as connection:
            if not (await connection.execute(query)).rowcount:
                raise LookupError(f"case 0x{case_id.hex()} changed meanwhile")
        return await self.get(case_id)

    async def note(self, case_id: bytes, reason: str = "", text: str = "", **facts: Any) -> None:
        """Writes why a case does not move on, or facts, without changing its state."""
        query = (
            update(schema.cases)
            .where(schema.cases.c.case_id == case_id)
            .values(reason=reason, text=text, updated_at=self._clock.now(), **_columns(facts))
        )
        async with self._database.begin() as connection:
            await connection.execute(query)

    async def give_input(self, case_id: bytes, packed_input: bytes) -> bool:
        """Adds the input that a case lacked; it is judged anew. Whether it lacked one."""
        table = schema.cases.c
        query = (
            update(schema.cases)
            .where(
                table.case_id == case_id,
                table.packed_input.is_(None),
                table.state.in_([CaseState.NEW, CaseState.UNDECIDED]),
            )
            .values(packed_input=packed_input, state=CaseState.NEW, reason="", text="")
        )
        async with self._database.begin() as connection:
            return bool((await connection.execute(query)).rowcount)

    async def asked_input(self, request_id: bytes) -> bytes | None:
        """The input that came with a request to the lazy market; None where none did."""
        query = select(schema.inputs.c.packed_input).where(schema.inputs.c.request_id == request_id)
        async with self._database.connect() as connection:
            found = (await connection.execute(query)).scalar_one_or_none()
        return None if found is None else bytes(found)

    async def tidy(self, now: int) -> None:
        """Removes what would only fill the disk.

        Inputs and outputs go when their case is over, cases that cost and brought nothing when
        their pool is long released: until then they are evidence of slots used twice.
        """
        table = schema.cases.c
        kept = or_(table.packed_input.is_not(None), table.packed_output.is_not(None))
        emptied = (
            update(schema.cases)
            .where(table.state.in_(list(FINAL)), kept)
            .values(packed_input=None, packed_output=None)
        )
        old = select(table.case_id).where(
            table.state.in_([CaseState.RIGHT, CaseState.LEFT]),
            table.expires < now - _KEPT_SECONDS,
        )
        async with self._database.begin() as connection:
            await connection.execute(emptied)
            await connection.execute(schema.slots.delete().where(schema.slots.c.case_id.in_(old)))
            await connection.execute(schema.cases.delete().where(table.case_id.in_(old)))
            await connection.execute(schema.inputs.delete().where(schema.inputs.c.useless_at < now))

    async def counts(self) -> dict[CaseState, int]:
        """How many cases are in each state."""
        query = select(schema.cases.c.state, func.count()).group_by(schema.cases.c.state)
        async with self._database.connect() as connection:
            return {CaseState(state): count for state, count in await connection.execute(query)}

    async def at_risk(self) -> int:
        """Bonds that are, or may be, at the contracts now."""
        query = select(schema.cases.c.bond).where(schema.cases.c.state.in_(list(AT_RISK)))
        async with self._database.connect() as connection:
            return sum(int(bond) for (bond,) in await connection.execute(query))

    async def booked(self) -> tuple[int, int]:
        """Rewards and lost bonds of the cases that are kept."""
        query = select(schema.cases.c.reward, schema.cases.c.lost)
        async with self._database.connect() as connection:
            rows = (await connection.execute(query)).all()
        return sum(int(row.reward) for row in rows), sum(int(row.lost) for row in rows)

    async def require_writable(self) -> None:
        """Shows whether anything can be written now.

        Raises:
            GatelessError: it cannot.
        """
        await require_writable(self._database, schema.meta)

    async def _add(self, connection: AsyncConnection, entry: NewCase) -> bool:
        """Adds a case; whether it is new.

        After a reorganisation the same request may have another answer. What was known gives way,
        unless a bond is at risk for it: then it comes to its own end, beside the new one.
        """
        if await self._insert(connection, entry):
            return True
        if not entry.block:
            return False
        table = schema.cases.c
        query = select(table.document, table.state).where(table.case_id == entry.case_id)
        known = (await connection.execute(query)).one()
        if known.document == entry.document:
            return False
        if known.state in AT_RISK:
            beside = bytes(keccak(entry.case_id + entry.document.encode()))
            return await self._insert(connection, dataclasses.replace(entry, case_id=beside))
        await connection.execute(schema.cases.delete().where(table.case_id == entry.case_id))
        return await self._insert(connection, entry)

    async def _insert(self, connection: AsyncConnection, entry: NewCase) -> bool:
        values = dataclasses.asdict(entry) | {
            "state": CaseState.NEW,
            "updated_at": self._clock.now(),
        }
        query = upsert(connection, schema.cases).values(values).on_conflict_do_nothing()
        return bool((await connection.execute(query)).rowcount)


def _columns(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: str(value) if key in _AMOUNTS else value for key, value in facts.items()}


def _case_of(row: Mapping[Any, Any]) -> Case:
    values = dict(row)
    return Case(
        **values
        | {name: int(values[name]) for name in _AMOUNTS}
        | {"kind": CaseKind(values["kind"]), "state": CaseState(values["state"])}
    )
