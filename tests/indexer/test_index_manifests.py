"""What publishers say: fetched by digest, believed to be text and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from gateless.adapters.db import DatabaseUrl
from gateless.adapters.storage import LocalStore
from gateless.core.execution import Execution
from gateless.core.ids import sha256_hex
from gateless.core.manifest import (
    MAX_MANIFEST_BYTES,
    Accuracy,
    Binding,
    BundleFile,
    FileRole,
    Goal,
    Manifest,
    Plan,
    Provenance,
    Tensor,
)
from gateless.core.types import Event
from gateless.daemon.content import ContentSources
from gateless.daemon.follower import Stretch
from gateless.daemon.journals import Position
from gateless.indexer.manifests import ManifestReader
from gateless.indexer.schema import manifests
from gateless.indexer.search import Wanted, search
from gateless.indexer.store import IndexStore
from sqlalchemy import select
from told_chain import told_deployment

HOSTILE = 'Reads <script>alert("x")</script> \x1b[31mred\x1b[0m \u202etxt.exe\u202c \x00end'


class SetClock:
    """A clock that is told what time it is."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def manifest_with(**changes: Any) -> Manifest:
    tensor = Tensor(name="x", shape=(1, 2), width=4, scale_bits=0, onnx_dtype="FLOAT")
    fields: dict[str, Any] = {
        "name": "tiny",
        "files": (BundleFile(role=FileRole.MODEL, name="m.onnx", sha256="00" * 32, size=1),),
        "inputs": (tensor,),
        "outputs": (tensor,),
        "binding": Binding.PACKED,
        "circuits": (),
        "accuracy": Accuracy(samples=1, max_abs_error=0, mean_abs_error=0, bound=0),
        "execution": Execution(runtime="none", samples=1, checks=()),
        "srs": None,
        "provenance": Provenance(gateless="0", ezkl="0", onnxruntime="0", onnx="0", opset=17),
        "plan": Plan(
            goal=Goal.BALANCED,
            seed=0,
            bound_kind="absolute",
            candidates=(),
            considered=0,
            winners=(),
            why="",
        ),
    }
    return Manifest(**(fields | changes))


def publication(
    digest: str,
    number: int = 1,
    uri: str = "http://127.0.0.1:9",  # nobody is there
) -> Stretch:
    """A block in which a model is made and a version of it published."""
    version = number << 32
    told: list[tuple[str, dict[str, Any]]] = [
        ("ModelRegistered", {"modelId": number, "creator": "0x01", "name": f"model-{number}"}),
        (
            "VersionPublished",
            {
                "versionId": version,
                "modelId": number,
                "publisher": "0x01",
                "params": {
                    "modelDigest": bytes(32),
                    "manifestDigest": bytes.fromhex(digest),
                    "ioSchema": b"",
                    "binding": 0,
                    "modes": 8,
                    "royaltyBps": 0,
                    "proofSeconds": 0,
                    "repeatable": False,
                    "circuits": [],
                    "uri": uri,
                },
            },
        ),
    ]
    events = tuple(
        Event(name, args, number, "0x00", "0x00", place, "ModelRegistry")
        for place, (name, args) in enumerate(told)
    )
    return Stretch(number, Position(number, "0x00"), events, {number: 1_700_000_000})


class Library:
    """An index, a store that may have its manifests, and a clock."""

    def __init__(self, index: IndexStore, content: LocalStore, reader: ManifestReader) -> None:
        self.index = index
        self.content = content
        self.reader = reader

    async def row(self, digest: str) -> Any:
        query = select(manifests).where(manifests.c.digest == digest)
        return await self.index.write(lambda connection: connection.execute(query).one())

    async def found(self, text: str, **filters: Any) -> list[int]:
        wanted = Wanted(text, **filters)
        page = await self.index.write(lambda connection: search(connection, wanted))
        return [row["model_id"] for row in page.rows]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest_asyncio.fixture
async def library(tmp_path: Path, clock: SetClock) -> AsyncIterator[Library]:
    content = LocalStore(tmp_path / "content")
    index = await IndexStore.open(DatabaseUrl.of_path(tmp_path / "index.db"), told_deployment())
    async with httpx.AsyncClient() as http:
        sources = ContentSources(content, http)
        yield Library(index, content, ManifestReader(index, sources, clock, 30.0))
    await index.close()


async def test_text_of_strangers_is_shown_as_text(library: Library) -> None:
    manifest = manifest_with(
        description=HOSTILE * 200,
        task="Image-Classification",
        tags=("Digits", "digits", "\x1b[2Jmnist", "a" * 500, *(f"tag{n}" for n in range(50))),
        license="MIT",
        labels=("no\x00", "yes"),
    )
    digest = await library.content.put(manifest.to_bytes())
    await library.index.advance(publication(digest))
    assert await library.reader.fetch_some() == 1
    row = await library.row(digest)
    assert row.state == "here"
    assert row.description.startswith('Reads <script>alert("x")</script> [31mred[0m txt.exe end')
    assert len(row.description) <= 2_000
    assert row.description.isprintable()
    assert (row.task, row.license) == ("image-classification", "MIT")
    assert row.tags[:2] == ["digits", "[2jmnist"]
    assert len(row.tags) == 16 and max(map(len, row.tags)) <= 40
    assert row.labels == ["no", "yes"]
    assert await library.found("handwritten") == []
    assert await library.found("script alert") == [1]
    assert await library.found("", tags=["DIGITS"], task="image-classification") == [1]
    assert await library.reader.fetch_some() == 0


async def test_what_nobody_has_is_asked_for_again_less_and_less_often(
    library: Library, clock: SetClock
) -> None:
    manifest = manifest_with(tags=("late",))
    digest = manifest.digest()
    await library.index.advance(publication(digest))
    pauses = []
    for _ in range(5):
        assert await library.reader.fetch_some() == 1
        row = await library.row(digest)
        assert row.state == "wanted" and row.problem
        pauses.append(row.next_attempt - int(clock.now()))
        assert await library.reader.fetch_some() == 0
        clock.time = float(row.next_attempt)
    assert pauses == [30, 60, 120, 240, 480]
    assert await library.found("model") == [1]  # a model without a manifest is found by its name
    await library.content.put(manifest.to_bytes())
    assert await library.reader.fetch_some() == 1
    assert await library.found("late") == [1]


async def test_bytes_that_are_no_manifest_are_not_asked_for_again(
    library: Library, clock: SetClock
) -> None:
    data = b'{"name": "not a manifest"}'
    await library.content.put(data)
    await library.index.advance(publication(sha256_hex(data)))
    assert await library.reader.fetch_some() == 1
    assert (await library.row(sha256_hex(data))).state == "refused"
    clock.time += 10**6
    assert await library.reader.fetch_some() == 0


async def test_a_store_that_sends_too_much_hides_no_manifest(
    library: Library, clock: SetClock
) -> None:
    """What it sent has another digest: the manifest may be had elsewhere, or later."""
    manifest = manifest_with(tags=("hidden",))
    digest = manifest.digest()
    asked: list[str] = []

    async def too_much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().split()[1])
        size = MAX_MANIFEST_BYTES + 1
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    liar = await asyncio.start_server(too_much, "127.0.0.1", 0)
    async with liar:
        url = f"http://127.0.0.1:{liar.sockets[0].getsockname()[1]}"
        await library.index.advance(publication(digest, uri=url))
        assert await library.reader.fetch_some() == 1
    assert len(asked) == 1
    row = await library.row(digest)
    assert (row.state, row.problem) == ("wanted", "content-too-large")
    await library.content.put(manifest.to_bytes())
    clock.time = float(row.next_attempt)
    assert await library.reader.fetch_some() == 1
    assert await library.found("hidden") == [1]
