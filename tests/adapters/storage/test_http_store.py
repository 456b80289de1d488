from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest
from gateless.adapters.storage import CachingStore, HttpStore, LocalStore, StoreLimits, create_app
from gateless.core.errors import InputError, StorageError
from gateless.core.ids import sha256_hex

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]
ServeRaw = Callable[[Respond], AbstractAsyncContextManager[str]]

CONTENT = b"what was asked for " * 1000
DIGEST = sha256_hex(CONTENT)
QUICK = StoreLimits(connect_seconds=1, stall_seconds=0.3, total_seconds=1.5)


def answer(body: bytes, *, status: str = "200 OK", length: int | None = None, extra: str = ""):
    size = len(body) if length is None else length

    async def respond(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n{extra}Connection: close\r\n\r\n"
        writer.write(head.encode())
        writer.write(body)
        await writer.drain()

    return respond


async def code_of(store: HttpStore, dest: Path, *, max_bytes: int = 1 << 20) -> str:
    """The code with which both ways to fetch fail; nothing may be left behind."""
    with pytest.raises(StorageError) as by_file:
        await store.fetch_to(DIGEST, dest, max_bytes=max_bytes)
    with pytest.raises(StorageError) as by_bytes:
        await store.get(DIGEST, max_bytes=max_bytes)
    assert by_file.value.code == by_bytes.value.code
    assert by_file.value.hint
    assert list(dest.parent.iterdir()) == []
    return by_file.value.code


async def test_a_server_that_lies_is_found_out(
    serve_raw: ServeRaw, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    lie = CONTENT[:-1] + b"!"
    async with serve_raw(answer(lie)) as url:
        assert await code_of(HttpStore([url], http), tmp_path / "file") == "content-tampered"


async def test_a_server_that_truncates_is_found_out(
    serve_raw: ServeRaw, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with serve_raw(answer(CONTENT[:100], length=len(CONTENT))) as url:
        assert await code_of(HttpStore([url], http), tmp_path / "file") == "store-unreachable"
    async with serve_raw(answer(CONTENT[:100])) as url:
        assert await code_of(HttpStore([url], http), tmp_path / "file") == "content-tampered"


async def test_a_server_that_never_ends_is_cut_off_at_the_size_limit(
    serve_raw: ServeRaw, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(bytes(1 << 16))
            await writer.drain()

    async with serve_raw(endless) as url:
        store = HttpStore([url], http)
        assert await code_of(store, tmp_path / "file") == "content-too-large"


async def test_an_announced_size_above_the_limit_is_refused_before_the_body(
    serve_raw: ServeRaw, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with serve_raw(answer(b"", length=1 << 40)) as url:
        store = HttpStore([url], http)
        assert await code_of(store, tmp_path / "file") == "content-too-large"


async def test_a_server_that_stalls_or_trickles_is_given_up(
    serve_raw: ServeRaw, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        await writer.drain()
        await asyncio.sleep(60)

    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    for behaviour in (stall, trickle):
        async with serve_raw(behaviour) as url:
            store = HttpStore([url], http, QUICK)
            assert await code_of(store, tmp_path / "file") == "store-unreachable"


async def test_compressed_answers_are_not_expanded(
    serve_raw: ServeRaw, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    body = gzip.compress(CONTENT)
    async with serve_raw(answer(body, extra="Content-Encoding: gzip\r\n")) as url:
        assert await code_of(HttpStore([url], http), tmp_path / "file") == "content-tampered"


async def test_redirects_are_not_followed(
    serve_raw: ServeRaw, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with serve_raw(answer(CONTENT)) as good:
        elsewhere = f"Location: {good}/v1/content/{DIGEST}\r\n"
        async with serve_raw(answer(b"", status="302 Found", extra=elsewhere)) as url:
            assert await code_of(HttpStore([url], http), tmp_path / "f") == "store-unreachable"


async def test_nobody_listening_is_unreachable_and_404_is_not_found(
    serve_raw: ServeRaw, http: httpx.AsyncClient, tmp_path: Path, dead_url: str
) -> None:
    assert await code_of(HttpStore([dead_url], http), tmp_path / "file") == "store-unreachable"
    async with serve_raw(answer(b"{}", status="404 Not Found")) as url:
        assert await code_of(HttpStore([url], http), tmp_path / "file") == "content-not-found"
        assert not await HttpStore([url], http).has(DIGEST)
    assert await code_of(HttpStore([], http), tmp_path / "file") == "content-not-found"


async def test_a_good_server_is_found_behind_bad_ones(
    serve_raw: ServeRaw, http: httpx.AsyncClient, tmp_path: Path, dead_url: str
) -> None:
    async with (
        serve_raw(answer(b"a lie")) as liar,
        serve_raw(answer(b"", status="404 Not Found")) as empty,
        serve_raw(answer(CONTENT)) as good,
    ):
        store = HttpStore([dead_url, liar, empty, good], http)
        await store.fetch_to(DIGEST, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == CONTENT
        assert await store.get(DIGEST) == CONTENT
        assert await store.has(DIGEST)
        # With no good one left, the lie is what the user hears of.
        bad = HttpStore([liar, empty, dead_url], http)
        assert await code_of(bad, tmp_path / "none" / "file") == "content-tampered"


@pytest.mark.parametrize(
    "url",
    ["file:///etc", "ftp://host", "store.example.org", "http://", "http://h/?q", "http://h#f"],
)
def test_only_http_addresses_are_taken(url: str) -> None:
    with pytest.raises(InputError) as caught:
        HttpStore([url], httpx.AsyncClient())
    assert caught.value.code == "invalid-store-url"


async def test_caching_store_keeps_and_repairs_what_it_reads(tmp_path: Path) -> None:
    served = LocalStore(tmp_path / "served")
    await served.put(CONTENT)
    transport = httpx.ASGITransport(create_app(served))
    async with httpx.AsyncClient(transport=transport) as http:
        local = LocalStore(tmp_path / "local")
        store = CachingStore(local, HttpStore(["http://store"], http))
        assert await store.has(DIGEST)
        assert not await local.has(DIGEST)
        assert await store.get(DIGEST) == CONTENT
        assert await local.get(DIGEST) == CONTENT
        local.path_of(DIGEST).write_bytes(b"damaged")
        await store.fetch_to(DIGEST, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == CONTENT
        assert await local.get(DIGEST) == CONTENT
        with pytest.raises(StorageError) as caught:
            await store.get(DIGEST, max_bytes=10)
        assert caught.value.code == "content-too-large"
        # Damaged here and nowhere else to be had: it is the damage that is reported.
        local.path_of(DIGEST).write_bytes(b"damaged")
        served.path_of(DIGEST).unlink()
        with pytest.raises(StorageError) as caught:
            await store.get(DIGEST)
        assert caught.value.code == "content-tampered"
