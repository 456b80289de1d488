"""From an ONNX file and calibration data to a bundle.

The bundle appears under its final name only when it is complete and has proven one inference.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from gateless import __version__
from gateless.core.errors import InputError, ModelError, ProofError
from gateless.core.manifest import (
    Accuracy,
    Binding,
    BundleFile,
    CircuitEntry,
    FileRole,
    Goal,
    Manifest,
    Plan,
    PlanCandidate,
    Provenance,
    Srs,
    Tensor,
)
from gateless.core.packing import FloatArray, TensorSpec

from gateless_proofs.bundle import MANIFEST_NAME, Bundle, load_bundle, sha256_of
from gateless_proofs.calibration import CalibrationData
from gateless_proofs.card import model_card
from gateless_proofs.keys import CircuitKeys, KeyCache
from gateless_proofs.onnx_limits import require_file_size
from gateless_proofs.sandbox import Limits, Progress, run_worker
from gateless_proofs.srs import SrsKind, g2_of, require_srs_allowed
from gateless_proofs.vka import instance_count, parse_vka

#: inputs with more values than this are bound by commitment, which costs a flat sum on chain
MAX_PACKED_VALUES = 128
_MAX_LOGROWS = 20
_STAGES = {
    "inspect": (0.0, 0.05),
    "reference": (0.05, 0.1),
    "search": (0.1, 0.5),
    "compile": (0.5, 0.55),
    "srs": (0.55, 0.75),
    "setup": (0.75, 0.9),
    "witness": (0.9, 0.91),
    "prove": (0.91, 0.98),
    "verify": (0.98, 1.0),
}


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What the publisher decides.

    Attributes:
        name: name of the model.
        accuracy_bound: largest absolute error at which executors still sign; by default one per
            cent of the range of the outputs on the calibration data.
        binding: how requests are bound to inputs; by default chosen by the size of the input.
        chain_id: chain that the bundle is for; the development SRS is refused off 31337.
        goal: what the plan keeps low.
        batch_sizes: inferences per proof, one circuit for each; 1 is always among them.
        seed: of everything random in the plan.
        max_logrows: largest circuit taken into account, as log2 of its rows.
        memory_budget: memory that one proof may take, in bytes.
        gas_budget: gas that one verification may take; unlimited if absent.
    """

    name: str
    description: str = ""
    accuracy_bound: float | None = None
    binding: Binding | None = None
    srs_kind: SrsKind = "development"
    labels: tuple[str, ...] = ()
    task: str = ""
    tags: tuple[str, ...] = ()
    chain_id: int | None = None
    goal: Goal = Goal.BALANCED
    batch_sizes: tuple[int, ...] = (1,)
    seed: int = 0
    max_logrows: int = 20
    memory_budget: int | None = None
    gas_budget: int | None = None


async def build_bundle(
    model: Path,
    calibration: CalibrationData,
    out: Path,
    *,
    options: BuildOptions,
    keys: KeyCache,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Bundle:
    """Builds the bundle of a model in ``out``, which must not exist or be empty.

    Raises:
        ModelError: the ONNX file cannot be taken.
        InputError: the calibration data does not suit the model.
        ProofError: no circuit, no key or no proof.
        SandboxError: a limit was hit.
    """
    limits = limits or Limits()
    if options.chain_id is not None:
        require_srs_allowed(options.srs_kind, options.chain_id)
    work = _start(model, out)
    try:
        await _Build(work, calibration, options, keys, limits, progress).run(model)
        return _finish(work, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _start(model: Path, out: Path) -> Path:
    """Checks what can be checked at once and makes a scratch folder next to the target."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(
            "output-exists",
            f"{out} exists already",
            hint="choose another folder, or remove it",
        )
    if not model.is_file():
        raise ModelError(
            "model-not-found", f"there is no file {model}", hint="give the path of an ONNX file"
        )
    require_file_size(model)
    out.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=out.parent.resolve(), prefix=f".{out.name}-"))


def _finish(work: Path, out: Path) -> Bundle:
    """Moves the complete bundle to its name; an empty folder of that name is replaced."""
    if out.exists():
        out.rmdir()
    (work / "bundle").rename(out)
    return load_bundle(out)


class _Build:
    """One build in a scratch folder."""

    def __init__(
        self,
        work: Path,
        calibration: CalibrationData,
        options: BuildOptions,
        keys: KeyCache,
        limits: Limits,
        progress: Progress | None,
    ) -> None:
        self.work = work
        self.root = work / "bundle"
        self.root.mkdir()
        self.calibration = calibration
        self.options = options
        self.keys = keys
        self.limits = limits
        self.outer = progress

    def progress(self, stage: str, fraction: float) -> None:
        """Places a stage's fraction on the whole build's scale."""
        if self.outer is not None:
            start, end = _STAGES.get(stage, (0.0, 1.0))
            self.outer(stage, start + (end - start) * fraction)

    async def run(self, model: Path) -> None:
        """All steps."""
        path = self.root / "model.onnx"
        shutil.copyfile(model, path)
        self.progress("inspect", 0.0)
        facts = await run_worker("inspect", {"model": str(path)}, limits=self.limits)
        samples = self._samples(facts)
        binding = self._binding(facts)
        found = await self._search(path, facts, samples, binding)
        self._check_labels(found)
        logrows = found["parameters"]["logrows"]
        keys = await self.keys.circuit_keys(
            self.root / "circuit.compiled",
            self.root / "settings.json",
            self.options.srs_kind,
            logrows,
            progress=self.progress,
            limits=self.limits,
        )
        (self.root / "vk.key").write_bytes(keys.verifying_key)
        (self.root / "vka.bin").write_bytes(keys.vka)
        proven = await self._prove_once(found, keys, logrows)
        length = len(proven["proof"]) // 2
        manifest = self._manifest(facts, found, binding, keys, length, proven)
        manifest.schema_of_io().check_row(packed_inputs=binding is Binding.PACKED)
        (self.root / MANIFEST_NAME).write_bytes(manifest.to_bytes())

    def _samples(self, facts: dict[str, Any]) -> list[list[FloatArray]]:
        # Width and scale are not known yet; only names and shapes matter here.
        specs = [
            TensorSpec(entry["name"], tuple(entry["shape"]), 16, 0) for entry in facts["inputs"]
        ]
        return self.calibration.samples(specs)

    def _binding(self, facts: dict[str, Any]) -> Binding:
        shapes = [entry["shape"] for entry in facts["inputs"]]
        binding = self.options.binding
        if binding is Binding.KZG and len(shapes) != 1:
            raise InputError(
                "binding-not-possible",
                f"a commitment binds one input tensor, the model has {len(shapes)}",
                hint="use packed binding, or concatenate the inputs in the model",
            )
        if binding is not None:
            return binding
        large = sum(math.prod(shape) for shape in shapes) > MAX_PACKED_VALUES
        return Binding.KZG if large and len(shapes) == 1 else Binding.PACKED

    def _check_labels(self, found: dict[str, Any]) -> None:
        labels, shapes = self.options.labels, [entry["shape"] for entry in found["outputs"]]
        if labels and (len(shapes) != 1 or math.prod(shapes[0]) != len(labels)):
            raise InputError(
                "labels-mismatch",
                f"{len(labels)} labels for outputs of shape {shapes}",
                hint="name every score of the one output, in order, or give no labels",
            )

    async def _search(
        self,
        path: Path,
        facts: dict[str, Any],
        samples: list[list[FloatArray]],
        binding: Binding,
    ) -> dict[str, Any]:
        stored = self.work / "samples.npz"
        arrays = {
            f"input{place}": np.stack([sample[place] for sample in samples])
            for place in range(len(facts["inputs"]))
        }
        np.savez(stored, allow_pickle=False, **arrays)
        # A circuit of 2**17 rows in one column takes about 1 GiB to prove; each k doubles it.
        affordable = 17 + math.floor(math.log2(max(self.limits.memory_bytes / 2**30, 2**-9)))
        return await run_worker(
            "search",
            {
                "model": str(path),
                "samples": str(stored),
                "out": str(self.root),
                "operators": facts["operators"],
                "symbols": facts["symbols"],
                "binding": binding.value,
                "accuracy_bound": self.options.accuracy_bound,
                "max_logrows": min(affordable, _MAX_LOGROWS),
            },
            limits=self.limits,
            progress=self.progress,
        )

    def _manifest(
        self,
        facts: dict[str, Any],
        found: dict[str, Any],
        binding: Binding,
        keys: CircuitKeys,
        proof_length: int,
        proven: dict[str, Any],
    ) -> Manifest:
        words = parse_vka(keys.vka)
        inputs = tuple(
            Tensor(
                name=entry["name"],
                shape=tuple(entry["shape"]),
                width=fitted["width"],
                scale_bits=fitted["scale"],
                onnx_dtype=entry["dtype"],
                calibrated_range=(fitted["low"], fitted["high"]),
            )
            for entry, fitted in zip(facts["inputs"], found["inputs"], strict=True)
        )
        outputs = tuple(
            Tensor(
                name=entry["name"],
                shape=tuple(entry["shape"]),
                width=entry["width"],
                scale_bits=entry["scale"],
                onnx_dtype=entry["dtype"],
            )
            for entry in found["outputs"]
        )
        public = sum(math.prod(tensor.shape) for tensor in outputs)
        if binding is Binding.PACKED:
            public += sum(math.prod(tensor.shape) for tensor in inputs)
        if instance_count(words) != public:
            raise ProofError(
                "instances-mismatch",
                f"the circuit has {instance_count(words)} public values, the model {public}",
                hint="report the model",
            )
        card = model_card(self.options, facts, found, binding)
        (self.root / "README.md").write_text(card, encoding="utf-8")
        files = {
            role: BundleFile(
                role=role,
                name=name,
                sha256=sha256_of(self.root / name),
                size=(self.root / name).stat().st_size,
            )
            for role, name in (
                (FileRole.MODEL, "model.onnx"),
                (FileRole.SETTINGS, "settings.json"),
                (FileRole.COMPILED, "circuit.compiled"),
                (FileRole.VERIFYING_KEY, "vk.key"),
                (FileRole.VKA, "vka.bin"),
                (FileRole.CARD, "README.md"),
            )
        }
        logrows = found["parameters"]["logrows"]
        return Manifest(
            name=self.options.name,
            description=self.options.description,
            files=tuple(files.values()),
            inputs=inputs,
            outputs=outputs,
            binding=binding,
            circuits=(
                CircuitEntry(
                    batch_size=1,
                    logrows=logrows,
                    vka_digest=keys.vka_digest,
                    proof_length=proof_length,
                    settings=files[FileRole.SETTINGS].sha256,
                    compiled_circuit=files[FileRole.COMPILED].sha256,
                    verifying_key=files[FileRole.VERIFYING_KEY].sha256,
                    vka=files[FileRole.VKA].sha256,
                    circuit_model=files[FileRole.MODEL].sha256,
                    exact=found["exact"],
                    slack=tuple(0 if found["exact"] else 1 for _ in outputs),
                    slack_kind="exact" if found["exact"] else "estimate",
                    prove_seconds=proven["prove_seconds"],
                    prove_memory_bytes=proven["peak_bytes"],
                ),
            ),
            accuracy=Accuracy(bound=found["bound"], **found["accuracy"]),
            srs=Srs(kind=self.options.srs_kind, logrows=logrows, g2=g2_of(self.options.srs_kind)),
            provenance=Provenance(
                gateless=__version__,
                ezkl=version("ezkl"),
                onnxruntime=version("onnxruntime"),
                onnx=version("onnx"),
                opset=facts["opset"],
            ),
            plan=Plan(
                goal=self.options.goal,
                seed=self.options.seed,
                bound_kind="absolute" if self.options.accuracy_bound else "labels",
                candidates=(
                    PlanCandidate(
                        input_scale=found["parameters"]["input_scale"],
                        param_scale=found["parameters"]["param_scale"],
                        multiplier=found["parameters"]["multiplier"],
                        verdict="winner",
                    ),
                ),
                considered=1,
                winners=(0,),
                why="the first that met the bound",
            ),
            task=self.options.task,
            tags=self.options.tags,
            labels=self.options.labels,
        )

    async def _prove_once(self, found: dict[str, Any], keys: CircuitKeys, logrows: int) -> dict[str, Any]:
        """Proves a calibration sample; the length of the proof is the same for all inputs.

        A bundle that cannot prove its own calibration data is never handed out.
        """
        srs = await self.keys.srs(self.options.srs_kind, logrows)
        root = self.root
        answer = await run_worker(
            "prove",
            {
                "compiled": str(root / "circuit.compiled"),
                "settings": str(root / "settings.json"),
                "inputs": found["first_sample"],
                "proving_key": str(keys.proving_key),
                "verifying_key": str(root / "vk.key"),
                "srs": str(srs),
            },
            limits=self.limits,
            progress=self.progress,
        )
        return {"peak_bytes": 0, **answer}
