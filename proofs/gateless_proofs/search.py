"""A small deterministic search for a model's circuit. Runs in the subprocess.

Exact circuits (no rescale) are tried first, at growing scales, until the witnesses of the
calibration samples meet the accuracy bound; then the decomposition (base, legs) of the lowest k
that covers the intermediate values is chosen. Only where no exact circuit does are rescaling ones
tried.
Accuracy and range are always judged by real witnesses of the circuit in question, never by
estimates.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from gateless.core.errors import ModelError, ProofError
from gateless.core.packing import FloatArray, round_half_away

from gateless_proofs.accuracy import choose_bound, measure
from gateless_proofs.circuit import (
    CircuitParameters,
    compile_circuit,
    generate_settings,
    is_exact,
    required_logrows,
)
from gateless_proofs.domain import InputDomain, Tensors, width_for
from gateless_proofs.reference import FloatModel
from gateless_proofs.witness import (
    CircuitRun,
    WitnessError,
    require_lookups_in_table,
    run_circuit,
)

Emit = Callable[[str, float], None]

EXACT_SCALES = (4, 5, 6, 7, 8, 10, 12, 14)
RESCALED_SCALES = (7, 8, 10, 12, 13)
#: the part of the accuracy bound that calibration may use; the rest is for inputs not seen
USED_BOUND = 0.5
#: lookup tables reach this much further than the calibration data
LOOKUP_MARGIN = 2.0
_WIDE_LEGS = 42
_MAX_SEARCH_SAMPLES = 32


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pair of scales that met the bound, and what its circuit has to cover."""

    parameters: CircuitParameters
    input_scales: tuple[int, ...]
    output_scales: tuple[int, ...]
    bits: int
    full_bits: int
    lookups: tuple[int, int]


class CircuitSearch:
    """State of one search: model, samples, reference outputs and scratch space."""

    def __init__(self, request: dict[str, Any], emit: Emit) -> None:
        self.model = Path(request["model"])
        self.operators: list[str] = request["operators"]
        self.symbols = tuple(request["symbols"])
        self.binding: str = request["binding"]
        self.max_logrows: int = request["max_logrows"]
        self.emit = emit
        self.folder = Path(tempfile.mkdtemp(prefix="search-"))
        with np.load(request["samples"], allow_pickle=False) as stored:
            arrays = [stored[f"input{place}"] for place in range(len(stored.files))]
        self.samples: list[list[FloatArray]] = [
            [array[index] for array in arrays] for index in range(len(arrays[0]))
        ]
        self.domain = InputDomain(self.samples)
        emit("reference", 0.0)
        floats = FloatModel(self.model)
        self.reference = [floats.run(sample) for sample in self.samples]
        self.output_names = floats.output_names
        self.output_dtypes = floats.output_dtypes
        require_stable_shapes(self.reference, self.output_names)
        self.bound = choose_bound(self.reference, request["accuracy_bound"])
        self.needs_labels = request["accuracy_bound"] is None
        self.tried: list[dict[str, Any]] = []

    # -- one circuit ---------------------------------------------------------------------------

    def build(self, parameters: CircuitParameters) -> tuple[dict[str, Any], Path]:
        """Settings and compiled circuit in scratch space."""
        settings_path = self.folder / "settings.json"
        compiled = self.folder / "circuit.compiled"
        settings = generate_settings(
            self.model, parameters.run_args(), settings_path, self.operators
        )
        compile_circuit(self.model, settings_path, compiled)
        return settings, compiled

    def run(self, compiled: Path, tensors: Tensors) -> CircuitRun:
        """A witness in scratch space."""
        return run_circuit(compiled, tensors, self.folder / "witness.json")

    def quantised(self, sample: Sequence[FloatArray], scales: Sequence[int]) -> Tensors:
        """A sample as the integers that a requester would pack."""
        return [
            [round_half_away(float(value) * 2.0**scale) for value in tensor.reshape(-1)]
            for tensor, scale in zip(sample, scales, strict=True)
        ]

    # -- scales --------------------------------------------------------------------------------

    def scale_pairs(self, multiplier: int) -> Iterator[tuple[int, int]]:
        """Input and parameter scales, cheapest first."""
        natural = self.domain.natural_scale()
        for scale in EXACT_SCALES if multiplier > 1 else RESCALED_SCALES:
            if natural is not None and natural < scale and multiplier > 1:
                yield natural, scale
            yield scale, scale

    def first_accurate(self, multiplier: int) -> Candidate | None:
        """The cheapest pair of scales within the bound, with the range that it needs."""
        pairs = list(self.scale_pairs(multiplier))
        for place, (input_scale, param_scale) in enumerate(pairs):
            self.emit("search", 0.9 * place / len(pairs))
            wide = CircuitParameters(
                input_scale=input_scale,
                param_scale=param_scale,
                multiplier=multiplier,
                base=4,
                legs=_WIDE_LEGS,
                logrows=self.max_logrows,
                binding=self.binding,
                symbols=self.symbols,
            )
            if multiplier > 1 and not self.lays_out_exactly(wide):
                self.note(wide, "not exact: it rescales or uses an inexact gadget")
                return None
            candidate = self.judge(wide)
            if candidate is not None:
                return candidate
        return None

    def lays_out_exactly(self, wide: CircuitParameters) -> bool:
        """Whether the circuit is exact; first of all, whether ezkl takes the model."""
        arguments = wide.run_args()
        # Before the table of operations, since only this says which operator is at fault.
        generate_settings(self.model, arguments, self.folder / "exact.json", self.operators)
        return is_exact(self.model, arguments, self.operators)

    def judge(self, wide: CircuitParameters) -> Candidate | None:
        """Accuracy and range of one pair of scales, by witnesses of a very wide circuit."""
        # Large digits make the circuit small; outputs do not depend on the decomposition.
        settings, compiled = self.build(replace(wide, base=1 << 14, legs=6))
        whatever_the_digits = {"num_rows": 0, "required_range_checks": []}
        if required_logrows({**settings, **whatever_the_digits}, (0, 0)) > self.max_logrows:
            self.note(wide, "too many values for one column")
            return None
        input_scales = tuple(settings["model_input_scales"])
        output_scales = tuple(settings["model_output_scales"])
        runs: list[CircuitRun] = []
        for sample in self.samples:
            try:
                runs.append(self.run(compiled, self.quantised(sample, input_scales)))
            except WitnessError as error:
                self.note(wide, f"no witness: {error}")
                return None
        report = measure(runs, self.reference, output_scales, self.bound)
        if not report.accepted(self.bound * USED_BOUND, labels=self.needs_labels):
            self.note(wide, f"error {report.max_abs_error:.3g} above {self.bound * USED_BOUND:.3g}")
            return None
        if settings["required_range_checks"]:
            margin = self.domain.probes(input_scales)
            bits = self.needed_bits(wide, [*map_samples(self, input_scales), *margin])
            full = self.needed_bits(wide, self.domain.packed_corners(input_scales))
        else:
            bits, full = 4, 4
        low = min(run.lookups[0] for run in runs)
        high = max(run.lookups[1] for run in runs)
        return Candidate(wide, input_scales, output_scales, bits, full, (low, high))

    # -- ranges --------------------------------------------------------------------------------

    def needed_bits(self, wide: CircuitParameters, inputs: Sequence[Tensors]) -> int:
        """How many bits the decomposed values of these inputs take, found by bisection.

        A decomposition in base 4 with n legs has a witness exactly where every value is below 4**n.
        """
        low, high = 1, _WIDE_LEGS
        while low < high:
            legs = (low + high) // 2
            _, compiled = self.build(replace(wide, legs=legs))
            try:
                for tensors in inputs:
                    self.run(compiled, tensors)
            except WitnessError:
                low = legs + 1
            else:
                high = legs
        return 2 * low

    # -- rows ----------------------------------------------------------------------------------

    def fit(self, candidate: Candidate) -> CircuitParameters | None:
        """The lowest k for a candidate: with base 2**b, b + 1 rows bits hold the range table."""
        wide = candidate.parameters
        span = [int(bound * LOOKUP_MARGIN) for bound in candidate.lookups]
        wide = replace(wide, lookup_range=(min(span[0], -2), max(span[1], 2)))
        need = candidate.bits + 1
        for logrows in range(6, self.max_logrows + 1):
            digit = min(logrows - 1, 14)
            legs = max(2, -(-need // digit))
            parameters = replace(wide, base=1 << digit, legs=legs, logrows=logrows)
            if not self.holds(parameters):
                continue
            generous = max(legs, -(-(candidate.full_bits + 1) // digit))
            roomy = replace(parameters, legs=generous)
            return roomy if generous > legs and self.holds(roomy) else parameters
        self.note(wide, f"needs more than 2^{self.max_logrows} rows")
        return None

    def holds(self, parameters: CircuitParameters) -> bool:
        """Whether the circuit's rows and tables fit its k."""
        try:
            settings = generate_settings(
                self.model, parameters.run_args(), self.folder / "fit.json", self.operators
            )
        except ModelError:
            return False  # dynamic lookups do not even lay out where k is too small
        need = required_logrows(settings, parameters.lookup_range)
        return need <= parameters.logrows

    def note(self, parameters: CircuitParameters, verdict: str) -> None:
        """Remembers why a candidate was dropped, for the model card."""
        self.tried.append(
            {
                "input_scale": parameters.input_scale,
                "param_scale": parameters.param_scale,
                "multiplier": parameters.multiplier,
                "verdict": verdict,
            }
        )

    def choose(self) -> tuple[CircuitParameters, Candidate]:
        """The circuit to build.

        Raises:
            ProofError: ``no-circuit-found``.
        """
        for multiplier in (10, 1):
            candidate = self.first_accurate(multiplier)
            if candidate is None:
                continue
            parameters = self.fit(candidate)
            if parameters is not None:
                return parameters, candidate
        raise ProofError(
            "no-circuit-found",
            f"no circuit of at most 2^{self.max_logrows} rows keeps the error under"
            f" {self.bound:.3g}",
            hint="state a looser accuracy bound, raise the memory limit, or use a smaller model",
            tried=self.tried,
        )


def map_samples(search: CircuitSearch, scales: Sequence[int]) -> list[Tensors]:
    """The calibration samples as integers, at most so many as a range test needs."""
    return [search.quantised(sample, scales) for sample in search.samples[:_MAX_SEARCH_SAMPLES]]


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


def search_circuit(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Finds, builds and judges the circuit; writes settings and compiled circuit."""
    search = CircuitSearch(request, emit)
    parameters, candidate = search.choose()
    emit("compile", 0.92)
    out = Path(request["out"])
    settings_path, compiled = out / "settings.json", out / "circuit.compiled"
    settings = generate_settings(
        search.model, parameters.run_args(), settings_path, search.operators
    )
    compile_circuit(search.model, settings_path, compiled)
    runs: list[CircuitRun] = []
    for sample in search.samples:
        try:
            run = search.run(compiled, search.quantised(sample, candidate.input_scales))
            require_lookups_in_table(run, settings)
        except WitnessError as error:
            raise ProofError(
                "no-circuit-found",
                f"the chosen circuit does not hold a calibration sample: {error}",
                hint="report the model",
            ) from error
        runs.append(run)
    report = measure(runs, search.reference, candidate.output_scales, search.bound)
    return {
        "parameters": asdict(parameters),
        "settings": json.loads(settings_path.read_text(encoding="utf-8")),
        "exact": is_exact(search.model, parameters.run_args(), search.operators),
        "inputs": [
            {
                "scale": scale,
                "width": search.domain.width(place, scale),
                "low": min(float(sample[place].min()) for sample in search.samples),
                "high": max(float(sample[place].max()) for sample in search.samples),
            }
            for place, scale in enumerate(candidate.input_scales)
        ],
        "outputs": describe_outputs(search, runs, parameters, candidate, compiled),
        "accuracy": asdict(report),
        "bound": search.bound,
        "bits": candidate.bits,
        "tried": search.tried,
        "first_sample": search.quantised(search.samples[0], candidate.input_scales),
    }


def describe_outputs(
    search: CircuitSearch,
    runs: Sequence[CircuitRun],
    parameters: CircuitParameters,
    candidate: Candidate,
    compiled: Path,
) -> list[dict[str, Any]]:
    """Names, shapes, scales and widths of the outputs.

    A width covers twice what the calibration data and, where they have a witness, the corners of
    the input domain and of the packed range produce.
    """
    reached: list[list[list[int]]] = [run.outputs for run in runs]
    scales = candidate.input_scales
    for tensors in (*search.domain.probes(scales), *search.domain.packed_corners(scales)):
        try:
            reached.append(search.run(compiled, tensors).outputs)
        except WitnessError:
            continue  # the prover refuses such an input up front
    described = []
    for place, name in enumerate(search.output_names):
        shape = search.reference[0][place].shape or (1,)
        low = min(min(outputs[place]) for outputs in reached)
        high = max(max(outputs[place]) for outputs in reached)
        width = width_for(2 * low, 2 * high)
        if width == 0:
            raise ProofError(
                "output-too-wide",
                f"output {name!r} does not fit 128 bits at scale {candidate.output_scales[place]}",
                hint="use a model with fewer layers, or scale its outputs down",
            )
        described.append(
            {
                "name": name,
                "dtype": search.output_dtypes[place],
                "shape": list(shape),
                "scale": candidate.output_scales[place],
                "width": width,
            }
        )
    return described
