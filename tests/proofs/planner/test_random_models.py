"""What a circuit says of any input in its packed range, for random models."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from gateless.core.errors import InputError, ProofError
from gateless.core.packing import dequantise, pack, unpack
from gateless_proofs import KeyCache, Prover
from gateless_proofs.reference import FloatModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proof_fixtures import LIMITS, build
from tiny_models import dense


@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=3),
    activation=st.sampled_from(["Relu", "Sigmoid"]),
    seed=st.integers(0, 1000),
)
async def test_accepted_outputs_are_the_circuit_s_and_near_the_model_s(
    cache: KeyCache, sizes: list[int], activation: str, seed: int
) -> None:
    with tempfile.TemporaryDirectory(prefix="random-model-") as name:
        folder = Path(name)
        model = dense(folder / "m.onnx", sizes, activation=activation, seed=seed)
        generator = np.random.default_rng(seed)
        samples = generator.uniform(-1, 1, size=(8, sizes[0]))
        built = await build(model, samples, folder / "out", cache)
        bundle, prover = built.bundle, Prover(cache, LIMITS)
        spec, outputs = bundle.schema.inputs[0], bundle.schema.outputs
        floats = FloatModel(model)
        far = generator.integers(spec.minimum, spec.maximum + 1, size=spec.count).tolist()
        near = [round(value * 2**spec.scale_bits) for value in samples[0]]
        for integers, inside in ((near, True), (far, False)):
            packed = pack([integers], bundle.schema.inputs)
            try:
                proof = await prover.prove(bundle, packed)
            except ProofError as error:
                assert not inside
                assert error.code in ("input-not-provable", "output-out-of-range")
                continue
            witness = await prover.witness(bundle, packed)
            assert proof.packed_output == witness.packed_output
            assert await prover.verify(bundle, packed, proof.packed_output, proof.proof)
            if inside:
                expected = floats.run([dequantise(integers, spec)])[0].reshape(-1)
                got = dequantise(unpack(proof.packed_output, outputs)[0], outputs[0]).reshape(-1)
                assert np.abs(got - expected).max() <= bundle.manifest.accuracy.bound
            await refuses_what_is_not_so(prover, built, packed, proof.packed_output, proof.proof)
        try:
            pack([[spec.maximum + 1, *near[1:]]], bundle.schema.inputs)
        except InputError as error:
            assert error.code == "out-of-range"
        else:
            raise AssertionError("a value beyond the packed range was packed")


async def refuses_what_is_not_so(
    prover: Prover, built: object, packed: bytes, output: bytes, proof: bytes
) -> None:
    bundle = built.bundle  # type: ignore[attr-defined]
    other_output = output[:-1] + bytes((output[-1] ^ 1,))
    assert not await prover.verify(bundle, packed, other_output, proof)
    other_input = packed[:-1] + bytes((packed[-1] ^ 1,))
    assert not await prover.verify(bundle, other_input, output, proof)
    middle = len(proof) // 2
    mutated = proof[:middle] + bytes((proof[middle] ^ 4,)) + proof[middle + 1 :]
    assert not await prover.verify(bundle, packed, output, mutated)
    assert not await prover.verify(bundle, packed, output, proof + b"\0" * 32)
