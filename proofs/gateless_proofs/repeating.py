"""Whether a model's outputs repeat to the byte: tried, not believed.

Quorums compare bytes, so a version may allow them only where the same input gives the same bytes
whoever runs the model, within one runtime class. The publisher's machine runs it again and again:
each time in a fresh process, with the inputs in another order (which finds operators that carry
state) and elsewhere in memory (kernels treat what is not aligned apart). What other options would
do is tried, too, and recorded as a matter of interest: the class fixes them.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gateless.core.errors import ModelError
from gateless.core.execution import Execution, RepeatCheck
from gateless.core.raw_tensors import AnyArray, encode_raw

from gateless_proofs.bundle import Bundle
from gateless_proofs.runtime import options_of, runtime_text
from gateless_proofs.sandbox import Limits, Progress, run_worker
from gateless_proofs.statements import UntrueStatementError

#: samples that are run each time
SAMPLES = 8
#: bytes by which inputs are moved off the alignment that numpy and onnxruntime like
_SHIFT = 64


@dataclass(frozen=True, slots=True)
class _Variation:
    """A way to run the model again."""

    what: str
    required: bool
    request: Mapping[str, Any]


VARIATIONS = (
    _Variation("in another process, the inputs in another order", True, {"reverse": True}),
    _Variation("in another process, the inputs elsewhere in memory", True, {"shifted": True}),
    _Variation("with two threads", False, {"options": {"threads": 2}}),
    _Variation(
        "without memory arena and pattern",
        False,
        {"options": {"memory_arena": False, "memory_pattern": False}},
    ),
)


@dataclass(frozen=True, slots=True)
class Repetition:
    """What was found.

    Attributes:
        execution: for the manifest.
        outputs: name, ONNX type and shape of each output.
    """

    execution: Execution
    outputs: tuple[Mapping[str, Any], ...]


async def measure_repetition(
    model: Path,
    samples: Path,
    limits: Limits,
    *,
    circuit: bool,
    progress: Progress | None = None,
) -> Repetition:
    """Runs a model several times and compares the bytes of its outputs.

    Args:
        model: the published ONNX file.
        samples: representative inputs, as an ``.npz`` of ``input0``, ``input1``, ...
        limits: of each process.
        circuit: whether the version will have a circuit; see :func:`repetition_of_circuit`.
        progress: told how far it is.

    Raises:
        ModelError: onnxruntime refuses the model, or the shape of an output varies.
    """
    request = {"model": str(model), "samples": str(samples)}

    def report(done: int) -> None:
        if progress is not None:
            progress("repeat", done / (len(VARIATIONS) + 1))

    report(0)
    first = await run_worker("repeat", request, limits=limits)
    checks = []
    for done, variation in enumerate(VARIATIONS, start=1):
        report(done)
        again = await run_worker("repeat", {**request, **variation.request}, limits=limits)
        same = again["digests"] == first["digests"]
        checks.append(RepeatCheck(what=variation.what, same=same, required=variation.required))
    execution = Execution(
        runtime=runtime_text(circuit=circuit),
        samples=len(first["digests"]),
        checks=tuple(checks),
    )
    return Repetition(execution, tuple(first["outputs"]))


async def repetition_of_circuit(
    execution: Execution, built: Mapping[str, Any], limits: Limits
) -> Execution:
    """The same with what a circuit adds: its outputs are the version's, so they must repeat too.

    Args:
        built: the circuit for one inference, as the planner made it.
    """
    folder = Path(built["folder"])
    request = {
        "compiled": str(folder / "circuit.compiled"),
        "settings": str(folder / "settings.json"),
        "samples": built["samples"][:SAMPLES],
    }
    once = await run_worker("outputs", request, limits=limits)
    again = await run_worker("outputs", request, limits=limits)
    check = RepeatCheck(
        what="the circuit's outputs, in another process",
        same=once["outputs"] == again["outputs"],
        required=True,
    )
    return execution.model_copy(update={"checks": (*execution.checks, check)})


def run_again(request: dict[str, Any], _emit: Callable[[str, float], None]) -> dict[str, Any]:
    """Runs the samples once, as a variation says; returns a digest per sample, in their order.

    Runs in the subprocess.
    """
    # In the worker only: a service that asks for this has no use for onnx in its memory.
    from gateless_proofs.reference import FloatModel

    model = FloatModel(Path(request["model"]), options_of(request))
    with np.load(request["samples"], allow_pickle=False) as stored:
        arrays = [stored[f"input{place}"] for place in range(len(stored.files))]
    places = _spread(len(arrays[0]))
    digests: dict[int, str] = {}
    shapes: set[tuple[tuple[int, ...], ...]] = set()
    for place in reversed(places) if request.get("reverse") else places:
        feed = model.typed([array[place] for array in arrays])
        if request.get("shifted"):
            feed = [_shifted(array) for array in feed]
        outputs = model.run_typed(feed)
        shapes.add(tuple(output.shape for output in outputs))
        digests[place] = hashlib.sha256(encode_raw(outputs)).hexdigest()
    if len(shapes) != 1:
        raise ModelError(
            "unbound-dimension",
            "the shape of an output depends on the input's values",
            hint="export the model with static shapes",
        )
    described = [
        {"name": name, "dtype": kind, "shape": list(shape)}
        for name, kind, shape in zip(
            model.output_names, model.output_dtypes, shapes.pop(), strict=True
        )
    ]
    return {"digests": [digests[place] for place in places], "outputs": described}


def _spread(count: int) -> Sequence[int]:
    """Up to so many samples as are run, evenly over all."""
    taken = min(count, SAMPLES)
    return [place * count // taken for place in range(taken)]


def _shifted(array: AnyArray) -> AnyArray:
    """A copy that starts one element after a place that vector instructions like."""
    room = np.zeros(array.nbytes + 2 * _SHIFT, dtype=np.uint8)
    start = -room.ctypes.data % _SHIFT + array.itemsize
    moved = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    moved[...] = array
    return moved


async def check_bundle_repetition(bundle: Bundle, limits: Limits, seed: int = 0) -> str:
    """Tries on this machine what a manifest says, with inputs of the ranges that it states.

    Raises:
        UntrueStatementError: the outputs differ.
    """
    ranges = [
        {"low": low, "high": high, "shape": tensor.shape}
        for tensor in bundle.manifest.inputs
        for low, high in (tensor.calibrated_range or (0.0, 1.0),)
    ]
    with tempfile.TemporaryDirectory(prefix="gateless-repeat-") as folder:
        return await check_repetition(bundle, Path(folder) / "samples.npz", ranges, seed, limits)


async def check_repetition(
    bundle: Bundle,
    samples: Path,
    ranges: Sequence[Mapping[str, Any]],
    seed: int,
    limits: Limits,
) -> str:
    """Measures again, with random inputs, what a manifest says.

    Args:
        samples: file to write the inputs to.
        ranges: lowest and highest value and shape of each input.

    Raises:
        UntrueStatementError: the outputs differ.
    """
    generator = np.random.default_rng(seed)
    arrays = {
        f"input{place}": generator.uniform(
            entry["low"], entry["high"], size=(SAMPLES, *entry["shape"])
        )
        for place, entry in enumerate(ranges)
    }
    np.savez(samples, allow_pickle=False, **arrays)
    circuit = bool(bundle.manifest.circuits)
    found = (await measure_repetition(bundle.model, samples, limits, circuit=circuit)).execution
    if not found.repeatable:
        raise UntrueStatementError(f"outputs differ: {', '.join(found.differing())}")
    where = "the same" if found.runtime == bundle.manifest.execution.runtime else "another"
    return f"outputs of {SAMPLES} random inputs repeat to the byte; {where} runtime class"
