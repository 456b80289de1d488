"""How much comes in: rates by an injected clock, room for inputs, and statuses of refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from eth_utils.crypto import keccak
from gateless.adapters.db import DatabaseUrl
from gateless.adapters.storage import LocalStore
from gateless.core.errors import (
    ConfigError,
    ContractError,
    FundsError,
    GatelessError,
    InputError,
    NotFoundError,
    ProofError,
    StorageError,
)
from gateless.core.ids import sha256_hex
from gateless.daemon.limits import Rates
from gateless.daemon.statuses import status_of
from gateless.executor import Journal
from gateless.executor.intake.inputs import InputRoom, ServedStore
from patience import eventually


class Hands:
    """A clock whose hands are moved."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_a_bucket_empties_and_fills() -> None:
    hands = Hands()
    rates = Rates(hands, per_second=2.0, burst=3)
    assert [rates.take("a") for _ in range(3)] == [0, 0, 0]
    assert rates.take("a") == pytest.approx(0.5)
    # Another client has a bucket of its own.
    assert rates.take("b") == 0
    hands.time += 0.5
    assert rates.take("a") == 0
    assert rates.take("a") > 0
    hands.time += 3600
    assert [rates.take("a") for _ in range(4)] == [0, 0, 0, pytest.approx(0.5)]


def test_refusals_do_not_postpone_the_next_chance() -> None:
    hands = Hands()
    rates = Rates(hands, per_second=1.0, burst=1)
    assert rates.take("a") == 0
    for _ in range(10):
        hands.time += 0.09
        assert rates.take("a") > 0
    hands.time += 0.11
    assert rates.take("a") == 0


def test_what_is_forgotten_is_who_stayed_away() -> None:
    hands = Hands()
    rates = Rates(hands, per_second=0.001, burst=1)
    rates.take("first")
    for number in range(9_999):
        rates.take(str(number))
    assert rates.take("first") > 0  # still known, and now the last who came
    rates.take("one more")
    assert rates.take("0") == 0  # forgotten


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError("wrong-shape", ""), 400),
        (InputError("rate-limited", ""), 429),
        (InputError("busy", ""), 503),
        (NotFoundError("unknown-model", ""), 404),
        (ProofError("input-not-provable", ""), 422),
        (StorageError("content-not-found", ""), 404),
        (StorageError("store-unreachable", ""), 503),
        (FundsError("deposit-too-low", ""), 402),
        (FundsError("no-receipt-slot", ""), 503),
        (ContractError("inference-market-expired", ""), 422),
        (ConfigError("receipts-closed", ""), 503),
        (GatelessError("journal-incomplete", ""), 500),
    ],
)
def test_statuses(error: GatelessError, status: int) -> None:
    assert status_of(error) == status


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest_asyncio.fixture
async def journal(database_url: DatabaseUrl, hands: Hands) -> AsyncIterator[Journal]:
    opened = await Journal.open(
        database_url, chain_id=31337, market="0xMarket", account="0xMe", clock=hands
    )
    yield opened
    await opened.close()


def room(tmp_path: Path, journal: Journal, hands: Hands) -> InputRoom:
    return InputRoom(tmp_path / "inputs", journal, hands, max_input_bytes=100, max_stored_bytes=250)


class Slow:
    """An upload whose pieces come when they are told to."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()

    def send(self, piece: bytes) -> None:
        self._pieces.put_nowait(piece)

    async def chunks(self) -> AsyncIterator[bytes]:
        while piece := await self._pieces.get():
            yield piece


def on_disk(inputs: InputRoom) -> int:
    files = (path for path in inputs.store.root.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files)


async def test_what_is_coming_in_counts(tmp_path: Path, journal: Journal) -> None:
    """Uploads that never end may not take more of the disk than inputs may."""
    inputs = room(tmp_path, journal, Hands())
    uploads = [Slow() for _ in range(3)]
    under_way = [asyncio.create_task(inputs.take(upload.chunks())) for upload in uploads]
    for upload in uploads[:2]:
        upload.send(b"x" * 90)

    async def begun() -> bool:
        return inputs.coming == 180

    await eventually("two are coming in", begun)
    uploads[2].send(b"y" * 90)
    with pytest.raises(StorageError) as caught:
        await under_way[2]
    assert caught.value.code == "intake-full"
    # Who gives up gives his room back.
    under_way[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await under_way[0]
    assert inputs.coming == 90
    await inputs.keep(b"z" * 90)
    uploads[1].send(b"")
    await under_way[1]
    assert inputs.coming == 0
    assert on_disk(inputs) == 180


async def test_what_comes_in_takes_the_place_of_what_is_old(
    tmp_path: Path, journal: Journal
) -> None:
    hands = Hands()
    inputs = room(tmp_path, journal, hands)
    for byte in b"ab":
        await inputs.keep(bytes([byte]) * 100)
    hands.time += 3_600
    upload = Slow()
    under_way = asyncio.create_task(inputs.take(upload.chunks()))
    upload.send(b"c" * 100)

    async def made_room() -> bool:
        return await inputs.find(keccak(b"a" * 100)) is None

    await eventually("the oldest is gone", made_room)
    assert await inputs.find(keccak(b"b" * 100)) is not None
    upload.send(b"")
    await under_way


async def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path, journal: Journal) -> None:
    inputs = room(tmp_path, journal, Hands())
    held = await inputs.keep(b"kept")
    left = inputs.store.root / "incoming" / ".0123.part"
    left.write_bytes(b"half of someth")
    again = room(tmp_path, journal, Hands())
    await again.keep(b"next")
    assert not left.exists()
    assert await again.find(held.digest) == b"kept"


async def test_an_input_is_found_by_its_digest(tmp_path: Path, journal: Journal) -> None:
    inputs = room(tmp_path, journal, Hands())
    held = await inputs.keep(b"input", keccak(b"input"))
    assert (held.digest, held.sha256, held.size) == (keccak(b"input"), sha256_hex(b"input"), 5)
    assert await inputs.find(keccak(b"input")) == b"input"
    assert await inputs.find(keccak(b"other")) is None
    # Kept again it takes no more room.
    await inputs.keep(b"input")
    assert await journal.stored_input_bytes() == 5
    # Gone from the disk, it is gone.
    inputs.store.path_of(held.sha256).unlink()
    assert await inputs.find(held.digest) is None


async def test_it_comes_in_pieces_and_stops_where_it_is_too_long(
    tmp_path: Path, journal: Journal
) -> None:
    inputs = room(tmp_path, journal, Hands())
    taken = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"0123456789"

    with pytest.raises(InputError) as caught:
        await inputs.take(pieces())
    assert (caught.value.code, taken) == ("body-too-large", 11)
    for data, expected, code in (
        (b"", None, "no-input"),
        (b"x", keccak(b"y"), "input-digest-mismatch"),
    ):
        with pytest.raises(InputError) as caught:
            await inputs.keep(data, expected)
        assert caught.value.code == code
    assert await journal.stored_input_bytes() == 0
    assert [path for path in (tmp_path / "inputs").rglob("*") if path.is_file()] == []


async def test_the_oldest_gives_way(tmp_path: Path, journal: Journal, hands: Hands) -> None:
    inputs = room(tmp_path, journal, hands)
    for number in range(2):
        await inputs.keep(bytes([number]) * 100)
        hands.time += 1
    # Nothing is old enough to be given up.
    with pytest.raises(StorageError) as caught:
        await inputs.keep(b"3" * 100)
    assert caught.value.code == "intake-full"
    hands.time += 600
    await inputs.keep(b"3" * 100)
    assert await inputs.find(keccak(bytes(100))) is None
    assert await inputs.find(keccak(b"\1" * 100)) is not None


async def test_inputs_are_served_beside_the_files(tmp_path: Path, journal: Journal) -> None:
    inputs, files = room(tmp_path, journal, Hands()), LocalStore(tmp_path / "content")
    served = ServedStore(files, inputs.store)
    model, held = await files.put(b"model"), await inputs.keep(b"input")
    for sha256, data in ((model, b"model"), (held.sha256, b"input")):
        assert await served.has(sha256)
        file, size = served.open_verified(sha256)
        with file:
            assert (file.read(), size) == (data, len(data))
    assert not await served.has("0" * 64)
    with pytest.raises(StorageError):
        served.open_verified("0" * 64)
