"""Where circuits are tried: rewritten models, settings, compiled circuits and witnesses in scratch
space. Runs in the subprocess."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from gateless.core.errors import GatelessError, ModelError, ProofError
from gateless.core.ids import sha256_hex
from gateless.core.packing import FloatArray, round_half_away

from gateless_proofs.circuit import CircuitParameters, compile_circuit, generate_settings, is_exact
from gateless_proofs.domain import Tensors
from gateless_proofs.planner.journal import FatalQuestionError, Journal
from gateless_proofs.reference import FloatModel
from gateless_proofs.rewrite import RewriteContext, rewrite
from gateless_proofs.witness import (
    CircuitRun,
    WitnessError,
    require_lookups_in_table,
    run_circuit,
)

Emit = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class CircuitModel:
    """A rewritten model: what a circuit is made from.

    Attributes:
        passes: rewritings, in order.
        context: what they were told.
    """

    passes: tuple[str, ...] = ()
    context: RewriteContext = field(default_factory=RewriteContext)

    def subject(self) -> dict[str, Any]:
        """All that the rewritten bytes depend on, besides the published model."""
        return {"passes": list(self.passes), "context": asdict(self.context)}


class Laboratory:
    """One model with its samples, and everything that was found out about its circuits."""

    def __init__(self, request: Mapping[str, Any], journal: Journal) -> None:
        self.path = Path(request["model"])
        self.model = onnx.load_model_from_string(self.path.read_bytes())
        self.operators: list[str] = request["operators"]
        self.symbols = tuple(request["symbols"])
        self.journal = journal
        self.folder = Path(tempfile.mkdtemp(prefix="planner-"))
        with np.load(request["samples"], allow_pickle=False) as stored:
            arrays = [stored[f"input{place}"] for place in range(len(stored.files))]
        self.samples: list[list[FloatArray]] = [
            [array[index] for array in arrays] for index in range(len(arrays[0]))
        ]
        self.floats = FloatModel(self.path)
        self.reference = [self.floats.run(sample) for sample in self.samples]
        self.output_names = self.floats.output_names
        self.output_dtypes = self.floats.output_dtypes
        require_stable_shapes(self.reference, self.output_names)
        self._paths: dict[str, Path] = {}
        self._ready: tuple[str, Path, dict[str, Any]] | None = None

    def file_of(self, model: CircuitModel) -> Path:
        """The rewritten model as a file.

        Raises:
            ModelError: a pass does not apply.
        """
        if not model.passes:
            return self.path
        key = json.dumps(model.subject(), sort_keys=True)
        if key not in self._paths:
            made = rewrite(self.model, model.passes, model.context)
            data = made.SerializeToString(deterministic=True)
            path = self.folder / f"{sha256_hex(data)}.onnx"
            path.write_bytes(data)
            self._paths[key] = path
        return self._paths[key]

    def settings(self, model: CircuitModel, parameters: CircuitParameters) -> dict[str, Any] | None:
        """Canonical settings, or None where ezkl cannot lay the model out."""
        try:
            found = self.journal.once(
                "settings",
                {"model": model.subject(), "parameters": asdict(parameters)},
                lambda: self._settings(model, parameters),
            )
        except FatalQuestionError:
            return None
        settings: dict[str, Any] | None = found.get("settings")
        return settings

    def refusal(self, model: CircuitModel, parameters: CircuitParameters) -> GatelessError | None:
        """Why ezkl cannot lay the model out."""
        try:
            generate_settings(
                self.file_of(model),
                parameters.run_args(),
                self.folder / "settings.json",
                self.operators,
            )
        except GatelessError as error:
            return error
        return None

    def _settings(self, model: CircuitModel, parameters: CircuitParameters) -> dict[str, Any]:
        try:
            settings = generate_settings(
                self.file_of(model),
                parameters.run_args(),
                self.folder / "settings.json",
                self.operators,
            )
        except ModelError as error:
            return {"refused": str(error)}
        settings["einsum_params"]["equations"] = []  # long, and of no use to a plan
        return {"settings": settings}

    def exact(self, model: CircuitModel, parameters: CircuitParameters) -> bool:
        """Whether one output only can be proven for an input."""
        return bool(
            self.journal.once(
                "exact",
                {"model": model.subject(), "parameters": asdict(replace(parameters, logrows=20))},
                lambda: is_exact(self.file_of(model), parameters.run_args(), self.operators),
            )
        )

    def write(self, model: CircuitModel, parameters: CircuitParameters, folder: Path) -> None:
        """Settings and compiled circuit as files of a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        path = self.file_of(model)
        generate_settings(path, parameters.run_args(), folder / "settings.json", self.operators)
        compile_circuit(path, folder / "settings.json", folder / "circuit.compiled")

    def runs(
        self, model: CircuitModel, parameters: CircuitParameters, inputs: Iterable[Tensors]
    ) -> Iterable[CircuitRun]:
        """Witnesses, one after the other, as they are asked for.

        Raises:
            WitnessError: there is none for one of the inputs.
            ModelError: ezkl cannot compile the model.
        """
        key = json.dumps([model.subject(), asdict(parameters)], sort_keys=True)
        if self._ready is None or self._ready[0] != key:
            folder = self.folder / "ready"
            self._ready = None
            self.write(model, parameters, folder)
            settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
            self._ready = (key, folder, settings)
        _, folder, settings = self._ready
        for tensors in inputs:
            run = run_circuit(folder / "circuit.compiled", tensors, self.folder / "witness.json")
            require_lookups_in_table(run, settings)
            yield run

    def has_witnesses(
        self, model: CircuitModel, parameters: CircuitParameters, inputs: list[Tensors]
    ) -> bool:
        """Whether every input has a witness. One that has none is moved to the front, where it
        decides the next question sooner."""
        for place, tensors in enumerate(inputs):
            try:
                list(self.runs(model, parameters, [tensors]))
            except WitnessError:
                inputs.insert(0, inputs.pop(place))
                return False
        return True


def quantised(sample: Sequence[FloatArray], scales: Sequence[int]) -> Tensors:
    """A sample as the integers that a requester would pack."""
    return [
        [round_half_away(float(value) * 2.0**scale) for value in tensor.reshape(-1)]
        for tensor, scale in zip(sample, scales, strict=True)
    ]


def require_stable_shapes(reference: Sequence[Sequence[FloatArray]], names: Sequence[str]) -> None:
    """Refuses models whose output shape or finiteness depends on the data."""
    for outputs in reference:
        for name, output, first in zip(names, outputs, reference[0], strict=True):
            if output.shape != first.shape:
                raise ProofError(
                    "output-not-static",
                    f"the shape of output {name!r} changes from sample to sample",
                    hint="export the model with static shapes",
                )
            if not np.isfinite(output).all():
                raise ProofError(
                    "output-not-finite",
                    f"output {name!r} is NaN or infinite on the calibration data",
                    hint="check the model and the calibration data",
                )
