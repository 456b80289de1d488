"""Files that are damaged while they are in use: no error blames the model or the input for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from gateless.core.errors import ProofError, StorageError
from gateless_proofs import Bundle, KeyCache, Prover, load_bundle
from gateless_proofs.bundle import sha256_of
from gateless_proofs.fingerprints import Fingerprints
from gateless_proofs.intactness import require_intact
from proof_fixtures import LIMITS, Built


def _flipped(whole: bytes) -> bytes:
    middle = len(whole) // 2
    return whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :]


DAMAGE: dict[str, Callable[[Path], object]] = {
    "flipped": lambda path: path.write_bytes(_flipped(path.read_bytes())),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "emptied": lambda path: path.write_bytes(b""),
    "missing": lambda path: path.unlink(),
}


@pytest.fixture
def own(mlp: Built, tmp_path: Path) -> Bundle:
    """A copy of the bundle that may be damaged."""
    return load_bundle(Path(shutil.copytree(mlp.bundle.root, tmp_path / "bundle")))


@pytest.fixture
def prover(cache: KeyCache) -> Prover:
    return Prover(KeyCache(cache.root, LIMITS), LIMITS)


@pytest.mark.parametrize("how", DAMAGE)
async def test_a_rotten_circuit(mlp: Built, own: Bundle, prover: Prover, how: str) -> None:
    packed = mlp.packed(mlp.samples[0])
    whole = own.compiled().read_bytes()
    DAMAGE[how](own.compiled())
    for step in (prover.witness, prover.prove, prover.answer):
        with pytest.raises(StorageError) as caught:
            await step(own, packed)
        assert caught.value.code == "bundle-damaged"
    own.compiled().write_bytes(whole)
    assert await prover.answer(own, packed) == await prover.answer(mlp.bundle, packed)


@pytest.mark.parametrize("how", DAMAGE)
async def test_a_rotten_model(mlp: Built, own: Bundle, prover: Prover, how: str) -> None:
    DAMAGE[how](own.model)
    with pytest.raises(StorageError) as caught:
        await prover.float_outputs(own, mlp.packed(mlp.samples[0]))
    assert caught.value.code == "bundle-damaged"


@pytest.mark.parametrize("how", DAMAGE)
async def test_a_rotten_verifying_key(mlp: Built, own: Bundle, prover: Prover, how: str) -> None:
    packed = mlp.packed(mlp.samples[0])
    proof = await prover.prove(own, packed)
    DAMAGE[how](own.verifying_key())
    with pytest.raises(StorageError) as caught:
        await prover.verify(own, packed, proof.packed_output, proof.proof)
    assert caught.value.code == "bundle-damaged"


async def test_where_the_files_are_right_it_is_the_input(rescaled: Built, prover: Prover) -> None:
    beyond = b"\x7f" + b"\xff" * (len(rescaled.packed(rescaled.samples[0])) - 1)
    with pytest.raises(ProofError) as caught:
        await prover.witness(rescaled.bundle, beyond)
    assert caught.value.code == "input-not-provable"


async def test_what_rots_in_silence_is_found_by_reading_again(own: Bundle) -> None:
    is_rotten = False

    def read(path: Path) -> str:
        return sha256_of(path) if not is_rotten else "0" * 64

    known = Fingerprints(read)
    await require_intact(own, known)
    is_rotten = True
    await require_intact(own, known)  # the file system says that nobody wrote to it
    with pytest.raises(StorageError):
        await require_intact(own, known, anew=True)
    # From then on all know who share the fingerprints.
    with pytest.raises(StorageError):
        await require_intact(own, known)


async def test_what_people_read_is_not_looked_at(own: Bundle) -> None:
    for entry in own.manifest.files:
        if entry.role == "card":
            (own.root / entry.name).unlink()
    await require_intact(own, Fingerprints(), anew=True)
