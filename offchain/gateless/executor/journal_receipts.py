"""The journal's part about receipts: which slots are used, and for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak
from sqlalchemy import func, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError

from gateless.adapters.clock import Clock
from gateless.adapters.db import Database
from gateless.core.claims import CourtLimits
from gateless.core.errors import FundsError, GatelessError, InputError
from gateless.core.receipts import ZERO_BYTES32, Court, Receipt
from gateless.daemon.backups import restored_at
from gateless.executor import schema

_STATED = ("version_id", "input_binding", "input_digest", "output_digest", "beneficiary", "price")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receipt is to be signed for.

    Attributes:
        question: 32 bytes that name the question; asked again, it gets the same receipt.
        version_id: that computed the output.
        input_binding: what a proof would be tied to.
        packed_input: the input; a challenge will carry it.
        packed_output: the output.
        beneficiary: who is compensated if it is wrong; the zero address for nobody.
        price: what was paid for it, in token units.
    """

    question: bytes
    version_id: int
    input_binding: bytes
    packed_input: bytes
    packed_output: bytes
    beneficiary: str
    price: int

    @property
    def input_digest(self) -> bytes:
        """keccak256 of the packed input; zeros where the binding is that already."""
        digest = keccak(self.packed_input)
        return ZERO_BYTES32 if digest == self.input_binding else bytes(digest)

    @property
    def output_digest(self) -> bytes:
        """keccak256 of the packed output."""
        return bytes(keccak(self.packed_output))


@dataclass(frozen=True, slots=True)
class Backing:
    """What an answer's receipt may be backed by: one free slot of a pool.

    Attributes:
        executor: whose pool it is.
        epoch: of the pool.
        capacity: slots of the pool.
        bond: stake behind each.
        issued: second of the signature.
        expires: last second for a challenge.
    """

    executor: str
    epoch: int
    capacity: int
    bond: int
    issued: int
    expires: int


@dataclass(frozen=True, slots=True)
class Issued:
    """A receipt in the journal. Without a signature, nobody has seen it yet.

    ``packed_input`` and ``packed_output`` are None when nobody can challenge it any more.
    """

    receipt: Receipt
    packed_input: bytes | None
    packed_output: bytes | None
    signature: bytes | None


class ReceiptBook:
    """Receipts, in the journal's database."""

    _database: Database
    _clock: Clock
    _restored_at: int | None = None

    async def allocate(self, court: Court, answer: Answer, backing: Backing) -> Issued:
        """Takes the next slot and writes the whole receipt down, with its input: all or nothing.

        Whatever is signed for the slot is exactly this, however often a crash comes between. A
        question that has a receipt gets no other slot.

        Raises:
            FundsError: ``no-receipt-slot``: the pool's slots are used up.
            InputError: ``question-reused``: the question has a receipt that says something else.
        """
        table = schema.receipts
        place = (table.c.court == court.address, table.c.epoch == backing.epoch)
        following = (
            select(func.coalesce(func.max(table.c.slot) + 1, 0)).where(*place).scalar_subquery()
        )
        values = {
            "court": court.address,
            "epoch": backing.epoch,
            "question": answer.question,
            "version_id": answer.version_id,
            "input_binding": answer.input_binding,
            "input_digest": answer.input_digest,
            "output_digest": answer.output_digest,
            "executor": backing.executor,
            "beneficiary": answer.beneficiary,
            "price": str(answer.price),
            "bond": str(backing.bond),
            "issued": backing.issued,
            "expires": backing.expires,
            "packed_input": answer.packed_input,
            "packed_output": answer.packed_output,
        }
        columns = [literal(value, table.c[name].type) for name, value in values.items()]
        # One statement: the slot is chosen and taken at once, whoever else is writing.
        query = (
            insert(table)
            .from_select(
                [*values, "slot"], select(*columns, following).where(following < backing.capacity)
            )
            .returning(table.c.slot)
        )
        try:
            async with self._database.begin() as connection:
                slot = (await connection.execute(query)).scalar_one_or_none()
        except IntegrityError:
            known = await self._of_question(court, answer.question)
            if known is None:
                # PostgreSQL: another session took that slot in this moment. Then there is a next.
                return await self.allocate(court, answer, backing)
            return _same(answer, known)
        if slot is None:
            return await self._without_slot(court, answer, backing)
        return await self.issued(court, backing.epoch, int(slot))

    async def keep_signature(self, court: Court, receipt: Receipt, signature: bytes) -> None:
        """Writes the signature of an allocated receipt down.

        Raises:
            GatelessError: ``forbidden-signature``: a defect, it is not what was allocated.
        """
        if (await self.issued(court, receipt.epoch, receipt.slot)).receipt != receipt:
            raise GatelessError(
                "forbidden-signature",
                f"slot {receipt.slot} of epoch {receipt.epoch} is allocated to another receipt",
                hint="this is a defect of the executor; please report it with the log",
            )
        table = schema.receipts
        query = (
            update(table)
            .where(
                table.c.court == court.address,
                table.c.epoch == receipt.epoch,
                table.c.slot == receipt.slot,
            )
            .values(signature=signature)
        )
        async with self._database.begin() as connection:
            await connection.execute(query)

    async def issued(self, court: Court, epoch: int, slot: int) -> Issued:
        """What a slot was used for.

        Raises:
            LookupError: it is free.
        """
        table = schema.receipts
        query = select(table).where(
            table.c.court == court.address, table.c.epoch == epoch, table.c.slot == slot
        )
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise LookupError(f"slot {slot} of epoch {epoch} is free")
        return _issued_of(row._mapping)

    async def evidence(self, doubted: Receipt) -> Issued | None:
        """What a proof for a doubted receipt starts from: any that says the same and is whole.

        None where nothing of the kind was issued from here: then somebody else signed by the key.
        """
        table = schema.receipts
        query = (
            select(table)
            .where(
                table.c.version_id == doubted.version_id,
                table.c.input_binding == doubted.input_binding,
                table.c.output_digest == doubted.output_digest,
                table.c.packed_output.is_not(None),
            )
            .limit(1)
        )
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _issued_of(row._mapping)

    async def require_remembered(self, limits: CourtLimits, epoch: int) -> None:
        """Sees to it that this journal knows which slots of an epoch are used.

        One that was put back from a backup does not know what was signed since the backup: a slot
        used twice would cost a part of the pool. So nothing more is signed in that epoch.

        Raises:
            FundsError: ``slots-unknown``.
        """
        if self._restored_at is None:
            self._restored_at = await restored_at(self._database)
        if self._restored_at and epoch <= limits.epoch_at(self._restored_at):
            raise FundsError(
                "slots-unknown",
                f"the journal was restored in epoch {limits.epoch_at(self._restored_at)}, and does"
                " not know which slots were used before",
                hint="receipts are signed again from the next epoch on",
                epoch=epoch,
            )

    async def slots_used(self, court: Court, epoch: int) -> int:
        """How many slots of an epoch are used, signed or not."""
        table = schema.receipts
        query = select(func.count()).where(table.c.court == court.address, table.c.epoch == epoch)
        async with self._database.connect() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def drop_dead_receipts(self, now: int) -> None:
        """Frees the room of inputs and outputs whose receipts nobody can challenge any more."""
        table = schema.receipts
        kept = or_(table.c.packed_input.is_not(None), table.c.packed_output.is_not(None))
        query = (
            update(table)
            .where(table.c.expires < now, kept)
            .values(packed_input=None, packed_output=None)
        )
        async with self._database.begin() as connection:
            await connection.execute(query)

    async def _of_question(self, court: Court, question: bytes) -> Issued | None:
        table = schema.receipts
        query = select(table).where(table.c.court == court.address, table.c.question == question)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _issued_of(row._mapping)

    async def _without_slot(self, court: Court, answer: Answer, backing: Backing) -> Issued:
        """What a full pool means: nothing new, but a known question keeps its receipt."""
        known = await self._of_question(court, answer.question)
        if known is not None:
            return _same(answer, known)
        raise FundsError(
            "no-receipt-slot",
            f"all {backing.capacity} slots of epoch {backing.epoch} are used",
            hint="add slots to the pool, or wait for the next epoch",
            epoch=backing.epoch,
            capacity=backing.capacity,
        )


def _same(answer: Answer, known: Issued) -> Issued:
    if any(getattr(known.receipt, name) != getattr(answer, name) for name in _STATED):
        raise InputError(
            "question-reused",
            "that question has a receipt already, which says something else",
            hint="name each question by 32 bytes of its own",
        )
    return known


def _issued_of(row: Mapping[Any, Any]) -> Issued:
    values = dict(row)
    return Issued(
        receipt=Receipt(
            version_id=values["version_id"],
            input_binding=values["input_binding"],
            input_digest=values["input_digest"],
            output_digest=values["output_digest"],
            executor=values["executor"],
            beneficiary=values["beneficiary"],
            price=int(values["price"]),
            bond=int(values["bond"]),
            issued=values["issued"],
            expires=values["expires"],
            epoch=values["epoch"],
            slot=values["slot"],
        ),
        packed_input=values["packed_input"],
        packed_output=values["packed_output"],
        signature=values["signature"],
    )
