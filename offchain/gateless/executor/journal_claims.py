"""The journal's part about the court: own pools, challenges of own receipts, and their proofs."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateless.adapters.clock import Clock
from gateless.adapters.db import Database, upsert
from gateless.core.types import Event
from gateless.executor import schema


class ClaimStanding(StrEnum):
    """How far this executor got with a challenge. All but the first are final.

    ``INDEFENSIBLE``: the receipt's output is not the circuit's, so no proof of it exists.
    """

    OPEN = "open"
    PROVEN = "proven"
    LOST = "lost"
    MOOT = "moot"
    INDEFENSIBLE = "indefensible"


@dataclass(frozen=True, slots=True)
class NewClaim:
    """A challenge as the court announced it, with the input that it carries.

    Attributes:
        claim_id: its number at the court.
        subject: what one proof settles.
        version_id: version that the receipt is of.
        input_binding: what the proof must be tied to.
        output_digest: of the output that must be proven.
        packed_input: as the challenge carried it.
        epoch: of the receipt.
        slot: of the receipt.
        deadline: last second for the proof.
        created_block: where it was announced.
    """

    claim_id: int
    subject: bytes
    version_id: int
    input_binding: bytes
    output_digest: bytes
    packed_input: bytes
    epoch: int
    slot: int
    deadline: int
    created_block: int


@dataclass(frozen=True, slots=True)
class KeptClaim:
    """A challenge in the journal; ``reason`` and ``text`` say what keeps it from an answer."""

    claim_id: int
    subject: bytes
    version_id: int
    input_binding: bytes
    output_digest: bytes
    epoch: int
    slot: int
    deadline: int
    created_block: int
    standing: ClaimStanding
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class KeptProof:
    """What settles all challenges of one subject. ``proof`` is None before it was made."""

    subject: bytes
    packed_input: bytes
    packed_output: bytes | None
    circuit_index: int
    proof: bytes | None


@dataclass(frozen=True, slots=True)
class CourtNews:
    """What some blocks brought from other contracts than the market.

    Attributes:
        pools: epochs with a new own pool of receipts.
        claims: challenges of own receipts.
        lazy: events of the lazy market and its court.
        me: the executor.
    """

    pools: tuple[int, ...] = ()
    claims: tuple[NewClaim, ...] = ()
    lazy: tuple[Event, ...] = ()
    me: str = ""


NO_NEWS = CourtNews()


class ClaimBook:
    """Pools and challenges, in the journal's database."""

    _database: Database
    _clock: Clock

    async def keep_news(self, connection: AsyncConnection, news: CourtNews) -> None:
        """Writes down what some blocks brought, in the transaction that moves the cursor."""
        for epoch in news.pools:
            query = upsert(connection, schema.pools).values(epoch=epoch).on_conflict_do_nothing()
            await connection.execute(query)
        for claim in news.claims:
            values = dataclasses.asdict(claim)
            packed_input = values.pop("packed_input")
            values |= {"standing": ClaimStanding.OPEN, "reason": "", "text": ""}
            await connection.execute(
                upsert(connection, schema.claims)
                .values(values)
                .on_conflict_do_update(index_elements=["claim_id"], set_=values)
            )
            await connection.execute(
                upsert(connection, schema.defences)
                .values(subject=claim.subject, packed_input=packed_input, circuit_index=0)
                .on_conflict_do_nothing()
            )

    async def forget_claims(self, connection: AsyncConnection, ancestor: int) -> None:
        """Forgets challenges of blocks that are undone, and how the others ended: the chain is
        asked again. Proofs stay, they hold anywhere.
        """
        table = schema.claims.c
        await connection.execute(delete(schema.claims).where(table.created_block > ancestor))
        await connection.execute(
            update(schema.claims)
            .where(table.standing != ClaimStanding.INDEFENSIBLE)
            .values(standing=ClaimStanding.OPEN)
        )

    # --- pools ---

    async def pooled_epochs(self) -> list[int]:
        """Epochs for which this executor has, or had, a pool that is not released yet."""
        async with self._database.connect() as connection:
            rows = await connection.execute(select(schema.pools.c.epoch).order_by("epoch"))
            return [int(epoch) for (epoch,) in rows]

    async def note_pool(self, epoch: int) -> None:
        """Remembers a pool before its event was read."""
        async with self._database.begin() as connection:
            await connection.execute(
                upsert(connection, schema.pools).values(epoch=epoch).on_conflict_do_nothing()
            )

    async def drop_pool(self, epoch: int) -> None:
        """Forgets a pool that is released, or that a reorganisation undid."""
        async with self._database.begin() as connection:
            await connection.execute(delete(schema.pools).where(schema.pools.c.epoch == epoch))

    # --- challenges ---

    async def open_claims(self) -> list[KeptClaim]:
        """Challenges that wait for an answer, the most urgent first."""
        return await self._claims(schema.claims.c.standing == ClaimStanding.OPEN)

    async def claims_of(self, subject: bytes) -> list[KeptClaim]:
        """All challenges that one proof settles."""
        return await self._claims(schema.claims.c.subject == subject)

    async def claims_that(self, standings: Collection[ClaimStanding]) -> list[KeptClaim]:
        """Challenges by where they stand."""
        return await self._claims(schema.claims.c.standing.in_(list(standings)))

    async def claim_counts(self) -> dict[ClaimStanding, int]:
        """How many challenges ended how."""
        found: dict[ClaimStanding, int] = {}
        for claim in await self._claims():
            found[claim.standing] = found.get(claim.standing, 0) + 1
        return found

    async def settle_claim(
        self, claim_id: int, standing: ClaimStanding, *, reason: str = "", text: str = ""
    ) -> None:
        """Writes down where a challenge stands, and why."""
        query = (
            update(schema.claims)
            .where(schema.claims.c.claim_id == claim_id)
            .values(standing=standing, reason=reason, text=text)
        )
        async with self._database.begin() as connection:
            await connection.execute(query)

    async def kept_proof(self, subject: bytes) -> KeptProof:
        """What a subject's proof starts from, and the proof where it was made.

        Raises:
            LookupError: nothing was ever challenged that says this.
        """
        query = select(schema.defences).where(schema.defences.c.subject == subject)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise LookupError(f"subject {subject.hex()} is not in the journal")
        return KeptProof(**row._mapping)

    async def expect_proof(self, subject: bytes, packed_input: bytes) -> KeptProof:
        """Remembers what a proof is to be made of; the proof where there is one already."""
        query = (
            upsert(self._database, schema.defences)
            .values(subject=subject, packed_input=packed_input, circuit_index=0)
            .on_conflict_do_nothing()
        )
        async with self._database.begin() as connection:
            await connection.execute(query)
        return await self.kept_proof(subject)

    async def keep_proof(
        self, subject: bytes, packed_output: bytes, circuit_index: int, proof: bytes
    ) -> None:
        """Writes a proof down before it is sent."""
        query = (
            update(schema.defences)
            .where(schema.defences.c.subject == subject)
            .values(packed_output=packed_output, circuit_index=circuit_index, proof=proof)
        )
        async with self._database.begin() as connection:
            await connection.execute(query)

    async def _claims(self, *conditions: Any) -> list[KeptClaim]:
        table = schema.claims.c
        query = select(schema.claims).where(*conditions).order_by(table.deadline, table.claim_id)
        async with self._database.connect() as connection:
            return [_claim_of(row._mapping) for row in await connection.execute(query)]


def _claim_of(row: Mapping[Any, Any]) -> KeptClaim:
    return KeptClaim(**dict(row) | {"standing": ClaimStanding(row["standing"])})
