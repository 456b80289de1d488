"""The journal: what this executor promised and did, so that a restart goes on where it stopped.

Each method is one transaction. Nothing is sent to the chain before it is written here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateless import migrations
from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.db import DatabaseUrl, upsert
from gateless.core.errors import GatelessError
from gateless.daemon.intents import IntentLog, IntentTables
from gateless.daemon.journals import (
    REMEMBERED_BLOCKS,
    Position,
    forget_above,
    open_journal,
    read_positions,
    require_writable,
    write_position,
)
from gateless.daemon.transactions import IntentState
from gateless.executor import schema
from gateless.executor.journal_batches import BatchBook
from gateless.executor.journal_claims import NO_NEWS, ClaimBook, CourtNews
from gateless.executor.journal_halts import HaltBook
from gateless.executor.journal_lazy import LazyBook
from gateless.executor.journal_locks import LockBook, intents_locking
from gateless.executor.journal_offers import OfferBook
from gateless.executor.journal_receipts import ReceiptBook
from gateless.executor.journal_rows import (
    column_values,
    displace,
    intent_of,
    unknown_request,
    work_of,
)
from gateless.executor.journal_timings import TimingBook
from gateless.executor.quorum_journal import QuorumBook
from gateless.executor.states import (
    FINAL,
    GAVE_WAY,
    LOCKED_BY_ANOTHER,
    TRANSITIONS,
    Finding,
    WorkState,
)
from gateless.executor.work import NO_BLOCK, Intent, IntentKind, NewWork, Work

#: What uses the journal's database alone.
OWNER = "the executor's journal"

_ENDED_UNPAID = tuple(entry for entry in FINAL if entry is not WorkState.FULFILLED)


class Journal(
    IntentLog,
    BatchBook,
    LockBook,
    ReceiptBook,
    ClaimBook,
    OfferBook,
    LazyBook,
    HaltBook,
    TimingBook,
):
    """One executor's journal. Made by :meth:`open`."""

    intent_tables = IntentTables(schema.intents, schema.attempts)

    @classmethod
    async def open(
        cls,
        url: DatabaseUrl | Path,
        *,
        chain_id: int,
        market: str,
        account: str,
        clock: Clock | None = None,
        alone: bool = False,
    ) -> Self:
        """Opens or makes a journal.

        Args:
            url: its database.
            chain_id: chain that it is for.
            market: market contract that it is for.
            account: executor that it is for.
            clock: for the times in it.
            alone: whether nobody else may open it alone too: for those who send.

        Raises:
            ConfigError: ``already-running``, ``journal-of-another``, ``journal-unreadable``,
                ``database-newer``, ``database-refused``.
            DatabaseError: ``database-unreachable``, ``database-full``, ``database-busy``.
        """
        identity = {
            "chain_id": str(chain_id),
            "market": market.lower(),
            "account": account.lower(),
        }
        database = await open_journal(
            url,
            schema.meta,
            identity,
            migrations=migrations.EXECUTOR,
            owner=OWNER if alone else None,
        )
        return cls(database, clock or SystemClock())

    @property
    def quorums(self) -> QuorumBook:
        """Its part about quorums."""
        return QuorumBook(self._database, self._clock)

    async def close(self) -> None:
        """Closes the database."""
        await self._database.close()

    async def require_writable(self) -> None:
        """Shows whether anything can be written now.

        Raises:
            GatelessError: it cannot.
        """
        await require_writable(self._database, schema.meta)

    # --- positions on the chain ---

    async def cursor(self) -> Position | None:
        """The last block that was read; None before the first."""
        found = await self.positions(1)
        return found[0] if found else None

    async def positions(self, limit: int = REMEMBERED_BLOCKS) -> list[Position]:
        """The last blocks that were read, the cursor first."""
        async with self._database.connect() as connection:
            return await read_positions(connection, schema.blocks, limit)

    async def advance(
        self, found: Iterable[NewWork], position: Position, news: CourtNews = NO_NEWS
    ) -> list[int]:
        """Adds requests and news of the court and moves the cursor, all or nothing; returns the
        ids of requests that were new.

        After a reorganisation, or on a development chain that was started anew, a number that is
        known may be another request's now. What was remembered for that number gives way.
        """
        added: list[int] = []
        async with self._database.begin() as connection:
            for entry in found:
                await displace(connection, entry)
                values = dataclasses.asdict(entry) | {
                    "mode": int(entry.mode),
                    "price": str(entry.price),
                    "collateral": str(entry.collateral),
                    "state": WorkState.SEEN,
                    "updated_at": self._clock.now(),
                }
                query = upsert(connection, schema.work).values(values).on_conflict_do_nothing()
                if (await connection.execute(query)).rowcount:
                    added.append(entry.request_id)
            await self.keep_news(connection, news)
            await self.keep_lazy_events(connection, news.lazy, news.me)
            await write_position(connection, schema.blocks, position)
        return added

    async def rewind(self, ancestor: int) -> None:
        """Forgets what was read above a block that is still part of the chain.

        Requests made above it are forgotten unless something was promised for them; they come back
        when the new branch is read. Of the others no block is known until then, if ever: everything
        else is for the reconciliation with the chain.
        """
        table = schema.work.c
        forgettable = (WorkState.SEEN, WorkState.CHECKED, *_ENDED_UNPAID)
        async with self._database.begin() as connection:
            await forget_above(connection, schema.blocks, ancestor)
            await connection.execute(
                delete(schema.work).where(
                    table.created_block > ancestor,
                    table.state.in_(forgettable),
                    table.offer.is_(None),
                )
            )
            # What was handed in signed needs no block to be there.
            await connection.execute(
                update(schema.work)
                .where(table.created_block > ancestor, table.offer.is_not(None))
                .values(created_block=0)
            )
            await connection.execute(
                update(schema.work)
                .where(table.created_block > ancestor, table.offer.is_(None))
                .values(created_block=NO_BLOCK)
            )
            await self.forget_claims(connection, ancestor)
            await self.forget_lazy(connection, ancestor)

    # --- work ---

    async def get(self, request_id: int) -> Work:
        """The work on a request.

        Raises:
            LookupError: it was never seen.
        """
        query = select(schema.work).where(schema.work.c.request_id == request_id)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise unknown_request(request_id)
        return work_of(row._mapping)

    async def find(self, states: Collection[WorkState]) -> list[Work]:
        """All work in some states, the most urgent first."""
        table = schema.work.c
        query = (
            select(schema.work)
            .where(table.state.in_(list(states)))
            .order_by(table.deadline, table.request_id)
        )
        async with self._database.connect() as connection:
            return [work_of(row._mapping) for row in await connection.execute(query)]

    async def move(
        self, request_id: int, to: WorkState, *, reason: str = "", text: str = "", **facts: Any
    ) -> Work:
        """Moves work one step on, as :data:`~gateless.executor.states.TRANSITIONS` allows.

        Args:
            request_id: the request.
            to: the new state.
            reason: code of why, for ends and set-backs.
            text: the same in words.
            **facts: columns to write along, such as ``proof``.

        Raises:
            GatelessError: ``forbidden-transition``: a defect, nothing was written.
            LookupError: the request is not (or no longer) in the journal.
        """
        async with self._database.begin() as connection:
            table = schema.work.c
            query = select(table.state).where(table.request_id == request_id)
            stored = (await connection.execute(query)).scalar_one_or_none()
            if stored is None:
                raise unknown_request(request_id)
            present = WorkState(stored)
            if to not in TRANSITIONS[present]:
                raise GatelessError(
                    "forbidden-transition",
                    f"request {request_id} cannot go from {present} to {to}",
                    hint="this is a defect of the executor; please report it with the log",
                    request_id=request_id,
                )
            await self._write(connection, request_id, Finding(to, reason, text), facts)
        return await self.get(request_id)

    async def settle(self, request_id: int, finding: Finding, **facts: Any) -> Work:
        """Sets what reconciliation with the chain found, wherever the work stood."""
        async with self._database.begin() as connection:
            await self._write(connection, request_id, finding, facts)
        return await self.get(request_id)

    async def note(self, request_id: int, reason: str = "", text: str = "", **facts: Any) -> None:
        """Writes why work does not move on, or facts, without changing its state."""
        async with self._database.begin() as connection:
            await connection.execute(
                update(schema.work)
                .where(schema.work.c.request_id == request_id)
                .values(
                    reason=reason, text=text, updated_at=self._clock.now(), **column_values(facts)
                )
            )

    async def reconsider(self, states: Collection[WorkState], now: int) -> int:
        """Looks again at ended work whose request may still be open; returns how many."""
        table = schema.work.c
        query = (
            update(schema.work)
            .where(table.state.in_(list(states)), table.deadline >= now, table.reason != GAVE_WAY)
            .values(state=WorkState.SEEN, reason="", text="", updated_at=self._clock.now())
        )
        async with self._database.begin() as connection:
            return int((await connection.execute(query)).rowcount)

    async def reconsider_missed(self, now: int) -> int:
        """Looks again at requests that others locked and did not fulfil in time."""
        table = schema.work.c
        query = (
            update(schema.work)
            .where(
                table.state == WorkState.LOST,
                table.reason == LOCKED_BY_ANOTHER,
                table.lock_deadline < now,
                table.deadline >= now,
            )
            .values(state=WorkState.SEEN, reason="", text="", updated_at=self._clock.now())
        )
        async with self._database.begin() as connection:
            return int((await connection.execute(query)).rowcount)

    async def counts(self) -> dict[WorkState, int]:
        """How much work is in each state."""
        query = select(schema.work.c.state, func.count()).group_by(schema.work.c.state)
        async with self._database.connect() as connection:
            return {WorkState(state): count for state, count in await connection.execute(query)}

    async def earned(self) -> int:
        """Sum of all fees paid for fulfilled requests."""
        query = select(schema.work.c.fee).where(schema.work.c.state == WorkState.FULFILLED)
        async with self._database.connect() as connection:
            return sum(int(fee) for (fee,) in await connection.execute(query))

    # --- intents ---

    async def intend(
        self,
        kind: IntentKind,
        prepared: PreparedTx,
        request_id: int | None = None,
        *,
        batch_id: int | None = None,
        request_ids: Iterable[int] = (),
    ) -> Intent:
        """Writes what is to be done, and the transaction signed for it, down before it is sent.

        Args:
            kind: what it does.
            prepared: its first attempt.
            request_id: the request that it is about, if it is one.
            batch_id: the batch that it answers.
            request_ids: requests that it locks together.
        """
        intent_id = await self._intend(
            prepared,
            {"kind": kind, "request_id": request_id, "batch_id": batch_id},
            lambda connection, number: self.keep_locked_together(connection, number, request_ids),
        )
        return Intent(
            intent_id=intent_id,
            kind=kind,
            request_id=request_id,
            batch_id=batch_id,
            attempts=(dataclasses.replace(prepared, label=kind.value),),
        )

    async def intents(
        self,
        request_id: int | None = None,
        *,
        state: IntentState | None = None,
        mined_since: int | None = None,
    ) -> list[Intent]:
        """Intents in the order of their nonces.

        Args:
            request_id: of one request, alone or shared; None for all.
            state: in one state alone.
            mined_since: only those that were mined in this block or later.
        """
        table, conditions = schema.intents.c, []
        if request_id is not None:
            shared = select(schema.work.c.batch_id).where(schema.work.c.request_id == request_id)
            conditions.append(
                or_(
                    table.request_id == request_id,
                    table.batch_id == shared.scalar_subquery(),
                    table.intent_id.in_(intents_locking(request_id)),
                )
            )
        if state is not None:
            conditions.append(table.state == state)
        if mined_since is not None:
            conditions.append(table.block_number >= max(1, mined_since))
        return [intent_of(*found) for found in await self._find_intents(*conditions)]

    async def mined_in(self, first: int, last: int) -> list[Intent]:
        """Intents that were mined in some blocks, as their receipts said."""
        table = schema.intents.c
        found = await self._find_intents(
            table.state == IntentState.MINED, table.block_number.between(first, last)
        )
        return [intent_of(*entry) for entry in found]

    async def _write(
        self,
        connection: AsyncConnection,
        request_id: int,
        finding: Finding,
        facts: Mapping[str, Any],
    ) -> None:
        values = column_values(facts) | {
            "state": finding.state,
            "reason": finding.reason,
            "text": finding.text,
            "updated_at": self._clock.now(),
        }
        if finding.state in _ENDED_UNPAID:
            # Nothing will be sent for it any more; inputs and proofs would only fill the disk.
            values |= {"packed_input": None, "packed_output": None, "proof": None}
        await connection.execute(
            update(schema.work).where(schema.work.c.request_id == request_id).values(values)
        )
