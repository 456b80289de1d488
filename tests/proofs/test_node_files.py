"""Files of a node: whole, by content, and no more than there is room for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from gateless.core.errors import StorageError
from gateless_proofs.cluster.files import NodeFiles


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def put(files: NodeFiles, content: bytes, domain: str = "bundle") -> Path:
    path = files.path_of(domain, digest(content))
    await files.receive(path, 0, content, last=True)
    return path


async def test_a_file_arrives_in_pieces_and_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    files = NodeFiles(tmp_path, 1 << 20)
    path = files.path_of("bundle", digest(b"abcdef"))
    await files.receive(path, 0, b"abc", last=False)
    assert not path.exists()
    assert not await files.has(path)
    await files.receive(path, 3, b"def", last=True)
    assert path.read_bytes() == b"abcdef"
    assert await files.has(path)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


async def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    files = NodeFiles(tmp_path, 1 << 20)
    assert await files.has(await put(files, b""))


@pytest.mark.parametrize(("offset", "piece"), [(3, b"dex"), (2, b"def"), (4, b"def")])
async def test_what_arrives_damaged_is_not_kept(tmp_path: Path, offset: int, piece: bytes) -> None:
    files = NodeFiles(tmp_path, 1 << 20)
    path = files.path_of("bundle", digest(b"abcdef"))
    await files.receive(path, 0, b"abc", last=False)
    with pytest.raises(StorageError) as caught:
        await files.receive(path, offset, piece, last=True)
    assert caught.value.code == "content-tampered"
    assert not path.exists()
    await put(files, b"abcdef")
    assert await files.has(path), "sent again, it is taken"


async def test_a_file_that_was_changed_is_not_used(tmp_path: Path) -> None:
    files = NodeFiles(tmp_path, 1 << 20)
    path = await put(files, b"abcdef")
    assert await files.has(path)
    path.chmod(0o600)
    path.write_bytes(b"abcdeX")
    assert not await files.has(path)
    assert not path.exists()


async def test_what_was_used_least_recently_makes_room(tmp_path: Path) -> None:
    files = NodeFiles(tmp_path, 25)
    paths = [await put(files, bytes([number]) * 10, f"bundle-{number}") for number in range(3)]
    for path in (paths[2], paths[0]):
        assert await files.has(path)
    await files.make_room(())
    assert [path.exists() for path in paths] == [True, False, True]
    await put(files, b"3" * 10)
    await files.make_room(paths)
    assert [path.exists() for path in paths] == [True, False, True], "what is in use stays"
