from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gateless.core.errors import GatelessError, InputError, ProofError, StorageError
from gateless.core.manifest import Manifest
from gateless.core.packing import unpack
from gateless_proofs import Bundle, KeyCache, Prover, load_bundle
from proof_fixtures import LIMITS, Built
from tiny_models import weights_of


@pytest.fixture(scope="session")
def prover(cache: KeyCache) -> Prover:
    return Prover(cache, LIMITS)


async def test_float_outputs_are_the_models(mlp: Built, prover: Prover) -> None:
    packed = mlp.packed(mlp.samples[0])
    [output] = await prover.float_outputs(mlp.bundle, packed)
    spec = mlp.bundle.schema.inputs[0]
    value = np.array(unpack(packed, [spec])[0]) / 2.0**spec.scale_bits
    for index, (weight, bias) in enumerate(weights_of([4, 6, 3], 0)):
        value = value @ weight.astype(np.float64) + bias
        if index == 0:
            value = np.maximum(value, 0)
    assert output.shape == (1, 3)
    np.testing.assert_allclose(output[0], value, atol=1e-5)


async def test_packed_proof_holds_for_its_input_and_output_only(mlp: Built, prover: Prover) -> None:
    packed = mlp.packed(mlp.samples[0])
    proof = await prover.prove(mlp.bundle, packed)
    witness = await prover.witness(mlp.bundle, packed)
    assert proof.packed_output == witness.packed_output
    assert len(proof.proof) == mlp.bundle.circuit().proof_length
    [floats] = await prover.float_outputs(mlp.bundle, packed)
    error = np.abs(floats - witness.outputs_float[0]).max()
    assert error <= mlp.bundle.manifest.accuracy.bound

    async def holds(inputs: bytes, outputs: bytes, data: bytes) -> bool:
        return await prover.verify(mlp.bundle, inputs, outputs, data)

    assert await holds(packed, proof.packed_output, proof.proof)
    other_input = packed[:-1] + bytes((packed[-1] ^ 1,))
    other_output = proof.packed_output[:-1] + bytes((proof.packed_output[-1] ^ 1,))
    assert not await holds(other_input, proof.packed_output, proof.proof)
    assert not await holds(packed, other_output, proof.proof)
    for place in (0, 64, len(proof.proof) // 2, len(proof.proof) - 1):
        bad = bytearray(proof.proof)
        bad[place] ^= 1
        assert not await holds(packed, proof.packed_output, bytes(bad))
    assert not await holds(packed, proof.packed_output, proof.proof + bytes(32))
    assert not await holds(packed, proof.packed_output, proof.proof[:-32])
    assert not await holds(packed, proof.packed_output, b"")


async def test_committed_proof_starts_with_the_commitment(committed: Built, prover: Prover) -> None:
    packed = committed.packed(committed.samples[0])
    proof = await prover.prove(committed.bundle, packed)
    x, y = await prover.commitment(committed.bundle, packed)
    assert proof.proof[:64] == x + y
    assert await prover.verify(committed.bundle, packed, proof.packed_output, proof.proof)
    other = packed[:-1] + bytes((packed[-1] ^ 1,))
    assert await prover.commitment(committed.bundle, other) != (x, y)
    # the same outputs with another input: only the commitment tells them apart
    assert not await prover.verify(committed.bundle, other, proof.packed_output, proof.proof)


async def test_packed_version_has_no_commitment(mlp: Built, prover: Prover) -> None:
    with pytest.raises(ProofError) as caught:
        await prover.commitment(mlp.bundle, mlp.packed(mlp.samples[0]))
    assert caught.value.code == "not-committed"


async def test_lookup_circuit_proves_and_refuses_what_leaves_its_table(
    rescaled: Built, prover: Prover
) -> None:
    packed = rescaled.packed(rescaled.samples[0])
    proof = await prover.prove(rescaled.bundle, packed)
    assert await prover.verify(rescaled.bundle, packed, proof.packed_output, proof.proof)
    spec = rescaled.bundle.schema.inputs[0]
    extreme = rescaled.packed(np.full(3, spec.minimum / 2.0**spec.scale_bits))
    for step in (prover.witness, prover.prove):
        with pytest.raises(ProofError) as caught:
            await step(rescaled.bundle, extreme)
        assert caught.value.code == "input-not-provable"
        assert caught.value.hint


async def test_every_corner_of_the_packed_range_proves_or_is_refused(
    mlp: Built, prover: Prover
) -> None:
    spec = mlp.bundle.schema.inputs[0]
    step = 2.0**-spec.scale_bits
    generator = np.random.default_rng(5)
    corners = [np.full(4, spec.minimum), np.full(4, spec.maximum)]
    corners += [generator.choice([spec.minimum, spec.maximum], 4) for _ in range(2)]
    for corner in corners:
        packed = mlp.packed(corner * step)
        try:
            proof = await prover.prove(mlp.bundle, packed)
        except ProofError as error:
            assert error.code in ("input-not-provable", "output-out-of-range")
        else:
            assert await prover.verify(mlp.bundle, packed, proof.packed_output, proof.proof)


async def test_input_beyond_the_packed_width_is_refused(mlp: Built) -> None:
    spec = mlp.bundle.schema.inputs[0]
    with pytest.raises(InputError) as caught:
        mlp.packed([0, 0, 0, (spec.maximum + 1) / 2.0**spec.scale_bits])
    assert caught.value.code == "out-of-range"
    assert caught.value.context["index"] == 3


@pytest.mark.parametrize("length", [0, 1, 7, 9, 1000])
async def test_packed_input_of_another_length_is_refused(
    mlp: Built, prover: Prover, length: int
) -> None:
    assert length != mlp.bundle.schema.inputs[0].packed_length
    with pytest.raises(InputError) as caught:
        await prover.witness(mlp.bundle, bytes(length))
    assert caught.value.code == "wrong-length"


async def test_output_beyond_its_width_is_refused(mlp: Built, prover: Prover) -> None:
    packed = mlp.packed(mlp.samples[0])
    for step in (prover.witness, prover.prove):
        with pytest.raises(ProofError) as caught:
            await step(narrowed(mlp.bundle), packed)
        assert caught.value.code == "output-out-of-range"
        assert "'y' does not fit the 8 bits" in caught.value.message


def narrowed(bundle: Bundle) -> Bundle:
    """The bundle with outputs that claim to fit one byte."""
    data = bundle.manifest.model_dump(mode="json")
    data["outputs"][0]["width"] = 1
    return replace(bundle, manifest=Manifest.model_validate_json(json.dumps(data)))


async def test_proof_of_unexpected_length_is_refused(mlp: Built, prover: Prover) -> None:
    data = mlp.bundle.manifest.model_dump(mode="json")
    data["circuits"][0]["proof_length"] += 32
    other = replace(mlp.bundle, manifest=Manifest.model_validate_json(json.dumps(data)))
    with pytest.raises(ProofError) as caught:
        await prover.prove(other, mlp.packed(mlp.samples[0]))
    assert caught.value.code == "proving-failed"


@pytest.mark.parametrize(
    "name", ["model.onnx", "settings.json", "circuit.compiled", "vk.key", "vka.bin", "README.md"]
)
def test_tampered_file_is_found(mlp: Built, tmp_path: Path, name: str) -> None:
    copy = copy_of(mlp.bundle, tmp_path)
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    assert refusal(copy).code == "content-tampered"
    (copy / name).unlink()
    assert refusal(copy).code == "content-not-found"


def test_manifest_must_be_the_one_on_chain(mlp: Built, tmp_path: Path) -> None:
    copy = copy_of(mlp.bundle, tmp_path)
    assert load_bundle(copy, mlp.bundle.digest).digest == mlp.bundle.digest
    assert refusal(copy, "00" * 32).code == "content-tampered"
    manifest = copy / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"exact": true', b'"exact":  true'))
    assert refusal(copy).code == "invalid-manifest"
    assert refusal(tmp_path / "absent").code == "content-not-found"


def copy_of(bundle: Bundle, target: Path) -> Path:
    copy = target / "copy"
    copy.mkdir()
    for path in bundle.root.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def refusal(root: Path, digest: str | None = None) -> GatelessError:
    with pytest.raises(StorageError) as caught:
        load_bundle(root, digest)
    return caught.value
