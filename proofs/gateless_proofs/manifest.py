"""From a plan to the manifest of a bundle and the files that it lists."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gateless import __version__
from gateless.core.execution import Execution
from gateless.core.manifest import (
    Accuracy,
    Binding,
    BundleFile,
    CircuitEntry,
    FileRole,
    Manifest,
    Plan,
    Provenance,
    Srs,
    Tensor,
)
from gateless.core.packing import FloatArray
from gateless.core.raw_tensors import RawTensor

from gateless_proofs.build_options import BuildOptions
from gateless_proofs.bundle import sha256_of
from gateless_proofs.card import model_card
from gateless_proofs.planner.plan import PlannedCircuit, PlanResult
from gateless_proofs.public_values import check_instances
from gateless_proofs.repeating import Repetition
from gateless_proofs.srs import g2_of


@dataclass(frozen=True, slots=True)
class ManifestMaker:
    """Completes a bundle.

    Attributes:
        root: the bundle's folder, which has the model already.
    """

    root: Path
    options: BuildOptions

    def make(
        self,
        facts: Mapping[str, Any],
        result: PlanResult,
        binding: Binding,
        execution: Execution,
    ) -> Manifest:
        """Brings circuits and card into the bundle, and lists everything."""
        single = result.single
        inputs = tuple(
            Tensor(
                name=entry["name"],
                shape=tuple(entry["shape"]),
                width=fitted["width"],
                scale_bits=fitted["scale"],
                onnx_dtype=entry["dtype"],
                calibrated_range=(fitted["low"], fitted["high"]),
            )
            for entry, fitted in zip(facts["inputs"], single["inputs"], strict=True)
        )
        outputs = tuple(
            Tensor(
                name=entry["name"],
                shape=tuple(entry["shape"]),
                width=entry["width"],
                scale_bits=entry["scale"],
                onnx_dtype=entry["dtype"],
            )
            for entry in single["outputs"]
        )
        files = [self._file(FileRole.MODEL, "model.onnx")]
        circuits = []
        for circuit in result.circuits:
            made, entry = self._circuit(circuit, single)
            check_instances(self.root / made[FileRole.VKA].name, entry, inputs, outputs, binding)
            files += made.values()
            circuits.append(entry)
        manifest = Manifest(
            name=self.options.name,
            description=self.options.description,
            files=tuple(files),
            inputs=inputs,
            outputs=outputs,
            binding=binding,
            circuits=tuple(circuits),
            accuracy=Accuracy(bound=result.found["bound"], **single["accuracy"]),
            execution=execution,
            srs=Srs(
                kind=self.options.srs_kind,
                logrows=max(entry.logrows for entry in circuits),
                g2=g2_of(self.options.srs_kind),
            ),
            provenance=Provenance(opset=facts["opset"], **software_versions()),
            plan=result.plan,
            task=self.options.task,
            tags=self.options.tags,
            labels=self.options.labels,
            license=self.options.license,
        )
        return self._with_card(manifest)

    def without_circuit(
        self,
        facts: Mapping[str, Any],
        samples: Sequence[Sequence[FloatArray]],
        repetition: Repetition,
    ) -> Manifest:
        """Lists a version whose answers are compared and not proven: the model itself."""
        inputs = tuple(
            _raw_tensor(
                entry,
                (
                    float(min(sample[place].min() for sample in samples)),
                    float(max(sample[place].max() for sample in samples)),
                ),
            )
            for place, entry in enumerate(facts["inputs"])
        )
        manifest = Manifest(
            name=self.options.name,
            description=self.options.description,
            files=(self._file(FileRole.MODEL, "model.onnx"),),
            inputs=inputs,
            outputs=tuple(_raw_tensor(entry) for entry in repetition.outputs),
            binding=Binding.PACKED,
            circuits=(),
            # The outputs are onnxruntime's own.
            accuracy=Accuracy(samples=len(samples), max_abs_error=0, mean_abs_error=0, bound=0),
            execution=repetition.execution,
            srs=None,
            provenance=Provenance(opset=facts["opset"], **software_versions()),
            plan=Plan(
                goal=self.options.goal,
                seed=self.options.seed,
                bound_kind="absolute",
                candidates=(),
                considered=0,
                winners=(),
                why="no circuit: answers are compared, not proven",
            ),
            task=self.options.task,
            tags=self.options.tags,
            labels=self.options.labels,
            license=self.options.license,
        )
        return self._with_card(manifest)

    def _with_card(self, manifest: Manifest) -> Manifest:
        card = model_card(manifest)
        (self.root / "README.md").write_text(card, encoding="utf-8")
        return manifest.model_copy(
            update={"files": (*manifest.files, self._file(FileRole.CARD, "README.md"))}
        )

    def _circuit(
        self, circuit: PlannedCircuit, single: Mapping[str, Any]
    ) -> tuple[dict[FileRole, BundleFile], CircuitEntry]:
        """Copies a circuit's files into the bundle and describes it."""
        built, trial = circuit.built, circuit.trial
        suffix = "" if circuit.batch_size == 1 else f"-{circuit.batch_size}"
        files = {}
        for role, source, name in (
            (FileRole.SETTINGS, "settings.json", f"settings{suffix}.json"),
            (FileRole.COMPILED, "circuit.compiled", f"circuit{suffix}.compiled"),
            (FileRole.VERIFYING_KEY, "vk.key", f"vk{suffix}.key"),
            (FileRole.VKA, "vka.bin", f"vka{suffix}.bin"),
        ):
            shutil.copyfile(Path(built["folder"]) / source, self.root / name)
            files[role] = self._file(role, name)
        exact = bool(built["exact"])
        entry = CircuitEntry(
            batch_size=circuit.batch_size,
            logrows=built["parameters"]["logrows"],
            vka_digest=trial.keys.vka_digest,
            proof_length=trial.proof_length,
            digit_bits=built.get("digit_bits", 0),
            digits_per_word=built.get("digits_per_word", 0),
            settings=files[FileRole.SETTINGS].sha256,
            compiled_circuit=files[FileRole.COMPILED].sha256,
            verifying_key=files[FileRole.VERIFYING_KEY].sha256,
            vka=files[FileRole.VKA].sha256,
            passes=tuple(built["model"]["passes"]),
            circuit_model=built["model_sha256"],
            exact=exact,
            slack=(0,) * len(single["slack"]) if exact else tuple(single["slack"]),
            slack_kind="exact" if exact else single["slack_kind"],
            prove_seconds=round(trial.seconds, 3),
            prove_memory_bytes=trial.memory_bytes,
        )
        return files, entry

    def _file(self, role: FileRole, name: str) -> BundleFile:
        path = self.root / name
        return BundleFile(role=role, name=name, sha256=sha256_of(path), size=path.stat().st_size)


def _raw_tensor(
    entry: Mapping[str, Any], calibrated_range: tuple[float, float] | None = None
) -> Tensor:
    """A tensor in its own type: its width is that of its elements, and nothing is scaled."""
    shape = tuple(entry["shape"])
    return Tensor(
        name=entry["name"],
        shape=shape,
        width=RawTensor(entry["name"], shape, entry["dtype"]).element_length,  # type: ignore[arg-type]
        scale_bits=0,
        onnx_dtype=entry["dtype"],
        calibrated_range=calibrated_range,
    )


def software_versions() -> dict[str, str]:
    """What made a bundle, by the names of the manifest's provenance."""
    return {
        "gateless": __version__,
        "ezkl": version("ezkl"),
        "onnxruntime": version("onnxruntime"),
        "onnx": version("onnx"),
    }
