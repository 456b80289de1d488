"""Circuits for several inferences at once, and circuits with dense words. Runs in the subprocess.

Their outputs are those of the circuit for one inference, to the integer: same rewritings, scales
and rescaling; only rows, words and shapes differ. Witnesses show it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gateless.core.errors import GatelessError, ProofError
from gateless.core.manifest import Goal
from gateless.core.packing import FIELD_MODULUS, TensorSpec
from gateless.core.public_words import dense_words, from_dense_words

from gateless_proofs.bundle import sha256_of
from gateless_proofs.circuit import CircuitParameters
from gateless_proofs.domain import Tensors
from gateless_proofs.planner.arithmetic import Arithmetic, Judged, judged_from
from gateless_proofs.planner.candidate import row_of
from gateless_proofs.planner.cost import proof_bytes
from gateless_proofs.planner.journal import Journal
from gateless_proofs.planner.laboratory import CircuitModel, Emit, Laboratory, quantised
from gateless_proofs.planner.layout import Layout, layout_of
from gateless_proofs.planner.shapes import Budget, Shape, shapes
from gateless_proofs.rewrite import RewriteContext, WordTensor, digits_per_word
from gateless_proofs.witness import WitnessError

#: dense words may cost this much more time where they save gas
DENSE_WORTH = 1.5
_BUILDS = 4


class BatchSearch:
    """The search for one more circuit of a version whose arithmetic is settled."""

    def __init__(self, request: Mapping[str, Any], emit: Emit) -> None:
        self.emit = emit
        self.lab = Laboratory(request, Journal(Path(request["journal"])))
        self.goal = Goal(request["goal"])
        self.rows: int = request["batch_size"]
        single = request["single"]
        data = single["arithmetic"]
        self.arithmetic = Arithmetic(**(data | {"passes": tuple(data["passes"])}))
        self.judged: Judged = judged_from(single["judged"])
        self.covers: bool = single["covers"]
        parameters = single["parameters"]
        self.parameters = CircuitParameters(
            **(
                parameters
                | {"symbols": tuple(parameters["symbols"])}
                | {"lookup_range": tuple(parameters["lookup_range"])}
            )
        )
        self.budget = Budget(request["max_logrows"], request["memory_bytes"], request["gas_budget"])
        self.inputs = _specs(request["inputs"])
        self.outputs = _specs(request["outputs"])
        self.table: list[dict[str, Any]] = []
        self.considered = 0

    def passes(self) -> tuple[str, ...]:
        """The version's rewritings, for so many rows."""
        own = self.arithmetic.passes
        if self.rows == 1:
            return own
        return ("static", "batch", *(name for name in own if name != "static"))

    def model(self, digit_bits: int = 0) -> CircuitModel:
        """The rewritten model; dense where a digit has bits."""
        common = {
            "batch_size": self.rows,
            "param_scale": self.arithmetic.param_scale,
            "integral_constants": self.arithmetic.integral,
        }
        if not digit_bits:
            return CircuitModel(self.passes(), RewriteContext(**common))  # type: ignore[arg-type]
        own = self.passes() or ("static",)
        context = RewriteContext(
            inputs=tuple(WordTensor(spec.width, spec.scale_bits) for spec in self.inputs),
            outputs=tuple(WordTensor(spec.width, spec.scale_bits) for spec in self.outputs),
            digit_bits=digit_bits,
            digits_per_word=digits_per_word(digit_bits),
            **common,  # type: ignore[arg-type]
        )
        return CircuitModel((*own, "dense-words"), context)

    # -- shapes ---------------------------------------------------------------------------------

    def bits(self) -> int:
        """What decomposed values take."""
        return (self.judged.full_bits if self.covers else self.judged.bits) + 1

    def plain(self) -> list[Shape]:
        """Shapes with one word per value."""
        start = replace(self.parameters, logrows=self.budget.logrows)
        found = shapes(
            start,
            self.bits(),
            self.parameters.lookup_range,
            self.budget,
            lambda parameters: self._lay_out(self.model(), parameters),
        )
        return list(found)

    def dense(self) -> list[Shape]:
        """Shapes with several values per word; none where the model does not allow them."""
        widest = 8 * max(spec.width for spec in (*self.inputs, *self.outputs))
        start = replace(self.parameters, logrows=self.budget.logrows, inputs="private")

        def lay_out(parameters: CircuitParameters) -> Layout | None:
            bits = digit_bits(parameters)
            if bits > 126:
                return None
            try:
                return self._lay_out(self.model(bits), parameters)
            except GatelessError:
                return None

        found = shapes(
            start,
            max(self.bits(), widest),
            self.parameters.lookup_range,
            self.budget,
            lay_out,
            power_of_two=True,
        )
        return list(found)

    def _lay_out(self, model: CircuitModel, parameters: CircuitParameters) -> Layout | None:
        neutral = replace(parameters, lookup_range=(-64, 64))
        settings = self.lab.settings(model, neutral)
        return None if settings is None else layout_of(settings)

    def ranked(self, *, plain: bool) -> Iterator[Shape]:
        """Shapes, the best first; dense ones lead where they lower the gas at a fair price."""
        ordinary = sorted(self.plain(), key=self._key) if plain else []
        dense = sorted(self.dense(), key=self._key)
        self.considered += len(ordinary) + len(dense)
        if dense and ordinary:
            saves = dense[0].cost.gas < ordinary[0].cost.gas
            fair = dense[0].cost.seconds <= DENSE_WORTH * ordinary[0].cost.seconds
            first, second = (dense, ordinary) if saves and fair else (ordinary, dense)
        else:
            first, second = dense, ordinary
        yield from first[:_BUILDS]
        yield from second[:_BUILDS]

    def _key(self, shape: Shape) -> tuple[float, int, int]:
        parameters = shape.parameters
        return (shape.cost.score(self.goal), parameters.columns, parameters.logrows)

    # -- building -------------------------------------------------------------------------------

    def build(self, out: Path, *, plain: bool = True) -> dict[str, Any] | None:
        """Builds the best circuit whose outputs are those of the one for a single inference."""
        rows = self._rows()
        expected = self._expected(rows)
        for place, shape in enumerate(self.ranked(plain=plain)):
            self.emit("search", min(0.9, 0.3 + 0.1 * place))
            parameters = shape.parameters
            bits = digit_bits(parameters) if parameters.inputs == "private" else 0
            model = self.model(bits)
            folder = out / f"batch-{self.rows}-{place}"
            verdict = self._verdict(model, parameters, bits, rows, expected, folder)
            self.table.append(self._row(shape, bits, verdict or "winner"))
            if verdict is None:
                return self._built(shape, model, bits, rows, folder)
        return None

    def _rows(self) -> list[Tensors]:
        """Samples, as many as the circuit takes rows, the last ones repeated."""
        scales = self.judged.input_scales
        count = min(self.rows, len(self.lab.samples))
        rows = [quantised(self.lab.samples[place], scales) for place in range(count)]
        return [rows[place % count] for place in range(self.rows)]

    def _expected(self, rows: list[Tensors]) -> list[Tensors]:
        model = self.arithmetic.model()
        known: dict[str, Tensors] = {}
        results = []
        for row in rows:
            key = str(row)
            if key not in known:
                (run,) = self.lab.runs(model, self.parameters, [row])
                known[key] = run.outputs
            results.append(known[key])
        return results

    def _verdict(
        self,
        model: CircuitModel,
        parameters: CircuitParameters,
        bits: int,
        rows: list[Tensors],
        expected: list[Tensors],
        folder: Path,
    ) -> str | None:
        """What is wrong with a circuit; None where it computes what it should."""
        stacked = [
            [value for row in rows for value in row[place]] for place in range(len(self.inputs))
        ]
        try:
            self.lab.write(model, parameters, folder)
            (run,) = self.lab.runs(model, parameters, [stacked])
            found = self._split(run.outputs, bits, rows)
        except (WitnessError, GatelessError) as error:
            return str(error)[:200]
        return None if found == expected else "outputs differ from those of a single inference"

    def _split(self, outputs: Tensors, bits: int, rows: list[Tensors]) -> list[Tensors]:
        """Outputs of a batch, per row and tensor."""
        if bits:
            per_word = digits_per_word(bits)
            words = [value % FIELD_MODULUS for tensor in outputs for value in tensor]
            given = dense_words(_by_tensor(rows), self.inputs, bits, per_word)
            if words[: len(given)] != given:
                raise WitnessError("the input words are not those of the rows")
            tensors = from_dense_words(words[len(given) :], self.outputs, self.rows, bits, per_word)
        else:
            tensors = [
                [
                    list(flat[place : place + spec.count])
                    for place in range(0, len(flat), spec.count)
                ]
                for flat, spec in zip(outputs, self.outputs, strict=True)
            ]
        return [[list(tensor[row]) for tensor in tensors] for row in range(len(rows))]

    def _row(self, shape: Shape, bits: int, verdict: str) -> dict[str, Any]:
        parameters, cost = shape.parameters, shape.cost
        return row_of(self.arithmetic, self.judged, verdict) | {
            "passes": list(self.model(bits).passes),
            "batch_size": self.rows,
            "base": parameters.base,
            "legs": parameters.legs,
            "columns": parameters.columns,
            "lookup_range": list(parameters.lookup_range),
            "dense": bits > 0,
            "logrows": parameters.logrows,
            "rows": shape.layout.rows,
            "seconds": round(cost.seconds, 4),
            "memory_bytes": cost.memory_bytes,
            "gas": cost.gas,
        }

    def _built(
        self, shape: Shape, model: CircuitModel, bits: int, rows: list[Tensors], folder: Path
    ) -> dict[str, Any]:
        return {
            "folder": str(folder),
            "model": model.subject(),
            "model_sha256": sha256_of(self.lab.file_of(model)),
            "parameters": asdict(shape.parameters),
            "cost": asdict(shape.cost),
            "proof_bytes": proof_bytes(shape.layout),
            "digit_bits": bits,
            "digits_per_word": digits_per_word(bits) if bits else 0,
            "exact": self.lab.exact(model, replace(shape.parameters, logrows=20)),
            "place": len(self.table) - 1,
            "samples": [
                [
                    [value for row in rows for value in row[place]]
                    for place in range(len(self.inputs))
                ]
            ],
        }


def digit_bits(parameters: CircuitParameters) -> int:
    """Bits of a digit that the decomposition bounds."""
    return parameters.legs * int(math.log2(parameters.base))


def _by_tensor(rows: list[Tensors]) -> list[list[list[int]]]:
    return [[row[place] for row in rows] for place in range(len(rows[0]))]


def _specs(described: list[dict[str, Any]]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(entry["name"], tuple(entry["shape"]), entry["width"], entry["scale"])
        for entry in described
    )


def plan_batch(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Finds and builds the circuit for a batch, or for one inference with dense words.

    Raises:
        ProofError: ``no-batch-circuit``.
    """
    search = BatchSearch(request, emit)
    built = search.build(Path(request["out"]), plain=search.rows > 1)
    if built is None and search.rows > 1:
        raise ProofError(
            "no-batch-circuit",
            f"no circuit of at most 2^{search.budget.logrows} rows takes {search.rows} inferences",
            hint="ask for smaller batches, or raise the memory limit",
            tried=search.table,
        )
    return {"built": built, "table": search.table, "considered": search.considered}
