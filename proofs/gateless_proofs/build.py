"""From an ONNX file and calibration data to a bundle.

The bundle appears under its final name only when it is complete and has proven one inference.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from gateless.core.errors import InputError, ModelError
from gateless.core.manifest import Binding
from gateless.core.packing import FloatArray, TensorSpec

from gateless_proofs.build_options import BuildOptions
from gateless_proofs.bundle import MANIFEST_NAME, Bundle, load_bundle
from gateless_proofs.calibration import CalibrationData
from gateless_proofs.keys import KeyCache
from gateless_proofs.manifest import ManifestMaker, software_versions
from gateless_proofs.onnx_limits import require_file_size
from gateless_proofs.planner.journal import journal_name
from gateless_proofs.planner.milestones import Milestones
from gateless_proofs.planner.plan import Planner, PlanRequest, PlanResult, journal_subject
from gateless_proofs.repeating import measure_repetition, repetition_of_circuit
from gateless_proofs.sandbox import Limits, Progress, run_worker
from gateless_proofs.scratch import scratch_folder
from gateless_proofs.srs import require_srs_allowed

#: largest batch that one circuit takes
MAX_BATCH_SIZE = 256
#: inputs with more values than this are bound by commitment, which costs a flat sum on chain
MAX_PACKED_VALUES = 128
#: share of a limit that predicted memory may take: predictions are rough
_MEMORY_SHARE = 0.8


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
    _check(model, out)
    with scratch_folder(out) as work:
        await _Build(work, calibration, options, keys, limits, progress).run(model)
        return _finish(work, out)


def _check(model: Path, out: Path) -> None:
    """What can be checked at once."""
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
        self.progress = Milestones(progress)

    async def run(self, model: Path) -> None:
        """All steps."""
        path = self.root / "model.onnx"
        shutil.copyfile(model, path)
        self.progress("inspect", 0.0)
        with_circuit = self.options.circuit
        facts = await run_worker(
            "inspect", {"model": str(path), "circuit": with_circuit}, limits=self.limits
        )
        samples = self._samples(facts)
        stored = self._stored(samples)
        binding = self._binding(facts) if with_circuit else Binding.PACKED
        repetition = await measure_repetition(
            path, stored, self.limits, circuit=with_circuit, progress=self.progress
        )
        maker = ManifestMaker(self.root, self.options)
        if with_circuit:
            result = await self._plan(path, facts, stored, binding)
            self._check_labels(result.single["outputs"])
            execution = await repetition_of_circuit(
                repetition.execution, result.single, self.limits
            )
            manifest = maker.make(facts, result, binding, execution)
            manifest.schema_of_io().check_row(packed_inputs=binding is Binding.PACKED)
        else:
            self._check_labels(repetition.outputs)
            manifest = maker.without_circuit(facts, samples, repetition)
        (self.root / MANIFEST_NAME).write_bytes(manifest.to_bytes())

    def _stored(self, samples: list[list[FloatArray]]) -> Path:
        """The samples in a file, for the subprocesses."""
        stored = self.work / "samples.npz"
        arrays = {
            f"input{place}": np.stack([sample[place] for sample in samples])
            for place in range(len(samples[0]))
        }
        np.savez(stored, allow_pickle=False, **arrays)
        return stored

    def _samples(self, facts: dict[str, Any]) -> list[list[FloatArray]]:
        # Width and scale are not known yet; only names and shapes matter here.
        specs = [
            TensorSpec(entry["name"], tuple(entry["shape"]), 16, 0) for entry in facts["inputs"]
        ]
        return self.calibration.samples(specs)

    def _sizes(self) -> tuple[int, ...]:
        sizes = sorted({1, *self.options.batch_sizes})
        if sizes[0] < 1 or sizes[-1] > MAX_BATCH_SIZE:
            raise InputError(
                "invalid-batch-size",
                f"batches of {sizes[0]} to {sizes[-1]} inferences",
                hint=f"give sizes from 1 to {MAX_BATCH_SIZE}",
            )
        return tuple(sizes)

    def _binding(self, facts: dict[str, Any]) -> Binding:
        shapes = [entry["shape"] for entry in facts["inputs"]]
        binding = self.options.binding
        if binding is Binding.KZG and len(shapes) != 1:
            raise InputError(
                "binding-not-possible",
                f"a commitment binds one input tensor, the model has {len(shapes)}",
                hint="use packed binding, or concatenate the inputs in the model",
            )
        if binding is Binding.KZG and self._sizes() != (1,):
            raise InputError(
                "binding-not-possible",
                "a commitment covers the input of a whole batch and binds no single request",
                hint="use packed binding, or no batches",
            )
        if binding is not None:
            return binding
        large = sum(math.prod(shape) for shape in shapes) > MAX_PACKED_VALUES
        committed = large and len(shapes) == 1 and self._sizes() == (1,)
        return Binding.KZG if committed else Binding.PACKED

    def _check_labels(self, outputs: Sequence[Mapping[str, Any]]) -> None:
        labels, shapes = self.options.labels, [entry["shape"] for entry in outputs]
        if labels and (len(shapes) != 1 or math.prod(shapes[0]) != len(labels)):
            raise InputError(
                "labels-mismatch",
                f"{len(labels)} labels for outputs of shape {shapes}",
                hint="name every score of the one output, in order, or give no labels",
            )

    async def _plan(
        self,
        path: Path,
        facts: dict[str, Any],
        stored: Path,
        binding: Binding,
    ) -> PlanResult:
        memory = int(self.limits.memory_bytes * _MEMORY_SHARE)
        if self.options.memory_budget is not None:
            memory = min(memory, self.options.memory_budget)
        request = PlanRequest(
            model=path,
            samples=stored,
            facts=facts,
            binding=binding.value,
            goal=self.options.goal,
            batch_sizes=self._sizes(),
            accuracy_bound=self.options.accuracy_bound,
            seed=self.options.seed,
            max_logrows=self.options.max_logrows,
            memory_bytes=memory,
            gas_budget=self.options.gas_budget,
            srs_kind=self.options.srs_kind,
            folder=self.keys.root / "plans",
            work=self.work / "circuits",
        )
        name = journal_name(journal_subject(request, software_versions()))
        request = replace(request, folder=request.folder / name)
        return await Planner(request, self.keys, self.limits, self.progress).run()
