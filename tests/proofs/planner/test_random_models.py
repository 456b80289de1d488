"""What the chain accepts of any input in its packed range, for random models.

Each model is planned, published on a development chain, and asked about inputs like its samples and
about inputs from the whole packed range. What the deployed verifier accepts is ezkl's witness of
that circuit; what an executor would answer is within the manifest's bound of onnxruntime on the
model as it was published.
"""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from eth_utils.crypto import keccak
from gateless.adapters.chain.client import ChainClient
from gateless.core.errors import ContractError, InputError, ProofError
from gateless.core.packing import dequantise, pack, unpack
from gateless.daemon.versions import ReadyVersion
from gateless.devnet import Devnet
from gateless.executor.checks import check_execution
from gateless_proofs import KeyCache, Prover, Witness
from gateless_proofs.reference import FloatModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from market_fixtures import MakeAccount
from proof_fixtures import LIMITS, Built, build
from tiny_models import dense

ROWS = 4
SINGLE, BATCH = 0, 1


@dataclass(frozen=True)
class Published:
    """A random model and its version on the chain."""

    built: Built
    model: Path
    prover: Prover
    client: ChainClient
    version_id: int

    async def accepted(self, packed: bytes, output: bytes, proof: bytes) -> bytes:
        return await self.client.verifier.verify(self.version_id, SINGLE, packed, output, proof)

    async def refused(self, packed: bytes, output: bytes, proof: bytes) -> None:
        with pytest.raises(ContractError):
            await self.accepted(packed, output, proof)

    async def answered(self, packed: bytes) -> Witness:
        """What an executor does before it locks a request."""
        info = await self.client.registry.version(self.version_id)
        return await check_execution(
            ReadyVersion(info, self.built.bundle, SINGLE), packed, self.prover
        )

    def error(self, integers: list[int], output: bytes) -> float:
        """Distance of a packed output from onnxruntime's, on the model as published."""
        schema = self.built.bundle.schema
        real = FloatModel(self.model).run([dequantise(integers, schema.inputs[0])])[0]
        fixed = dequantise(unpack(output, schema.outputs)[0], schema.outputs[0])
        return float(np.abs(fixed - real.reshape(-1)).max())


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
async def test_what_the_chain_accepts_is_the_witness_and_near_the_model(
    cache: KeyCache,
    devnet: Devnet,
    make_account: MakeAccount,
    sizes: list[int],
    activation: str,
    seed: int,
) -> None:
    with tempfile.TemporaryDirectory(prefix="random-model-") as name:
        folder = Path(name)
        model = dense(folder / "m.onnx", sizes, activation=activation, seed=seed)
        generator = np.random.default_rng(seed)
        samples = generator.uniform(-1, 1, size=(8, sizes[0]))
        options = {"batch_sizes": (1, ROWS), "chain_id": 31337}
        built = await build(model, samples, folder / "out", cache, **options)
        builder = await make_account()
        version = await builder.client.publish(built.bundle, f"random-{uuid.uuid4().hex[:8]}")
        published = Published(
            built, model, Prover(cache, LIMITS), devnet.client, version.version_id
        )
        spec = built.bundle.schema.inputs[0]
        near = [round(float(value) * 2**spec.scale_bits) for value in samples[0]]
        far = generator.integers(spec.minimum, spec.maximum + 1, size=spec.count).tolist()
        for integers, inside in ((near, True), (far, False)):
            await accepts_the_witness_only(published, integers, inside=inside)
        with pytest.raises(InputError) as refusal:
            pack([[spec.maximum + 1, *near[1:]]], built.bundle.schema.inputs)
        assert refusal.value.code == "out-of-range"
        await refuses_rows_in_another_order(published)


async def accepts_the_witness_only(
    published: Published, integers: list[int], *, inside: bool
) -> None:
    bundle, prover = published.built.bundle, published.prover
    packed = pack([integers], bundle.schema.inputs)
    try:
        proof = await prover.prove(bundle, packed)
    except ProofError as error:
        assert not inside
        assert error.code in ("input-not-provable", "output-out-of-range")
        return
    output = proof.packed_output
    assert output == (await prover.witness(bundle, packed)).packed_output
    assert await published.accepted(packed, output, proof.proof) == keccak(packed)
    # An executor answers within the bound or not at all; inputs like the samples are answered.
    if published.error(integers, output) <= bundle.manifest.accuracy.bound:
        assert (await published.answered(packed)).packed_output == output
    else:
        assert not inside
        with pytest.raises(ProofError) as refusal:
            await published.answered(packed)
        assert refusal.value.code == "accuracy-out-of-bound"
    await published.refused(packed, output[:-1] + bytes((output[-1] ^ 1,)), proof.proof)
    await published.refused(packed[:-1] + bytes((packed[-1] ^ 1,)), output, proof.proof)
    middle = len(proof.proof) // 2
    spoilt = bytes((proof.proof[middle] ^ 4,))
    mutated = proof.proof[:middle] + spoilt + proof.proof[middle + 1 :]
    await published.refused(packed, output, mutated)
    await published.refused(packed, output, proof.proof + b"\0" * 32)


async def refuses_rows_in_another_order(published: Published) -> None:
    bundle, verifier = published.built.bundle, published.client.verifier
    rows = [published.built.packed(row) for row in published.built.samples[:ROWS]]
    proof = await published.prover.prove_batch(bundle, rows, BATCH)
    outputs = list(proof.packed_outputs)
    at = (published.version_id, BATCH)
    bindings = await verifier.verify_batch(*at, rows, outputs, proof.proof)
    assert list(bindings) == [keccak(row) for row in rows]
    swapped = [rows[1], rows[0], *rows[2:]]
    with pytest.raises(ContractError):
        await verifier.verify_batch(*at, swapped, outputs, proof.proof)
    if outputs[0] != outputs[1]:
        crossed = [outputs[1], outputs[0], *outputs[2:]]
        with pytest.raises(ContractError):
            await verifier.verify_batch(*at, rows, crossed, proof.proof)
