"""Checks a bundle as a stranger must: is its key the key of its model, and does it behave?

Everything is derived again from the ONNX file: settings from its pinned run arguments, the compiled
circuit from those, the keys from that and the named reference string. A key made from another
model, or from the same one with other weights, cannot pass.
"""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gateless.core.errors import GatelessError
from gateless.core.manifest import Binding
from gateless.core.packing import TensorSpec, dequantise, pack, quantise

from gateless_proofs.bundle import Bundle, check_file, sha256_of
from gateless_proofs.keys import KeyCache
from gateless_proofs.prover import Prover
from gateless_proofs.sandbox import Limits, Progress, run_worker
from gateless_proofs.srs import g2_of
from gateless_proofs.vka import g2_of_vka, instance_count, vka_digest

#: random inputs that are compared with onnxruntime
SAMPLES = 16
#: share of them that must be within the bound; models with thresholds may jump next to one
REQUIRED_SHARE = 0.9
_VISIBILITY = {Binding.PACKED: "Public", Binding.KZG: "KZGCommit"}


@dataclass(frozen=True, slots=True)
class Check:
    """One named check and what it found."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """All checks, in order. A check that needs a failed one is not made."""

    ok: bool
    checks: tuple[Check, ...]


class _Failed(Exception):
    """A check found something wrong."""


async def audit_bundle(
    bundle: Bundle,
    keys: KeyCache,
    *,
    onchain: Sequence[bytes] | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
    seed: int = 0,
) -> AuditReport:
    """Audits a bundle.

    Args:
        bundle: what was published.
        keys: cache of keys; keys are made again from the *rebuilt* circuit, never taken on trust.
        onchain: VKA digests that the registry pins, in order; unchecked if absent.
        limits: of each subprocess.
        progress: called with the check's name and the share done.
        seed: of the random inputs.
    """
    work = Path(tempfile.mkdtemp(prefix="gateless-audit-"))
    try:
        return await _Audit(bundle, keys, onchain, limits or Limits(), work, seed).run(progress)
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Audit:
    def __init__(
        self,
        bundle: Bundle,
        keys: KeyCache,
        onchain: Sequence[bytes] | None,
        limits: Limits,
        work: Path,
        seed: int,
    ) -> None:
        self.bundle = bundle
        self.keys = keys
        self.onchain = onchain
        self.limits = limits
        self.work = work
        self.seed = seed
        self.prover = Prover(keys, limits)

    async def run(self, progress: Progress | None) -> AuditReport:
        """Makes the checks until one fails."""
        steps: list[tuple[str, Callable[[], Awaitable[str]]]] = [
            ("files", self.files),
            ("on-chain", self.on_chain),
            ("settings", self.settings),
            ("srs", self.srs),
            ("circuit", self.circuit),
            ("keys", self.key),
            ("behaviour", self.behaviour),
            ("proof", self.proof),
        ]
        checks: list[Check] = []
        for place, (name, step) in enumerate(steps):
            if progress is not None:
                progress(name, place / len(steps))
            try:
                checks.append(Check(name, True, await step()))
            except (_Failed, GatelessError) as error:
                checks.append(Check(name, False, str(error)))
                break
        return AuditReport(all(check.ok for check in checks), tuple(checks))

    async def files(self) -> str:
        """Every file is the one that the manifest names."""
        files = self.bundle.manifest.files
        for entry in files:
            await asyncio.to_thread(check_file, self.bundle.root, entry)
        return f"{len(files)} files match their digests"

    async def on_chain(self) -> str:
        """The registry pins these circuits."""
        if self.onchain is None:
            return "not compared: no digests given"
        pinned = ["0x" + digest.hex() for digest in self.onchain]
        listed = [entry.vka_digest for entry in self.bundle.manifest.circuits]
        if pinned != listed:
            raise _Failed(f"the chain pins {pinned}, the manifest lists {listed}")
        return "the chain pins the manifest's keys"

    async def settings(self) -> str:
        """Weights are fixed in the key, outputs public, inputs bound as the manifest says."""
        manifest = self.bundle.manifest
        for index, entry in enumerate(manifest.circuits):
            settings = json.loads(self.bundle.settings(index).read_text(encoding="utf-8"))
            arguments = settings["run_args"]
            expected = {
                "param_visibility": "Fixed",
                "output_visibility": "Public",
                "input_visibility": _VISIBILITY[manifest.binding],
                "ignore_range_check_inputs_outputs": True,
                "logrows": entry.logrows,
            }
            for name, value in expected.items():
                if arguments[name] != value:
                    raise _Failed(f"settings have {name} {arguments[name]!r}, not {value!r}")
            scales = [tensor.scale_bits for tensor in manifest.inputs]
            if settings["model_input_scales"] != scales:
                raise _Failed(f"inputs have scales {settings['model_input_scales']}, not {scales}")
            scales = [tensor.scale_bits for tensor in manifest.outputs]
            if settings["model_output_scales"] != scales:
                raise _Failed(
                    f"outputs have scales {settings['model_output_scales']}, not {scales}"
                )
        return "weights are fixed in the key; inputs and outputs are bound as stated"

    async def srs(self) -> str:
        """The key artifact carries the named reference string and no other."""
        stated = self.bundle.manifest.srs
        for index, _ in enumerate(self.bundle.manifest.circuits):
            words = self.bundle.vka_words(index)
            if g2_of_vka(words) != g2_of(stated.kind) or stated.g2 != g2_of(stated.kind):
                raise _Failed(f"the key was not made with the {stated.kind} reference string")
            public = _public_values(self.bundle)
            if instance_count(words) != public:
                raise _Failed(f"the key has {instance_count(words)} public values, not {public}")
        return f"keys carry the {stated.kind} reference string"

    async def circuit(self) -> str:
        """Settings and compiled circuit follow from the ONNX file, byte for byte."""
        facts = await run_worker("inspect", {"model": str(self.bundle.model)}, limits=self.limits)
        for index, entry in enumerate(self.bundle.manifest.circuits):
            out = self._rebuilt(index)
            out.mkdir()
            answer = await run_worker(
                "rebuild",
                {
                    "model": str(self.bundle.model),
                    "settings": str(self.bundle.settings(index)),
                    "operators": facts["operators"],
                    "out": str(out),
                },
                limits=self.limits,
            )
            if sha256_of(out / "settings.json") != entry.settings:
                raise _Failed("the settings do not follow from the ONNX file")
            if sha256_of(out / "circuit.compiled") != entry.compiled_circuit:
                raise _Failed("the compiled circuit was not made from the ONNX file")
            if entry.exact and not answer["exact"]:
                raise _Failed("the manifest calls a circuit exact that rescales")
        return "settings and compiled circuit were made again from the ONNX file, byte for byte"

    async def key(self) -> str:
        """Keys made from the rebuilt circuit are the published ones."""
        manifest = self.bundle.manifest
        for index, entry in enumerate(manifest.circuits):
            out = self._rebuilt(index)
            made = await self.keys.circuit_keys(
                out / "circuit.compiled",
                out / "settings.json",
                manifest.srs.kind,
                entry.logrows,
                limits=self.limits,
            )
            published = vka_digest(self.bundle.vka_words(index))
            if not made.vka_digest == entry.vka_digest == published:
                raise _Failed(
                    f"the key regenerates as {made.vka_digest}, the manifest says"
                    f" {entry.vka_digest}, the published artifact is {published}"
                )
            if made.verifying_key != self.bundle.verifying_key(index).read_bytes():
                raise _Failed("the verifying key is not the one that the circuit gives")
        return f"the key regenerates: {manifest.circuits[0].vka_digest}"

    async def behaviour(self) -> str:
        """Fixed-point outputs stay near onnxruntime's on random inputs."""
        schema = self.bundle.schema
        generator = np.random.default_rng(self.seed)
        samples = [self._random_input(generator) for _ in range(SAMPLES)]
        answer = await run_worker(
            "reference",
            {
                "model": str(self.bundle.model),
                "shapes": [list(spec.shape) for spec in schema.inputs],
                "samples": [
                    [
                        dequantise(integers, spec).reshape(-1).tolist()
                        for integers, spec in zip(sample, schema.inputs, strict=True)
                    ]
                    for sample in samples
                ],
            },
            limits=self.limits,
        )
        floats = [[out["values"] for out in outputs] for outputs in answer["outputs"]]
        details = []
        for index, _ in enumerate(self.bundle.manifest.circuits):
            request = {
                "compiled": str(self.bundle.compiled(index)),
                "settings": str(self.bundle.settings(index)),
                "samples": samples,
            }
            answer = await run_worker("outputs", request, limits=self.limits)
            errors = [
                _largest_error(ours, theirs, schema.outputs)
                for ours, theirs in zip(answer["outputs"], floats, strict=True)
            ]
            details.append(self._judge(errors))
        return "; ".join(details)

    def _judge(self, errors: list[float]) -> str:
        bound = self.bundle.manifest.accuracy.bound
        good = sum(error <= bound for error in errors)
        if good < REQUIRED_SHARE * len(errors):
            raise _Failed(f"only {good} of {len(errors)} random inputs stay within {bound:.3g}")
        return (
            f"{good} of {len(errors)} random inputs within {bound:.3g},"
            f" median error {statistics.median(errors):.3g}"
        )

    async def proof(self) -> str:
        """A proof is made, has the pinned length, and verifies; for another output it does not."""
        tensors = self._random_input(np.random.default_rng(self.seed + 1))
        packed = pack(tensors, self.bundle.schema.inputs)
        for index, entry in enumerate(self.bundle.manifest.circuits):
            proof = await self.prover.prove(self.bundle, packed, index)
            outputs = proof.packed_output
            if not await self.prover.verify(self.bundle, packed, outputs, proof.proof, index):
                raise _Failed("a proof of the model does not verify")
            forged = outputs[:-1] + bytes((outputs[-1] ^ 1,))
            if await self.prover.verify(self.bundle, packed, forged, proof.proof, index):
                raise _Failed("a forged output verifies")
            detail = f"{entry.proof_length} bytes in {proof.prove_seconds:.2f} s"
        return f"proved and verified, {detail}; a forged output was refused"

    def _rebuilt(self, index: int) -> Path:
        return self.work / f"circuit-{index}"

    def _random_input(self, generator: np.random.Generator) -> list[list[int]]:
        tensors = []
        for tensor, spec in zip(
            self.bundle.manifest.inputs, self.bundle.schema.inputs, strict=True
        ):
            low, high = tensor.calibrated_range or _packed_range(spec)
            tensors.append(quantise(generator.uniform(low, high, size=spec.shape), spec))
        return tensors


def _packed_range(spec: TensorSpec) -> tuple[float, float]:
    return spec.minimum / 2.0**spec.scale_bits, spec.maximum / 2.0**spec.scale_bits


def _public_values(bundle: Bundle) -> int:
    schema = bundle.schema
    counted = schema.outputs
    if bundle.manifest.binding is Binding.PACKED:
        counted = (*schema.inputs, *schema.outputs)
    return sum(spec.count for spec in counted)


def _largest_error(
    ours: Sequence[Sequence[int]] | None,
    theirs: Sequence[Sequence[float]],
    specs: Sequence[TensorSpec],
) -> float:
    """Largest difference of any output; infinite where the circuit cannot take the input."""
    if ours is None:
        return math.inf
    return max(
        float(np.max(np.abs(dequantise(integers, spec).reshape(-1) - np.array(floats))))
        for integers, floats, spec in zip(ours, theirs, specs, strict=True)
    )
