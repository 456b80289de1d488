from __future__ import annotations

from pathlib import Path

import pytest
from gateless.adapters.storage import LocalStore
from gateless.core.errors import GatelessError, InputError, StorageError
from gateless.core.ids import cid_of, sha256_hex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def partial_files(root: Path) -> list[Path]:
    return list(root.rglob("*.part"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=4096))
async def test_what_is_put_is_got_by_its_sha256_and_its_cid(
    store: LocalStore, content: bytes
) -> None:
    digest = await store.put(content)
    assert digest == sha256_hex(content)
    assert await store.get(digest) == content
    assert await store.get(cid_of(digest)) == content
    assert store.path_of(digest).parent.name == digest[:2]


async def test_a_file_larger_than_one_chunk_goes_in_and_out(
    store: LocalStore, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 10_000
    source = tmp_path / "source"
    source.write_bytes(content)
    seen: list[int] = []
    digest = await store.put(source)
    await store.fetch_to(digest, tmp_path / "copy", progress=lambda done, _: seen.append(done))
    assert (tmp_path / "copy").read_bytes() == content
    assert seen[-1] == len(content)
    assert len(seen) == 3
    assert partial_files(tmp_path) == []


async def test_absent_content_is_reported_with_its_cid(store: LocalStore) -> None:
    digest = sha256_hex(b"nobody has this")
    assert not await store.has(digest)
    with pytest.raises(StorageError) as caught:
        await store.get(digest)
    assert caught.value.code == "content-not-found"
    assert cid_of(digest) in caught.value.hint


@pytest.mark.parametrize("damage", [b"", b"other bytes", b"content and a tail"])
async def test_a_damaged_file_is_never_returned(
    store: LocalStore, tmp_path: Path, damage: bytes
) -> None:
    digest = await store.put(b"content")
    store.path_of(digest).write_bytes(damage)
    with pytest.raises(StorageError) as caught:
        await store.get(digest)
    assert caught.value.code == "content-tampered"
    assert caught.value.context["found"] == sha256_hex(damage)
    with pytest.raises(StorageError):
        await store.fetch_to(digest, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    with pytest.raises(StorageError):
        store.open_verified(digest)
    # Storing the right content again repairs the copy.
    await store.put(b"content")
    assert await store.get(digest) == b"content"


async def test_size_limits_hold_for_writing_and_reading(tmp_path: Path) -> None:
    store = LocalStore(tmp_path, max_bytes=10)
    digest = await store.put(bytes(10))
    with pytest.raises(StorageError) as caught:
        await store.put(bytes(11))
    assert caught.value.code == "content-too-large"
    assert not await store.has(sha256_hex(bytes(11)))
    assert partial_files(tmp_path) == []
    assert len(await store.get(digest, max_bytes=10)) == 10
    with pytest.raises(StorageError) as caught:
        await store.get(digest, max_bytes=9)
    assert caught.value.code == "content-too-large"


async def test_a_partial_file_is_not_content(store: LocalStore) -> None:
    content = b"half written when the process was killed"
    with (
        pytest.raises(RuntimeError),
        store.incoming(sha256_hex(content), max_bytes=100, where="test") as file,
    ):
        file.write(content[:10])
        raise RuntimeError
    assert not await store.has(sha256_hex(content))
    assert partial_files(store.root) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "xyz", "0" * 63, "bafkrei" + "!" * 52])
async def test_names_that_are_no_digest_are_refused(store: LocalStore, name: str) -> None:
    with pytest.raises(GatelessError) as caught:
        await store.get(name)
    assert caught.value.code == "invalid-digest"


async def test_putting_a_file_that_does_not_exist_says_so(
    store: LocalStore, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        await store.put(tmp_path / "absent")
    assert caught.value.code == "file-not-found"
