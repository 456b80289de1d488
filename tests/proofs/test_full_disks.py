"""What workers say where the disk of temporary files or keys is full: nothing about the model."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateless.core.disks import disk_full, needs_room
from gateless.core.errors import ProofError, StorageError
from gateless_proofs import KeyCache, Prover, ProvingPool
from proof_fixtures import LIMITS, Built
from small_disks import filled, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=4) as folder:
        yield folder


async def test_a_proof_on_a_full_disk_of_temporary_files_is_made_when_there_is_room(
    disk: Path, mlp: Built, cache: KeyCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = mlp.packed(mlp.samples[0])
    await cache.proving_key(mlp.bundle)
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    async with ProvingPool(4 << 30, 120, cores=1) as pool:
        prover = Prover(cache, LIMITS, pool)
        await prover.witness(mlp.bundle, packed)
        with filled(disk):
            for work in (prover.prove, prover.witness):
                with pytest.raises((StorageError, OSError)) as caught:
                    await work(mlp.bundle, packed)
                found = disk_full(caught.value)
                assert found is not None and found.code == "disk-full"
        proof = await prover.prove(mlp.bundle, packed)
        assert await prover.verify(mlp.bundle, packed, proof.packed_output, proof.proof)
    assert os.listdir(disk) == [], "nothing is left of what failed"


async def test_a_key_on_a_full_disk_is_made_when_there_is_room(
    disk: Path, mlp: Built, cache: KeyCache
) -> None:
    """Of a key that was cut off nothing is kept."""
    shutil.copytree(cache.root / "srs", disk / "cache" / "srs")
    own = KeyCache(disk / "cache", LIMITS)
    with filled(disk), pytest.raises((StorageError, OSError)) as caught:
        await own.proving_key(mlp.bundle)
    found = disk_full(caught.value)
    assert found is not None and found.code == "disk-full"
    assert os.listdir(own.root / "keys") == []
    await own.proving_key(mlp.bundle)


def test_what_comes_from_a_full_disk_is_told_apart() -> None:
    failure = ProofError("proving-failed", "ezkl made no valid proof")
    failure.__cause__ = RuntimeError("[io] No space left on device (os error 28)")
    found = disk_full(failure)
    assert found is not None and found.code == "disk-full"
    assert disk_full(OSError(errno.EDQUOT, "Disk quota exceeded")) is not None
    assert disk_full(OSError(errno.EACCES, "Permission denied")) is None
    assert disk_full(ProofError("proving-failed", "no")) is None
    with pytest.raises(StorageError), needs_room():
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(PermissionError), needs_room():
        raise PermissionError(errno.EACCES, "Permission denied")
