"""One receipt for one slot, never beyond capacity, inputs first: over any history with crashes."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dying_issuer
import pytest
from dying_issuer import BACKING, COURT, EPOCH, EXECUTOR, IDENTITY, answer
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from gateless.adapters.db import DatabaseUrl, open_database
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import FundsError, GatelessError, InputError
from gateless.core.receipts import ZERO_BYTES32, Court, SignedReceipt
from gateless.executor import Journal, schema
from gateless.executor.issuing import sign_answer
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

SCRIPT = Path(dying_issuer.__file__)


class CrashedError(Exception):
    """The process is gone."""


class Key:
    """A receipt key that remembers what it signed, looks into the journal, and may crash."""

    def __init__(self, url: DatabaseUrl) -> None:
        self.url = url
        self.signed: dict[tuple[int, int], set[bytes]] = {}
        self.crash = ""
        self._signer = LocalSigner.random()

    @property
    def address(self) -> str:
        return self._signer.address

    async def sign_typed_data(
        self,
        domain: Mapping[str, Any],
        types: Mapping[str, Any],
        primary_type: str,
        message: Mapping[str, Any],
    ) -> bytes:
        if self.crash == "before signing":
            raise CrashedError
        place = (message["epoch"], message["slot"])
        # Another connection sees what is committed only.
        table = schema.receipts.c
        query = select(table.packed_input).where(
            table.court == domain["verifyingContract"],
            table.epoch == place[0],
            table.slot == place[1],
        )
        async with await open_database(self.url) as other, other.connect() as reader:
            packed = (await reader.execute(query)).scalar_one()
        named = message["inputDigest"]
        assert keccak(packed) == (message["inputBinding"] if named == ZERO_BYTES32 else named)
        signature = await self._signer.sign_typed_data(domain, types, primary_type, message)
        self.signed.setdefault(place, set()).add(keccak(repr(message).encode()))
        if self.crash == "after signing":
            raise CrashedError
        return signature


@asynccontextmanager
async def opened(url: DatabaseUrl | Path) -> AsyncIterator[Journal]:
    journal = await Journal.open(url, **IDENTITY)
    try:
        yield journal
    finally:
        await journal.close()


@pytest.fixture
async def journal(database_url: DatabaseUrl) -> AsyncIterator[Journal]:
    async with opened(database_url) as journal:
        yield journal


@pytest.fixture
def key(database_url: DatabaseUrl) -> Key:
    return Key(database_url)


async def test_slots_are_used_in_turn_and_read_back(journal: Journal, key: Key) -> None:
    first, second = [
        await sign_answer(journal, COURT, key, answer(number), BACKING) for number in (1, 2)
    ]
    assert (first.receipt.slot, second.receipt.slot) == (0, 1)
    assert first.signer == second.signer == key.address
    receipt = first.receipt
    assert (receipt.executor, receipt.epoch, receipt.bond) == (EXECUTOR, EPOCH, BACKING.bond)
    assert (receipt.issued, receipt.expires) == (BACKING.issued, BACKING.expires)
    assert receipt.price == 2**100
    assert receipt.input_digest == ZERO_BYTES32
    stored = await journal.issued(COURT, EPOCH, 1)
    assert (stored.receipt, stored.signature) == (second.receipt, second.signature)
    assert stored.packed_input == answer(2).packed_input
    assert stored.packed_output == answer(2).packed_output
    assert await journal.slots_used(COURT, EPOCH) == 2
    with pytest.raises(LookupError):
        await journal.issued(COURT, EPOCH, 2)


async def test_epochs_and_courts_have_slots_of_their_own(journal: Journal, key: Key) -> None:
    later = replace(BACKING, epoch=EPOCH + 1)
    elsewhere = Court(31337, to_checksum_address("0x" + "c1" * 20))
    await sign_answer(journal, COURT, key, answer(1), BACKING)
    assert (await sign_answer(journal, COURT, key, answer(2), later)).receipt.slot == 0
    # The same question to another court is another question.
    signed = await sign_answer(journal, elsewhere, key, answer(1), BACKING)
    assert (signed.receipt.slot, signed.court) == (0, elsewhere)


async def test_an_input_bound_by_commitment_is_named_by_its_digest(
    journal: Journal, key: Key
) -> None:
    committed = replace(answer(1), input_binding=keccak(b"commitments"))
    signed = await sign_answer(journal, COURT, key, committed, BACKING)
    assert (
        signed.receipt.input_digest
        == signed.receipt.packed_digest
        == keccak(committed.packed_input)
    )


async def test_a_question_asked_again_gets_its_receipt(journal: Journal, key: Key) -> None:
    first = await sign_answer(journal, COURT, key, answer(1), BACKING)
    # Also later, when other receipts would be issued, and when the pool is full.
    for backing in (BACKING, replace(BACKING, epoch=EPOCH + 1), replace(BACKING, capacity=1)):
        assert await sign_answer(journal, COURT, key, answer(1), backing) == first
    for changes in (
        {"packed_output": b"other"},
        {"price": 1},
        {"beneficiary": EXECUTOR},
        {"version_id": 5},
        {"packed_input": b"other"},
    ):
        for capacity in (1, 10):
            with pytest.raises(InputError) as caught:
                await sign_answer(
                    journal,
                    COURT,
                    key,
                    replace(answer(1), **changes),  # type: ignore[arg-type]
                    replace(BACKING, capacity=capacity),
                )
            assert caught.value.code == "question-reused"
    assert await journal.slots_used(COURT, EPOCH) == 1


async def test_nothing_is_signed_beyond_capacity(journal: Journal, key: Key) -> None:
    small = replace(BACKING, capacity=2)
    for number in (1, 2):
        await sign_answer(journal, COURT, key, answer(number), small)
    with pytest.raises(FundsError) as caught:
        await sign_answer(journal, COURT, key, answer(3), small)
    assert caught.value.code == "no-receipt-slot"
    assert await journal.slots_used(COURT, EPOCH) == 2
    grown = replace(BACKING, capacity=3)
    assert (await sign_answer(journal, COURT, key, answer(3), grown)).receipt.slot == 2


async def test_many_at_once_share_no_slot(
    database_url: DatabaseUrl, journal: Journal, key: Key
) -> None:
    few = replace(BACKING, capacity=15)
    async with opened(database_url) as other:
        done = await asyncio.gather(
            *(
                sign_answer(book, COURT, key, answer(number), few)
                for number in range(12)
                for book in (journal, other)
            ),
            *(sign_answer(journal, COURT, key, answer(number), few) for number in range(12, 20)),
            return_exceptions=True,
        )
    receipts = {entry.receipt for entry in done if isinstance(entry, SignedReceipt)}
    refused = [entry for entry in done if isinstance(entry, BaseException)]
    assert {receipt.slot for receipt in receipts} == set(range(15))
    assert len(receipts) == 15
    assert {getattr(entry, "code", repr(entry)) for entry in refused} == {"no-receipt-slot"}
    assert all(len(digests) == 1 for digests in key.signed.values())


async def test_a_signature_for_something_else_is_not_kept(journal: Journal, key: Key) -> None:
    signed = await sign_answer(journal, COURT, key, answer(1), BACKING)
    with pytest.raises(GatelessError) as caught:
        await journal.keep_signature(COURT, replace(signed.receipt, price=1), bytes(65))
    assert caught.value.code == "forbidden-signature"
    assert (await journal.issued(COURT, EPOCH, 0)).signature == signed.signature


async def test_dead_receipts_leave_their_slot_used(journal: Journal, key: Key) -> None:
    signed = await sign_answer(journal, COURT, key, answer(1), BACKING)
    await journal.drop_dead_receipts(BACKING.expires)
    assert (await journal.issued(COURT, EPOCH, 0)).packed_input is not None
    await journal.drop_dead_receipts(BACKING.expires + 1)
    stored = await journal.issued(COURT, EPOCH, 0)
    assert (stored.packed_input, stored.packed_output) == (None, None)
    assert (stored.receipt, stored.signature) == (signed.receipt, signed.signature)
    assert (await sign_answer(journal, COURT, key, answer(2), BACKING)).receipt.slot == 1


async def test_what_a_proof_starts_from_is_found_as_long_as_it_may_be_asked_for(
    journal: Journal, key: Key
) -> None:
    first = (await sign_answer(journal, COURT, key, answer(1), BACKING)).receipt
    later = replace(BACKING, expires=BACKING.expires + 100)
    same = replace(answer(1), question=keccak(b"another"), price=5)
    second = (await sign_answer(journal, COURT, key, same, later)).receipt
    found = await journal.evidence(replace(first, slot=99))
    assert found is not None
    assert (found.packed_input, found.packed_output) == (
        answer(1).packed_input,
        answer(1).packed_output,
    )
    assert await journal.evidence(replace(first, output_digest=keccak(b"x"))) is None
    assert await journal.evidence(replace(first, version_id=9)) is None
    await journal.drop_dead_receipts(BACKING.expires + 1)
    kept = await journal.evidence(first)  # the other one lives on and says the same
    assert kept is not None
    assert kept.receipt == second
    await journal.drop_dead_receipts(later.expires + 1)
    assert await journal.evidence(first) is None


steps = st.lists(
    st.tuples(
        st.sampled_from(["", "", "before signing", "after signing", "restart", "grow"]),
        st.integers(0, 6),
        st.integers(0, 1),
    ),
    max_size=20,
)


@settings(max_examples=20, deadline=None)
@given(steps)
async def test_no_history_with_crashes_signs_two_receipts_for_a_slot(
    history: list[tuple[str, int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        key = Key(DatabaseUrl.of_path(path))
        journal = await Journal.open(path, **IDENTITY)
        capacity, now = 2, BACKING.issued
        answered: dict[int, SignedReceipt] = {}
        for step, number, epoch in history:
            now += 1
            backing = replace(BACKING, epoch=epoch, capacity=capacity, issued=now)
            key.crash = step
            if step == "grow":
                capacity += 1
            elif step == "restart":
                await journal.close()
                journal = await Journal.open(path, **IDENTITY)
            else:
                try:
                    signed = await sign_answer(journal, COURT, key, answer(number), backing)
                    assert answered.setdefault(number, signed) == signed
                except CrashedError:
                    await journal.close()
                    journal = await Journal.open(path, **IDENTITY)
                except FundsError as error:
                    assert error.code == "no-receipt-slot"
                    assert await journal.slots_used(COURT, epoch) == capacity
        await journal.close()
    assert all(len(digests) == 1 for digests in key.signed.values())
    assert all(slot < capacity for _, slot in key.signed)


async def test_a_killed_process_signs_no_slot_twice(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    said: dict[int, set[str]] = {}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for lines, first in ((5, 0), (3, 4), (8, 0)):  # some questions are asked again
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(SCRIPT), str(path), str(first)),
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        assert process.stdout is not None
        for number in range(lines):
            line = await process.stdout.readline()
            assert line, "it died by itself"
            if number == lines - 1:
                process.kill()  # while it goes on
            slot, binding = line.decode().split()
            said.setdefault(int(slot), set()).add(binding)
        for line in (await process.stdout.read()).decode().splitlines(keepends=True):
            if line.endswith("\n"):
                slot, binding = line.split()
                said.setdefault(int(slot), set()).add(binding)
        await process.wait()
    assert len(said) >= 11
    async with opened(path) as journal:
        for number, bindings in said.items():
            stored = await journal.issued(COURT, EPOCH, number)
            assert stored.packed_input is not None
            assert bindings == {stored.receipt.input_binding.hex()}
            assert keccak(stored.packed_input) == stored.receipt.input_binding
