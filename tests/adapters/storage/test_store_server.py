from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from gateless.adapters.storage import HttpStore, LocalStore, create_app
from gateless.core.errors import StorageError
from gateless.core.ids import cid_of, sha256_hex

CONTENT = b"served content " * 50_000
DIGEST = sha256_hex(CONTENT)


@asynccontextmanager
async def client_of(store: LocalStore, *, allow_put: bool = False, max_put: int = 1 << 20):
    app = create_app(store, allow_put=allow_put, max_put_bytes=max_put)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://store") as client:
        yield client


@pytest.fixture
async def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    await store.put(CONTENT)
    return store


async def test_content_is_served_by_digest_and_cid_with_caching_headers(store: LocalStore) -> None:
    async with client_of(store) as client:
        for name in (DIGEST, cid_of(DIGEST), "0x" + DIGEST):
            response = await client.get(f"/v1/content/{name}")
            assert response.status_code == 200
            assert response.content == CONTENT
            assert response.headers["etag"] == f'"{DIGEST}"'
            assert "immutable" in response.headers["cache-control"]
            assert response.headers["x-content-cid"] == cid_of(DIGEST)
            algorithm, _, value = response.headers["repr-digest"].partition("=")
            assert algorithm == "sha-256"
            assert base64.b64decode(value.strip(":")) == hashlib.sha256(CONTENT).digest()


async def test_head_and_if_none_match_carry_no_body(store: LocalStore) -> None:
    async with client_of(store) as client:
        head = await client.head(f"/v1/content/{DIGEST}")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(CONTENT))
        again = await client.get(
            f"/v1/content/{DIGEST}", headers={"If-None-Match": head.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")


async def test_errors_are_json_with_a_code_and_a_hint(store: LocalStore) -> None:
    absent = sha256_hex(b"absent")
    async with client_of(store) as client:
        response = await client.get(f"/v1/content/{absent}")
        assert response.status_code == 404
        assert response.json()["code"] == "content-not-found"
        assert response.json()["hint"]
        response = await client.get("/v1/content/nonsense")
        assert (response.status_code, response.json()["code"]) == (400, "invalid-digest")
        store.path_of(DIGEST).write_bytes(b"damaged on disk")
        response = await client.get(f"/v1/content/{DIGEST}")
        assert (response.status_code, response.json()["code"]) == (500, "content-tampered")


async def test_uploads_are_off_unless_switched_on(store: LocalStore) -> None:
    body = b"new"
    path = f"/v1/content/{sha256_hex(body)}"
    async with client_of(store) as client:
        assert (await client.put(path, content=body)).status_code == 405
    assert not await store.has(sha256_hex(body))


async def test_uploads_are_checked_against_digest_and_size(store: LocalStore) -> None:
    body = b"new content"
    async with client_of(store, allow_put=True, max_put=20) as client:
        wrong = await client.put(f"/v1/content/{sha256_hex(b'other')}", content=body)
        assert (wrong.status_code, wrong.json()["code"]) == (422, "content-tampered")
        large = bytes(21)
        refused = await client.put(f"/v1/content/{sha256_hex(large)}", content=large)
        assert (refused.status_code, refused.json()["code"]) == (413, "content-too-large")

        async def unannounced() -> AsyncIterator[bytes]:
            for _ in range(21):
                yield b"\0"

        refused = await client.put(f"/v1/content/{sha256_hex(large)}", content=unannounced())
        assert (refused.status_code, refused.json()["code"]) == (413, "content-too-large")
        right = await client.put(f"/v1/content/{sha256_hex(body)}", content=body)
        assert right.status_code == 201
        assert right.json() == {
            "sha256": sha256_hex(body),
            "cid": cid_of(sha256_hex(body)),
            "size": len(body),
        }
    assert await store.get(sha256_hex(body)) == body
    assert not await store.has(sha256_hex(large))
    assert list(store.root.rglob("*.part")) == []


@asynccontextmanager
async def served(store: LocalStore, *, allow_put: bool) -> AsyncIterator[str]:
    config = uvicorn.Config(
        create_app(store, allow_put=allow_put), log_level="warning", lifespan="off"
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def test_client_and_server_over_a_real_socket(
    store: LocalStore, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with served(store, allow_put=True) as url:
        remote = HttpStore([url], http)
        seen: list[tuple[int, int | None]] = []
        await remote.fetch_to(
            DIGEST, tmp_path / "copy", progress=lambda done, total: seen.append((done, total))
        )
        assert (tmp_path / "copy").read_bytes() == CONTENT
        assert seen[-1] == (len(CONTENT), len(CONTENT))
        digest = await remote.put(b"uploaded")
        assert await store.get(digest) == b"uploaded"
        assert await remote.has(digest)
    async with served(store, allow_put=False) as url:
        with pytest.raises(StorageError) as caught:
            await HttpStore([url], http).put(b"refused")
        assert caught.value.code == "store-read-only"
