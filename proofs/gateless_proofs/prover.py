"""Runs a bundle: float outputs, witness, proof, verification, input commitment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gateless.core.errors import ProofError
from gateless.core.manifest import Binding
from gateless.core.packing import (
    FloatArray,
    dequantise,
    felt_from_ezkl_hex,
    pack,
    to_felt,
    unpack,
)

from gateless_proofs.bundle import Bundle
from gateless_proofs.keys import KeyCache
from gateless_proofs.sandbox import Limits, Progress, run_worker


@dataclass(frozen=True, slots=True)
class Witness:
    """What a circuit computes.

    Attributes:
        packed_output: the outputs as they travel.
        outputs_float: the same as real numbers, one array per output.
        seconds: time that the witness took.
    """

    packed_output: bytes
    outputs_float: tuple[FloatArray, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof, already verified.

    Attributes:
        proof: raw bytes, of the exact length that the version pins.
        packed_output: the outputs that it proves.
    """

    proof: bytes
    packed_output: bytes
    witness_seconds: float
    prove_seconds: float


class Prover:
    """Everything one does with a bundle, each step in a limited subprocess.

    Args:
        keys: cache of keys and reference strings.
        limits: of each subprocess.
    """

    def __init__(self, keys: KeyCache, limits: Limits | None = None) -> None:
        self.keys = keys
        self.limits = limits or Limits()

    async def float_outputs(self, bundle: Bundle, packed_input: bytes) -> list[FloatArray]:
        """onnxruntime's outputs for the real numbers that a packed input stands for."""
        specs = bundle.schema.inputs
        tensors = unpack(packed_input, specs)
        reals = [
            dequantise(integers, spec).reshape(-1).tolist()
            for integers, spec in zip(tensors, specs, strict=True)
        ]
        answer = await run_worker(
            "reference",
            {
                "model": str(bundle.model),
                "shapes": [list(spec.shape) for spec in specs],
                "samples": [reals],
            },
            limits=self.limits,
        )
        return [
            np.array(output["values"], dtype=np.float64).reshape(output["shape"])
            for output in answer["outputs"][0]
        ]

    async def witness(self, bundle: Bundle, packed_input: bytes, circuit_index: int = 0) -> Witness:
        """The circuit's outputs for an input.

        Raises:
            ProofError: ``input-not-provable``, ``output-out-of-range``.
        """
        answer = await run_worker(
            "witness",
            self._witness_request(bundle, packed_input, circuit_index),
            limits=self.limits,
        )
        outputs: list[list[int]] = answer["outputs"]
        packed = pack_outputs(bundle, outputs)
        return Witness(
            packed_output=packed,
            outputs_float=tuple(
                dequantise(integers, spec)
                for integers, spec in zip(outputs, bundle.schema.outputs, strict=True)
            ),
            seconds=answer["seconds"],
        )

    async def prove(
        self,
        bundle: Bundle,
        packed_input: bytes,
        circuit_index: int = 0,
        progress: Progress | None = None,
    ) -> Proof:
        """A proof of the circuit's outputs for an input, verified before it is returned.

        Raises:
            ProofError: ``input-not-provable``, ``output-out-of-range``, ``proving-failed``,
                ``key-mismatch``.
        """
        entry = bundle.circuit(circuit_index)
        request = self._witness_request(bundle, packed_input, circuit_index)
        request["proving_key"] = str(
            (await self.keys.proving_key(bundle, circuit_index, progress)).resolve()
        )
        await self._add_verification(request, bundle, circuit_index)
        answer = await run_worker("prove", request, limits=self.limits, progress=progress)
        outputs: list[list[int]] = answer["outputs"]
        packed = pack_outputs(bundle, outputs)
        proof = bytes.fromhex(answer["proof"])
        found = [felt_from_ezkl_hex(text) for text in answer["instances"]]
        expected = [to_felt(value) for value in instances_of(bundle, packed_input, packed)]
        if len(proof) != entry.proof_length or found != expected:
            raise ProofError(
                "proving-failed",
                "the proof is not for this input and output, or not of the expected length",
                hint="audit the bundle; its keys may not belong to its circuit",
                length=len(proof),
                expected_length=entry.proof_length,
            )
        return Proof(proof, packed, answer["witness_seconds"], answer["prove_seconds"])

    async def verify(
        self,
        bundle: Bundle,
        packed_input: bytes,
        packed_output: bytes,
        proof: bytes,
        circuit_index: int = 0,
    ) -> bool:
        """Whether a proof holds for exactly this input and output, as the contract decides it."""
        if len(proof) != bundle.circuit(circuit_index).proof_length:
            return False
        request: dict[str, Any] = {
            "settings": str(bundle.settings(circuit_index)),
            "instances": instances_of(bundle, packed_input, packed_output),
            "proof": proof.hex(),
        }
        await self._add_verification(request, bundle, circuit_index)
        answer = await run_worker("verify", request, limits=self.limits)
        if not answer["valid"]:
            return False
        if bundle.manifest.binding is Binding.PACKED:
            return True
        bound = await self.commitment(bundle, packed_input, circuit_index)
        return proof[:64] == bound[0] + bound[1]

    async def commitment(
        self, bundle: Bundle, packed_input: bytes, circuit_index: int = 0
    ) -> tuple[bytes, bytes]:
        """The KZG commitment of an input: the two words that its proofs start with.

        Raises:
            ProofError: ``not-committed`` for a version that takes packed inputs.
        """
        if bundle.manifest.binding is not Binding.KZG:
            raise ProofError(
                "not-committed",
                "this version is bound to its packed input, not to a commitment",
                hint="use keccak256 of the packed input",
            )
        request: dict[str, Any] = {
            "settings": str(bundle.settings(circuit_index)),
            "input": unpack(packed_input, bundle.schema.inputs)[0],
        }
        await self._add_verification(request, bundle, circuit_index)
        words = (await run_worker("commit", request, limits=self.limits))["words"]
        return bytes.fromhex(words[0]), bytes.fromhex(words[1])

    def _witness_request(
        self, bundle: Bundle, packed_input: bytes, circuit_index: int
    ) -> dict[str, Any]:
        return {
            "compiled": str(bundle.compiled(circuit_index)),
            "settings": str(bundle.settings(circuit_index)),
            "inputs": unpack(packed_input, bundle.schema.inputs),
        }

    async def _add_verification(
        self, request: dict[str, Any], bundle: Bundle, circuit_index: int
    ) -> None:
        entry = bundle.circuit(circuit_index)
        srs = await self.keys.srs(bundle.manifest.srs.kind, entry.logrows)
        request["verifying_key"] = str(bundle.verifying_key(circuit_index))
        request["srs"] = str(srs)


def pack_outputs(bundle: Bundle, outputs: Sequence[Sequence[int]]) -> bytes:
    """Packs a circuit's outputs.

    Raises:
        ProofError: ``output-out-of-range`` where one does not fit its width.
    """
    for integers, spec in zip(outputs, bundle.schema.outputs, strict=True):
        if any(not spec.minimum <= integer <= spec.maximum for integer in integers):
            raise ProofError(
                "output-out-of-range",
                f"output {spec.name!r} does not fit the {8 * spec.width} bits that this version"
                " reserves for it",
                hint="use inputs like those the model was calibrated with",
            )
    return pack(outputs, bundle.schema.outputs)


def instances_of(bundle: Bundle, packed_input: bytes, packed_output: bytes) -> list[int]:
    """The circuit's public values in order: inputs where they are packed, then outputs."""
    schema = bundle.schema
    public = [value for tensor in unpack(packed_output, schema.outputs) for value in tensor]
    inputs = [value for tensor in unpack(packed_input, schema.inputs) for value in tensor]
    return inputs + public if bundle.manifest.binding is Binding.PACKED else public
