"""The journal's part about quorums: what this executor was drawn for, and what it committed to.

A salt and an output are written here before anything that rests on them is sent, and are never
written again: without its salt a commitment cannot be revealed, and silence costs a bond.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import select, update

from gateless.adapters.clock import Clock
from gateless.adapters.db import Database, upsert
from gateless.core.quorums import QuorumRequest, QuorumRound
from gateless.core.structs import Struct
from gateless.daemon.journals import (
    REMEMBERED_BLOCKS,
    Position,
    forget_above,
    read_positions,
    write_position,
)
from gateless.executor import schema

_S = TypeVar("_S", bound=Struct)
_rounds, _blocks = schema.rounds, schema.quorum_blocks


class Standing(StrEnum):
    """How far this executor got with a request. All but the first two are final.

    ``OPEN``: it may be drawn. ``SEATED``: it was. ``NOT_DRAWN``: others were. ``SETTLED``: a quorum
    agreed. ``REFUNDED``: there was none. ``MISSED``: it held a seat and came too late.
    """

    OPEN = "open"
    SEATED = "seated"
    NOT_DRAWN = "not-drawn"
    SETTLED = "settled"
    REFUNDED = "refunded"
    MISSED = "missed"


ACTIVE = (Standing.OPEN, Standing.SEATED)


@dataclass(frozen=True, slots=True)
class KeptRound:
    """A request to a quorum as journaled.

    Attributes:
        round: who was drawn; None before.
        salt: of the commitment; None before there is one.
        packed_output: what is committed to.
    """

    request_id: int
    request: QuorumRequest
    opened_block: int
    packed_input: bytes
    round: QuorumRound | None
    salt: bytes | None
    packed_output: bytes | None
    standing: Standing
    reason: str
    text: str


class QuorumBook:
    """Quorums, in the journal's database.

    Args:
        database: the journal's.
        clock: for the times in it.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # --- the chain ---

    async def positions(self, limit: int = REMEMBERED_BLOCKS) -> list[Position]:
        """The last blocks that were read, the cursor first."""
        async with self._database.connect() as connection:
            return await read_positions(connection, _blocks, limit)

    async def advance(
        self,
        opened: Mapping[int, tuple[QuorumRequest, int, bytes]],
        drawn: Mapping[int, tuple[QuorumRound, int]],
        position: Position,
    ) -> None:
        """Writes what some blocks told and moves the cursor, all or nothing.

        What a fork told otherwise gives way, but salt and output: the commitment holds the request
        and the account, and neither changes.
        """
        async with self._database.begin() as connection:
            for request_id, (request, block, packed_input) in opened.items():
                facts = {
                    "request": _dump(request),
                    "opened_block": block,
                    "packed_input": packed_input,
                    "standing": Standing.OPEN,
                    "last_block": block,
                    "updated_at": self._clock.now(),
                }
                await connection.execute(
                    upsert(connection, _rounds)
                    .values(request_id=request_id, **facts)
                    .on_conflict_do_update(index_elements=["request_id"], set_=facts)
                )
            for request_id, (held, block) in drawn.items():
                await connection.execute(
                    update(_rounds)
                    .where(_rounds.c.request_id == request_id)
                    .values(round=_dump(held), last_block=block, updated_at=self._clock.now())
                )
            await write_position(connection, _blocks, position)

    async def rewind(self, ancestor: int) -> None:
        """Goes back to a block that is still part of the chain. Draws above it are forgotten, and
        all that is not long over is held against the chain again. No salt is ever forgotten."""
        async with self._database.begin() as connection:
            await forget_above(connection, _blocks, ancestor)
            await connection.execute(
                update(_rounds).where(_rounds.c.last_block > ancestor).values(round=None)
            )
            await connection.execute(
                update(_rounds)
                .where(_rounds.c.last_block > ancestor - REMEMBERED_BLOCKS)
                .values(standing=Standing.OPEN)
            )

    # --- rounds ---

    async def active(self) -> list[KeptRound]:
        """What is not over, the oldest first."""
        query = (
            select(_rounds)
            .where(_rounds.c.standing.in_(list(ACTIVE)))
            .order_by(_rounds.c.opened_block, _rounds.c.request_id)
        )
        async with self._database.connect() as connection:
            return [_kept(row._mapping) for row in await connection.execute(query)]

    async def get(self, request_id: int) -> KeptRound:
        """A request.

        Raises:
            LookupError: it was never seen.
        """
        query = select(_rounds).where(_rounds.c.request_id == request_id)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise LookupError(f"request {request_id:x} is not in the journal")
        return _kept(row._mapping)

    async def move(
        self, request_id: int, standing: Standing, *, reason: str = "", text: str = ""
    ) -> None:
        """Writes down where a request stands, and why."""
        query = (
            update(_rounds)
            .where(_rounds.c.request_id == request_id)
            .values(standing=standing, reason=reason, text=text, updated_at=self._clock.now())
        )
        async with self._database.begin() as connection:
            await connection.execute(query)

    async def keep_answer(self, request_id: int, salt: bytes, packed_output: bytes) -> KeptRound:
        """Writes salt and output down, unless there are some: those stay."""
        query = (
            update(_rounds)
            .where(_rounds.c.request_id == request_id, _rounds.c.salt.is_(None))
            .values(salt=salt, packed_output=packed_output, updated_at=self._clock.now())
        )
        async with self._database.begin() as connection:
            await connection.execute(query)
        return await self.get(request_id)

    async def counts(self) -> dict[Standing, int]:
        """How many requests stand where."""
        found: dict[Standing, int] = {}
        async with self._database.connect() as connection:
            for (standing,) in await connection.execute(select(_rounds.c.standing)):
                found[Standing(standing)] = found.get(Standing(standing), 0) + 1
        return found


def _dump(struct: Struct) -> str:
    values = struct.struct()
    return json.dumps({name: _plain(value) for name, value in values.items()})


def _plain(value: Any) -> Any:
    return "0x" + value.hex() if isinstance(value, bytes) else value


def _load(kind: type[_S], text: str) -> _S:
    values = json.loads(text)
    for name, solidity in kind.MEMBERS:
        if solidity == "bytes32":
            values[name] = bytes.fromhex(values[name][2:])
    return kind.of_struct(values)


def _kept(row: Mapping[Any, Any]) -> KeptRound:
    return KeptRound(
        request_id=row["request_id"],
        request=_load(QuorumRequest, row["request"]),
        opened_block=row["opened_block"],
        packed_input=row["packed_input"],
        round=None if row["round"] is None else _load(QuorumRound, row["round"]),
        salt=row["salt"],
        packed_output=row["packed_output"],
        standing=Standing(row["standing"]),
        reason=row["reason"],
        text=row["text"],
    )
