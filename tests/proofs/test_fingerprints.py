"""Digests are read once, and again as soon as a file is another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gateless.core.ids import sha256_hex
from gateless_proofs.bundle import sha256_of
from gateless_proofs.fingerprints import Fingerprints


async def test_a_file_that_stays_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    read: list[Path] = []

    def digest(path: Path) -> str:
        read.append(path)
        return sha256_of(path)

    known = Fingerprints(digest)
    for _ in range(3):
        assert await known.sha256(path) == sha256_hex(b"one")
    assert read == [path]


async def test_every_change_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    known = Fingerprints()
    assert await known.sha256(path) == sha256_hex(b"one")
    before = path.stat()
    path.write_bytes(b"two")
    # Whoever sets the time of the last change back cannot set that of the inode.
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert await known.sha256(path) == sha256_hex(b"two")
    other = tmp_path / "other"
    other.write_bytes(b"six")
    other.replace(path)
    assert await known.sha256(path) == sha256_hex(b"six")
    path.unlink()
    with pytest.raises(FileNotFoundError):
        await known.sha256(path)
