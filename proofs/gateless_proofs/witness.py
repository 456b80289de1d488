"""Witnesses: what a circuit computes on exact integers. Runs in the subprocess."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ezkl
from gateless.core.errors import ProofError
from gateless.core.packing import felt_from_ezkl_hex, felt_to_ezkl_hex, from_felt, to_felt

Integers = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class CircuitRun:
    """Result of one witness.

    Attributes:
        outputs: integers per output tensor.
        lookups: smallest and largest value that was looked up in a table.
    """

    outputs: list[list[int]]
    lookups: tuple[int, int]


class WitnessError(Exception):
    """ezkl found no witness: an intermediate value left the circuit's range."""


def input_json(tensors: Integers) -> str:
    """ezkl's input, spelled as field elements so that no float is ever involved."""
    rows = [[felt_to_ezkl_hex(to_felt(value)) for value in tensor] for tensor in tensors]
    return json.dumps({"input_data": rows})


def run_circuit(
    compiled: Path,
    tensors: Integers,
    out: Path,
    *,
    verifying_key: Path | None = None,
    srs: Path | None = None,
) -> CircuitRun:
    """Computes and stores a witness.

    Raises:
        WitnessError: there is none for this input.
        ProofError: ``witness-mismatch`` where ezkl took other inputs than it was given.
    """
    try:
        ezkl.gen_witness(
            input_json(tensors),
            str(compiled),
            str(out),
            None if verifying_key is None else str(verifying_key),
            None if srs is None else str(srs),
        )
    except RuntimeError as error:
        raise WitnessError(str(error).removeprefix("Failed to generate witness: ")) from error
    except BaseException as error:
        # An index that points outside a tensor makes ezkl panic: the input's fault, not a crash.
        if type(error).__name__ != "PanicException":
            raise
        raise WitnessError(f"ezkl panicked: {error}") from error
    stored: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    taken = [[from_felt(felt_from_ezkl_hex(text)) for text in row] for row in stored["inputs"]]
    if taken != [list(tensor) for tensor in tensors]:
        raise ProofError(
            "witness-mismatch",
            "ezkl's witness is for another input",
            hint="report this: it must never happen",
        )
    return CircuitRun(
        [[from_felt(felt_from_ezkl_hex(text)) for text in row] for row in stored["outputs"]],
        (int(stored["min_lookup_inputs"]), int(stored["max_lookup_inputs"])),
    )


def require_lookups_in_table(run: CircuitRun, settings: Mapping[str, Any]) -> None:
    """ezkl's witness does not look whether its tables reach far enough; proving would then fail."""
    low, high = settings["run_args"]["lookup_range"]
    if settings["required_lookups"] and not low <= run.lookups[0] <= run.lookups[1] <= high:
        raise WitnessError(
            f"a looked-up value in [{run.lookups[0]}, {run.lookups[1]}] leaves the table's range"
            f" [{low}, {high}]"
        )
