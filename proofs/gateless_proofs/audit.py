"""Checks a bundle as a stranger must: is its key the key of its model, and does it behave?

Everything is derived again from the ONNX file: settings from its pinned run arguments, the compiled
circuit from those, the keys from that and the named reference string. A key made from another
model, or from the same one with other weights, cannot pass.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gateless.core.errors import GatelessError
from gateless.core.manifest import Binding, CircuitEntry
from gateless.core.packing import TensorSpec, pack

from gateless_proofs.behaviour import check_behaviour, input_ranges, random_input
from gateless_proofs.bundle import Bundle, check_file, sha256_of
from gateless_proofs.keys import KeyCache
from gateless_proofs.prover import Prover
from gateless_proofs.public_values import public_words
from gateless_proofs.repeating import check_repetition
from gateless_proofs.sandbox import Limits, Progress, run_worker
from gateless_proofs.srs import g2_of
from gateless_proofs.statements import UntrueStatementError, check_digits, check_slack
from gateless_proofs.vka import g2_of_vka, instance_count, vka_digest

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


#: Checks that leave one output only for an input: what is proven by the key is the circuit's.
SOUNDNESS = frozenset({"files", "on-chain", "settings", "srs", "circuit", "keys"})


async def audit_bundle(
    bundle: Bundle,
    keys: KeyCache,
    *,
    onchain: Sequence[bytes] | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
    seed: int = 0,
    only: Collection[str] | None = None,
) -> AuditReport:
    """Audits a bundle.

    Args:
        bundle: what was published.
        keys: cache of keys; keys are made again from the *rebuilt* circuit, never taken on trust.
        onchain: VKA digests that the registry pins, in order; unchecked if absent.
        limits: of each subprocess.
        progress: called with the check's name and the share done.
        seed: of the random inputs.
        only: names of the checks to make, such as :data:`SOUNDNESS`; by default all.
    """
    work = Path(tempfile.mkdtemp(prefix="gateless-audit-"))
    try:
        audit = _Audit(bundle, keys, onchain, limits or Limits(), work, seed)
        return await audit.run(progress, only)
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

    async def run(
        self, progress: Progress | None, only: Collection[str] | None = None
    ) -> AuditReport:
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
        if not self.bundle.manifest.circuits:
            steps = steps[:2]
        if self.bundle.manifest.execution.repeatable:
            steps.append(("repetition", self.repetition))
        if only is not None:
            steps = [(name, step) for name, step in steps if name in only]
        checks: list[Check] = []
        for place, (name, step) in enumerate(steps):
            if progress is not None:
                progress(name, place / len(steps))
            try:
                checks.append(Check(name, True, await step()))
            except (_Failed, UntrueStatementError, GatelessError) as error:
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
                "input_visibility": "Private" if entry.dense else _VISIBILITY[manifest.binding],
                "ignore_range_check_inputs_outputs": True,
                "disable_freivalds": True,
                "logrows": entry.logrows,
            }
            for name, value in expected.items():
                if arguments[name] != value:
                    raise _Failed(f"settings have {name} {arguments[name]!r}, not {value!r}")
            self._check_scales(entry, settings)
        return "weights are fixed in the key; inputs and outputs are bound as stated"

    def _check_scales(self, entry: CircuitEntry, settings: dict[str, Any]) -> None:
        manifest = self.bundle.manifest
        scales = [tensor.scale_bits for tensor in manifest.inputs]
        if settings["model_input_scales"] != scales:
            raise _Failed(f"inputs have scales {settings['model_input_scales']}, not {scales}")
        if entry.dense:
            check_digits(entry, settings["run_args"], manifest)
            return
        scales = [tensor.scale_bits for tensor in manifest.outputs]
        if settings["model_output_scales"] != scales:
            raise _Failed(f"outputs have scales {settings['model_output_scales']}, not {scales}")

    async def srs(self) -> str:
        """The key artifact carries the named reference string and no other."""
        stated = self.bundle.manifest.required_srs
        for index, entry in enumerate(self.bundle.manifest.circuits):
            words = self.bundle.vka_words(index)
            if g2_of_vka(words) != g2_of(stated.kind) or stated.g2 != g2_of(stated.kind):
                raise _Failed(f"the key was not made with the {stated.kind} reference string")
            manifest = self.bundle.manifest
            public = public_words(entry, manifest.inputs, manifest.outputs, manifest.binding)
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
                    "passes": list(entry.passes),
                    "batch_size": entry.batch_size,
                    "digit_bits": entry.digit_bits,
                    "digits_per_word": entry.digits_per_word,
                    "inputs": _packings(self.bundle.schema.inputs if entry.dense else ()),
                    "outputs": _packings(self.bundle.schema.outputs if entry.dense else ()),
                    "ranges": []
                    if entry.batch_size > 1 or entry.dense
                    else input_ranges(self.bundle),
                    "seed": self.seed,
                },
                limits=self.limits,
            )
            if answer["circuit_model"] != entry.circuit_model:
                raise _Failed("the passes do not make the model that the manifest names")
            if sha256_of(out / "settings.json") != entry.settings:
                raise _Failed("the settings do not follow from the ONNX file")
            if sha256_of(out / "circuit.compiled") != entry.compiled_circuit:
                raise _Failed("the compiled circuit was not made from the ONNX file")
            if entry.exact and not answer["exact"]:
                raise _Failed("the manifest calls a circuit exact that rescales")
            if entry.dense != ("dense-words" in entry.passes):
                raise _Failed("dense words are stated, but not made, or the other way round")
            if (entry.batch_size > 1) != ("batch" in entry.passes):
                raise _Failed("a batch is stated, but not made, or the other way round")
            check_slack(entry, self.bundle.manifest, answer["moves"])
        return "settings and compiled circuit were made again from the ONNX file, byte for byte"

    async def key(self) -> str:
        """Keys made from the rebuilt circuit are the published ones."""
        manifest = self.bundle.manifest
        for index, entry in enumerate(manifest.circuits):
            out = self._rebuilt(index)
            made = await self.keys.circuit_keys(
                out / "circuit.compiled",
                out / "settings.json",
                manifest.required_srs.kind,
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
        return await check_behaviour(self.bundle, self.seed, self.limits)

    async def proof(self) -> str:
        """A proof is made, has the pinned length, and verifies; for another output it does not."""
        generator = np.random.default_rng(self.seed + 1)
        details = []
        for index, entry in enumerate(self.bundle.manifest.circuits):
            rows = [
                pack(random_input(self.bundle, generator), self.bundle.schema.inputs)
                for _ in range(entry.batch_size)
            ]
            proof = await self.prover.prove_batch(self.bundle, rows, index)
            outputs = list(proof.packed_outputs)
            if not await self._verifies(rows, outputs, proof.proof, index):
                raise _Failed("a proof of the model does not verify")
            outputs[-1] = outputs[-1][:-1] + bytes((outputs[-1][-1] ^ 1,))
            if await self._verifies(rows, outputs, proof.proof, index):
                raise _Failed("a forged output verifies")
            details.append(f"{entry.proof_length} bytes in {proof.prove_seconds:.2f} s")
        return f"proved and verified, {', '.join(details)}; forged outputs were refused"

    async def repetition(self) -> str:
        """Outputs repeat on this machine, as the manifest says they do on the publisher's."""
        path, ranges = self.work / "samples.npz", input_ranges(self.bundle)
        return await check_repetition(self.bundle, path, ranges, self.seed, self.limits)

    async def _verifies(
        self, rows: Sequence[bytes], outputs: Sequence[bytes], proof: bytes, index: int
    ) -> bool:
        return await self.prover.verify_batch(self.bundle, rows, outputs, proof, index)

    def _rebuilt(self, index: int) -> Path:
        return self.work / f"circuit-{index}"


def _packings(specs: Sequence[TensorSpec]) -> list[list[int]]:
    return [[spec.width, spec.scale_bits] for spec in specs]
