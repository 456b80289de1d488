"""The journal's part about lazy requests."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from sqlalchemy import Select, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.ext.asyncio import AsyncConnection

from gateless.adapters.db import Database, upsert
from gateless.core.lazy import LazyClaim, LazyLock, LazyRequest
from gateless.core.types import Event
from gateless.daemon.journals import read_positions
from gateless.executor import schema
from gateless.executor.lazy.states import (
    DRAWN_WITHIN,
    ENDED,
    UNCOMMITTED,
    LazyWork,
    LazyWorkState,
    after_event,
    may_be_drawn,
    new_lazy_work,
    undone,
)
from gateless.executor.states import LOCKED_BY_ANOTHER

#: Blocks after which nobody reckons with a fork.
SETTLED_BLOCKS = 256
#: Events whose requests are held in memory together, inputs and all.
_EVENTS_AT_ONCE = 64

_LIGHT = [
    column for column in schema.lazy_work.c if column.name not in ("packed_input", "packed_output")
]

# Statements take longer to put together than to run.
_BY_ID = select(schema.lazy_work).where(
    schema.lazy_work.c.request_id == bindparam("of_request"),
)
_MOVE = (
    update(schema.lazy_work)
    .where(
        schema.lazy_work.c.request_id == bindparam("of_request"),
        schema.lazy_work.c.state.in_(bindparam("from_states", expanding=True)),
    )
    .returning(schema.lazy_work)
)

_Struct = TypeVar("_Struct", LazyRequest, LazyLock, LazyClaim)


class LazyBook:
    """Lazy requests, in the journal's database."""

    _database: Database

    async def keep_lazy_events(
        self, connection: AsyncConnection, events: Sequence[Event], me: str
    ) -> None:
        """Takes over what some blocks did, in the transaction that moves the cursor."""
        for start in range(0, len(events), _EVENTS_AT_ONCE):
            await _keep(connection, events[start : start + _EVENTS_AT_ONCE], me)

    async def keep_lazy_receipt(self, events: Sequence[Event], me: str) -> dict[int, LazyWork]:
        """Takes over what an own transaction did, before its block is read.

        A receipt may come late: after its block was read, or after the receipt of something that
        happened to the request since. What it tells then is known, or is told in its order when its
        block is read.

        Returns:
            The work that it was about, by request, as it is now.
        """
        async with self._database.begin() as connection:
            positions = await read_positions(connection, schema.blocks, 1)
            read_to = positions[0].number if positions else -1
            return await _keep(connection, events, me, read_to=read_to)

    async def forget_lazy(self, connection: AsyncConnection, ancestor: int) -> None:
        """Takes back what blocks did that are undone."""
        query = select(schema.lazy_work).where(schema.lazy_work.c.changed_block > ancestor)
        for row in (await connection.execute(query)).all():
            before = _work_of(row._mapping)
            after = undone(before, ancestor)
            if after is None:
                await connection.execute(
                    delete(schema.lazy_work).where(
                        schema.lazy_work.c.request_id == before.request_id
                    )
                )
            else:
                await _write(connection, after)

    async def take_lazy(self, work: LazyWork) -> bool:
        """Adds a signed lazy request; False where it is known."""
        async with self._database.begin() as connection:
            if await _read(connection, work.request_id) is not None:
                return False
            await _write(connection, work)
        return True

    async def lazy(self, request_id: int) -> LazyWork:
        """The work on a lazy request.

        Raises:
            LookupError: it was never seen.
        """
        async with self._database.connect() as connection:
            found = await _read(connection, request_id)
        if found is None:
            raise LookupError(f"lazy request {request_id} is not in the journal")
        return found

    async def lazy_among(self, request_ids: Collection[int]) -> list[LazyWork]:
        """The work on some lazy requests, as far as it is known, in the order of the journal."""
        query = select(schema.lazy_work).where(schema.lazy_work.c.request_id.in_(request_ids))
        async with self._database.connect() as connection:
            return [_work_of(row._mapping) for row in await connection.execute(query)]

    async def find_lazy(self, states: Collection[LazyWorkState]) -> list[LazyWork]:
        """All lazy work in some states, the most urgent first."""
        return await self._lazy_in(states, select(schema.lazy_work))

    async def list_lazy(
        self, states: Collection[LazyWorkState], *, signed: bool = False
    ) -> list[LazyWork]:
        """The same without inputs and outputs, which may be many megabytes.

        Args:
            states: those that are looked for.
            signed: leaves out what was sent on chain.
        """
        query = select(*_LIGHT)
        if signed:
            query = query.where(schema.lazy_work.c.signature.is_not(None))
        return await self._lazy_in(states, query)

    async def list_drawable(self, head: int) -> list[LazyWork]:
        """What is locked or answered and may be drawn by lot, without inputs and outputs.

        Args:
            head: the block that is next, or an earlier one.
        """
        table = schema.lazy_work.c
        # No later than it changed was it answered: what a lot can fall on no more is not read.
        query = select(*_LIGHT).where(
            table.audit_bps > 0,
            or_(table.state != LazyWorkState.ANSWERED, table.changed_block >= head - DRAWN_WITHIN),
        )
        found = await self._lazy_in([LazyWorkState.LOCKED, LazyWorkState.ANSWERED], query)
        return [work for work in found if may_be_drawn(work, head)]

    async def _lazy_in(
        self, states: Collection[LazyWorkState], query: Select[Any]
    ) -> list[LazyWork]:
        table = schema.lazy_work.c
        chosen = query.where(table.state.in_(list(states))).order_by(
            table.deadline, table.request_id
        )
        async with self._database.connect() as connection:
            return [_work_of(row._mapping) for row in await connection.execute(chosen)]

    async def move_lazy(
        self,
        request_id: int,
        state: LazyWorkState,
        *,
        only_from: Collection[LazyWorkState] = UNCOMMITTED,
        **facts: Any,
    ) -> LazyWork:
        """Moves lazy work on, unless the chain has moved it on meanwhile."""
        values = {"state": state, "reason": "", "text": ""} | facts
        if state in ENDED - {LazyWorkState.FAILED, LazyWorkState.FINAL}:
            values |= {"packed_input": None, "packed_output": None}
        values |= {"of_request": request_id, "from_states": list(only_from)}
        async with self._database.begin() as connection:
            row = (await connection.execute(_MOVE, values)).one_or_none()
            work = (
                _work_of(row._mapping) if row is not None else await _read(connection, request_id)
            )
        if work is None:
            raise LookupError(f"lazy request {request_id} is not in the journal")
        return work

    async def reconsider_missed_lazy(self, now: int) -> int:
        """Looks again at what others locked and did not answer in time; returns how much.

        Args:
            now: timestamp of the head.
        """
        table = schema.lazy_work.c
        query = select(schema.lazy_work).where(
            table.state == LazyWorkState.LOST,
            table.reason == LOCKED_BY_ANOTHER,
            table.deadline >= now,
        )
        async with self._database.begin() as connection:
            rows = (await connection.execute(query)).all()
            missed = [work for work in (_work_of(row._mapping) for row in rows) if work.missed(now)]
            for work in missed:
                await _write(
                    connection, replace(work, state=LazyWorkState.SEEN, reason="", text="")
                )
        return len(missed)

    async def note_lazy(self, request_id: int, reason: str, text: str) -> None:
        """Writes why lazy work does not move on."""
        async with self._database.begin() as connection:
            before = await _read(connection, request_id)
            if before is not None:
                await _write(connection, replace(before, reason=reason, text=text))

    async def drop_settled_lazy(self, head: int) -> None:
        """Frees the room of inputs and outputs of requests that no fork can bring back."""
        table = schema.lazy_work.c
        query = (
            update(schema.lazy_work)
            .where(
                table.state == LazyWorkState.FINAL,
                table.changed_block < head - SETTLED_BLOCKS,
                table.packed_input.is_not(None),
            )
            .values(packed_input=None, packed_output=None)
        )
        async with self._database.begin() as connection:
            await connection.execute(query)

    async def lazy_counts(self) -> dict[LazyWorkState, int]:
        """How much lazy work is in each state."""
        table = schema.lazy_work.c
        query = select(table.state, func.count()).group_by(table.state)
        async with self._database.connect() as connection:
            rows = await connection.execute(query)
            return {LazyWorkState(state): count for state, count in rows}

    async def lazy_earned(self) -> int:
        """Sum of all fees paid for lazy requests."""
        query = select(schema.lazy_work.c.fee).where(
            schema.lazy_work.c.state == LazyWorkState.FINAL
        )
        async with self._database.connect() as connection:
            return sum(int(fee) for (fee,) in await connection.execute(query))


def subject_of(claim: LazyClaim) -> bytes:
    """What one proof settles, as the name that kept proofs go by."""
    return bytes(keccak(encode(["uint64", "bytes32", "bytes32"], list(claim.subject))))


@cache
def _upsert(dialect: str) -> Insert:
    statement = upsert(dialect, schema.lazy_work)
    columns = {column.name: statement.excluded[column.name] for column in schema.lazy_work.c}
    return statement.on_conflict_do_update(index_elements=["request_id"], set_=columns)


async def _keep(
    connection: AsyncConnection, events: Sequence[Event], me: str, *, read_to: int | None = None
) -> dict[int, LazyWork]:
    """Takes events over; returns what they are about, by request.

    Args:
        connection: of the transaction.
        events: in the order of the chain.
        me: this executor's address.
        read_to: the last block that was read, where they are a receipt's; None where they are those
            of the block that is read.

    Most of what blocks tell is known from the receipts of own transactions: what changes nothing is
    not written again.
    """
    ids = {int(event.args["requestId"]) for event in events}
    query = select(schema.lazy_work).where(schema.lazy_work.c.request_id.in_(ids))
    rows = (await connection.execute(query)).all()
    before = {work.request_id: work for work in (_work_of(row._mapping) for row in rows)}
    after = dict(before)
    for event in events:
        request_id = int(event.args["requestId"])
        work = after.get(request_id)
        if work is not None:
            block = event.block_number
            if read_to is None or block > max(read_to, work.changed_block - 1):
                after[request_id] = after_event(work, event, me)
        elif event.name == "Requested":
            after[request_id] = new_lazy_work(event)
    for request_id, work in after.items():
        if work != before.get(request_id):
            await _write(connection, work)
    return after


async def _read(connection: AsyncConnection, request_id: int) -> LazyWork | None:
    row = (await connection.execute(_BY_ID, {"of_request": request_id})).one_or_none()
    return None if row is None else _work_of(row._mapping)


async def _write(connection: AsyncConnection, work: LazyWork) -> None:
    values = {
        "request_id": work.request_id,
        "request": _dump(work.request),
        "audit_bps": work.request.audit_bps,
        "signature": work.signature,
        "state": work.state,
        "reason": work.reason,
        "text": work.text,
        "packed_input": work.packed_input,
        "packed_output": work.packed_output,
        "lock": _kept(work.lock),
        "rival": _kept(work.rival),
        "claim": _kept(work.claim),
        "dispute_deadline": work.dispute_deadline,
        "fee": str(work.fee),
        "created_block": work.created_block,
        "changed_block": work.changed_block,
        "deadline": work.request.deadline,
    }
    await connection.execute(_upsert(connection.dialect.name), values)


def _work_of(row: Mapping[Any, Any]) -> LazyWork:
    values = dict(row)
    del values["deadline"], values["audit_bps"]
    return LazyWork(
        **values
        | {
            "request": _load(LazyRequest, values["request"]),
            "state": LazyWorkState(values["state"]),
            "fee": int(values["fee"]),
            "lock": _of_kept(LazyLock, values["lock"]),
            "rival": _of_kept(LazyLock, values["rival"]),
            "claim": _of_kept(LazyClaim, values["claim"]),
        }
    )


def _kept(struct: LazyLock | LazyClaim | None) -> str | None:
    return None if struct is None else _dump(struct)


def _of_kept(kind: type[_Struct], text: str | None) -> _Struct | None:
    return None if text is None else _load(kind, text)


def _dump(struct: LazyRequest | LazyLock | LazyClaim) -> str:
    return json.dumps(
        {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in struct.struct().items()
        }
    )


def _load(kind: type[_Struct], text: str) -> _Struct:
    data = json.loads(text)
    return kind.of_struct(
        {
            name: bytes.fromhex(data[name]) if type_ == "bytes32" else data[name]
            for name, type_ in kind.MEMBERS
        }
    )
