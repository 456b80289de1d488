"""Runs a bundle: float outputs, witness, proof, verification, input commitment."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from gateless.core.errors import GatelessError, ProofError
from gateless.core.manifest import Binding
from gateless.core.packing import (
    FloatArray,
    dequantise,
    felt_from_ezkl_hex,
    unpack,
)
from gateless.core.raw_tensors import decode_raw

from gateless_proofs.backend import ProvingBackend, Task
from gateless_proofs.bundle import Bundle
from gateless_proofs.intactness import require_intact
from gateless_proofs.keys import VERIFYING_KEY, KeyCache
from gateless_proofs.rows import circuit_inputs, instances_of, outputs_of, padded
from gateless_proofs.sandbox import Limits, Progress, run_worker

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Step = Callable[Concatenate["Prover", Bundle, _P], Coroutine[Any, Any, _T]]


def _on_right_files(step: _Step[_P, _T]) -> _Step[_P, _T]:
    """A step whose result, or error, is one of the bundle as it was published."""

    @functools.wraps(step)
    async def checked(self: Prover, bundle: Bundle, /, *rest: _P.args, **options: _P.kwargs) -> _T:
        try:
            result = await step(self, bundle, *rest, **options)
        except (GatelessError, OSError):
            await self.require_intact(bundle)
            raise
        if not isinstance(result, BatchProof):  # a verified proof stands for itself
            await require_intact(bundle, self.keys.fingerprints)
        return result

    return checked


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


@dataclass(frozen=True, slots=True)
class BatchProof:
    """A proof for all rows of a circuit, already verified.

    Attributes:
        proof: raw bytes, of the exact length that the version pins.
        packed_outputs: the outputs of each row that it proves, those of padding included.
        packed_inputs: the rows, as many as the circuit takes: the last one may be repeated.
        seconds: time that witness and proof took.
    """

    proof: bytes
    packed_outputs: tuple[bytes, ...]
    packed_inputs: tuple[bytes, ...]
    witness_seconds: float
    prove_seconds: float

    @property
    def seconds(self) -> float:
        """Time that witness and proof took."""
        return self.witness_seconds + self.prove_seconds


class Prover:
    """Everything one does with a bundle, each step in a limited subprocess.

    Before an error says anything about a model or an input, the bundle's files are read again:
    where they are damaged, a step raises a :class:`StorageError`, ``bundle-damaged``. So it does
    where a file was written to before or while it was used, proofs apart.

    Args:
        keys: cache of keys and reference strings.
        limits: of each subprocess, where there is no pool.
        pool: makes witnesses, float outputs and proofs, here or elsewhere; without one
            every step has a process of its own.
    """

    def __init__(
        self, keys: KeyCache, limits: Limits | None = None, pool: ProvingBackend | None = None
    ) -> None:
        self.keys = keys
        self.limits = limits or Limits()
        self.pool = pool

    @_on_right_files
    async def float_outputs(self, bundle: Bundle, packed_input: bytes) -> list[FloatArray]:
        """onnxruntime's outputs for the real numbers that a packed input stands for."""
        specs = bundle.schema.inputs
        tensors = unpack(packed_input, specs)
        reals = [
            dequantise(integers, spec).reshape(-1).tolist()
            for integers, spec in zip(tensors, specs, strict=True)
        ]
        request = {
            "shapes": [list(spec.shape) for spec in specs],
            "samples": [reals],
        }
        answer = await self._run(
            Task(bundle.digest, "reference", "model", files={"model": bundle.model}), request
        )
        return [
            np.array(output["values"], dtype=np.float64).reshape(output["shape"])
            for output in answer["outputs"][0]
        ]

    @_on_right_files
    async def answer(self, bundle: Bundle, packed_input: bytes) -> bytes:
        """The output that quorums compare: the circuit's, or the model's own without a circuit.

        Raises:
            ProofError: ``input-not-provable``, ``output-out-of-range``.
            InputError: ``wrong-length``, ``out-of-range``.
        """
        if bundle.manifest.circuits:
            return (await self.witness(bundle, packed_input)).packed_output
        tensors = [tensor.raw() for tensor in bundle.manifest.inputs]
        decode_raw(packed_input, tensors)  # what is no input is refused here
        request = {
            "inputs": [
                {"name": tensor.name, "shape": list(tensor.shape), "dtype": tensor.onnx_dtype}
                for tensor in tensors
            ],
            "input": packed_input.hex(),
        }
        answer = await self._run(
            Task(bundle.digest, "run_raw", "model", files={"model": bundle.model}), request
        )
        output = bytes.fromhex(answer["output"])
        expected = sum(tensor.raw().length for tensor in bundle.manifest.outputs)
        if len(output) != expected:
            raise ProofError(
                "output-out-of-range",
                f"the model put out {len(output)} bytes, its manifest says {expected}",
                hint="the shape of its outputs depends on the input: it cannot be used",
            )
        return output

    async def witness(self, bundle: Bundle, packed_input: bytes, circuit_index: int = 0) -> Witness:
        """The circuit's outputs for an input.

        Raises:
            ProofError: ``input-not-provable``, ``output-out-of-range``.
        """
        return (await self.witness_batch(bundle, [packed_input], circuit_index))[0]

    @_on_right_files
    async def witness_batch(
        self, bundle: Bundle, packed_rows: Sequence[bytes], circuit_index: int
    ) -> list[Witness]:
        """The circuit's outputs for up to as many inputs as it takes at once.

        Raises:
            ProofError: ``input-not-provable``, ``output-out-of-range``, for any of the rows.
            InputError: ``wrong-row-count``.
        """
        entry = bundle.circuit(circuit_index)
        rows = padded(packed_rows, entry)
        answer = await self._run(
            Task(
                bundle.digest,
                "witness",
                entry.compiled_circuit,
                files=_circuit_files(bundle, circuit_index),
            ),
            {"inputs": circuit_inputs(rows, bundle.schema)},
        )
        packed_outputs = outputs_of(bundle, entry, rows, answer["outputs"])
        specs = bundle.schema.outputs
        return [
            Witness(
                packed_output=packed,
                outputs_float=tuple(
                    dequantise(integers, spec)
                    for integers, spec in zip(unpack(packed, specs), specs, strict=True)
                ),
                seconds=answer["seconds"],
            )
            for packed in packed_outputs[: len(packed_rows)]
        ]

    async def prove(
        self,
        bundle: Bundle,
        packed_input: bytes,
        circuit_index: int = 0,
        progress: Progress | None = None,
        *,
        due: float = math.inf,
    ) -> Proof:
        """A proof of the circuit's outputs for an input, verified before it is returned.

        Args:
            bundle: the version.
            packed_input: the input.
            circuit_index: which of its circuits.
            progress: told what it does.
            due: when it should be done, seconds since 1970: of proofs that wait for room in the
                pool the most urgent one comes first.

        Raises:
            ProofError: ``input-not-provable``, ``output-out-of-range``, ``proving-failed``,
                ``key-mismatch``.
        """
        batch = await self.prove_batch(bundle, [packed_input], circuit_index, progress, due=due)
        return Proof(
            batch.proof, batch.packed_outputs[0], batch.witness_seconds, batch.prove_seconds
        )

    @_on_right_files
    async def prove_batch(
        self,
        bundle: Bundle,
        packed_rows: Sequence[bytes],
        circuit_index: int,
        progress: Progress | None = None,
        *,
        due: float = math.inf,
    ) -> BatchProof:
        """One proof for several inputs, verified before it is returned.

        Rows that are missing are filled by repeating the last one.

        Raises:
            ProofError: as :meth:`prove`, for any of the rows.
            InputError: ``wrong-row-count``.
        """
        entry = bundle.circuit(circuit_index)
        rows = padded(packed_rows, entry)
        proving_key = await self.keys.proving_key(bundle, circuit_index, progress)
        srs = await self.keys.srs(bundle.manifest.required_srs.kind, entry.logrows)
        files = _circuit_files(bundle, circuit_index) | {
            "proving_key": proving_key,
            # The key that was made beside it, not the publisher's: it needs no checks.
            "verifying_key": proving_key.with_name(VERIFYING_KEY),
            "srs": srs,
        }

        def proven(answer: Mapping[str, Any]) -> tuple[bytes, tuple[bytes, ...]]:
            return _proven(bundle, circuit_index, rows, answer)

        task = Task(
            bundle.digest,
            "prove",
            entry.compiled_circuit,
            entry.logrows,
            entry.prove_memory_bytes,
            files,
            due,
            proven,
        )
        answer = await self._run(task, {"inputs": circuit_inputs(rows, bundle.schema)}, progress)
        proof, packed_outputs = proven(answer)
        return BatchProof(
            proof, packed_outputs, rows, answer["witness_seconds"], answer["prove_seconds"]
        )

    async def verify(
        self,
        bundle: Bundle,
        packed_input: bytes,
        packed_output: bytes,
        proof: bytes,
        circuit_index: int = 0,
    ) -> bool:
        """Whether a proof holds for exactly this input and output, as the contract decides it."""
        return await self.verify_batch(
            bundle, [packed_input], [packed_output], proof, circuit_index
        )

    @_on_right_files
    async def verify_batch(
        self,
        bundle: Bundle,
        packed_inputs: Sequence[bytes],
        packed_outputs: Sequence[bytes],
        proof: bytes,
        circuit_index: int,
    ) -> bool:
        """Whether a proof holds for exactly these rows, as the contract decides it.

        All rows that the circuit takes must be given, padding included.
        """
        entry = bundle.circuit(circuit_index)
        if len(proof) != entry.proof_length:
            return False
        if not len(packed_inputs) == len(packed_outputs) == entry.batch_size:
            return False
        request = await self._verification(bundle, circuit_index) | {
            "instances": instances_of(bundle, entry, packed_inputs, packed_outputs),
            "proof": proof.hex(),
        }
        answer = await run_worker("verify", request, limits=self.limits)
        if not answer["valid"]:
            await self.require_intact(bundle)
            return False
        if bundle.manifest.binding is Binding.PACKED:
            return True
        bound = await self.commitment(bundle, packed_inputs[0], circuit_index)
        return proof[:64] == bound[0] + bound[1]

    @_on_right_files
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
        request = await self._verification(bundle, circuit_index) | {
            "input": unpack(packed_input, bundle.schema.inputs)[0]
        }
        words = (await run_worker("commit", request, limits=self.limits))["words"]
        return bytes.fromhex(words[0]), bytes.fromhex(words[1])

    async def require_intact(self, bundle: Bundle) -> None:
        """Reads a bundle's files again, before anything is concluded from what they said.

        Raises:
            StorageError: ``bundle-damaged``.
        """
        await require_intact(bundle, self.keys.fingerprints, anew=True)

    async def _run(
        self, task: Task, request: Mapping[str, Any], progress: Progress | None = None
    ) -> dict[str, Any]:
        if self.pool is not None:
            return await self.pool.run(task, request, progress)
        return await run_worker(
            task.operation,
            task.arguments(request),
            limits=self.limits,
            progress=progress,
            own_keys="proving_key" in task.files,
        )

    async def _verification(self, bundle: Bundle, circuit_index: int) -> dict[str, Any]:
        entry = bundle.circuit(circuit_index)
        srs = await self.keys.srs(bundle.manifest.required_srs.kind, entry.logrows)
        return {
            "settings": str(bundle.settings(circuit_index)),
            "verifying_key": str(bundle.verifying_key(circuit_index)),
            "srs": str(srs),
        }


def _circuit_files(bundle: Bundle, circuit_index: int) -> dict[str, Path]:
    return {"compiled": bundle.compiled(circuit_index), "settings": bundle.settings(circuit_index)}


def _proven(
    bundle: Bundle, circuit_index: int, rows: Sequence[bytes], answer: Mapping[str, Any]
) -> tuple[bytes, tuple[bytes, ...]]:
    """The proof in an answer and the outputs that it proves: of these rows, in the right length."""
    entry = bundle.circuit(circuit_index)
    packed_outputs = outputs_of(bundle, entry, rows, answer["outputs"])
    proof = bytes.fromhex(answer["proof"])
    found = [felt_from_ezkl_hex(text) for text in answer["instances"]]
    expected = instances_of(bundle, entry, rows, packed_outputs)
    if len(proof) != entry.proof_length or found != expected:
        raise ProofError(
            "proving-failed",
            "the proof is not for this input and output, or not of the expected length",
            hint="audit the bundle; its keys may not belong to its circuit",
            length=len(proof),
            expected_length=entry.proof_length,
        )
    return proof, packed_outputs
