"""What a manifest states of a circuit, held against what an audit found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateless.core.manifest import CircuitEntry, Manifest


class UntrueStatementError(Exception):
    """A manifest says what is not so; the message says what."""


def check_slack(entry: CircuitEntry, manifest: Manifest, moves: Sequence[float]) -> None:
    """No less slack is stated than was seen.

    Args:
        entry: the circuit.
        moves: how far rescaling moved each output; empty for circuits of several rows, which state
            what the circuit for one states.

    Raises:
        UntrueStatementError: otherwise.
    """
    if len(entry.slack) != len(manifest.outputs):
        raise UntrueStatementError("the slack is not stated for each output")
    for stated, tensor, move in zip(entry.slack, manifest.outputs, moves, strict=False):
        seen = move * 2.0**tensor.scale_bits
        if stated < seen:
            raise UntrueStatementError(
                f"rescaling moves output {tensor.name!r} by {seen:.0f} units, the manifest states"
                f" {stated}"
            )
    first = manifest.circuits[0].slack
    if not entry.exact and any(a < b for a, b in zip(entry.slack, first, strict=True)):
        raise UntrueStatementError("a circuit states less slack than the first")


def check_digits(entry: CircuitEntry, arguments: Mapping[str, Any], manifest: Manifest) -> None:
    """A digit is what the decomposition bounds: one with room for more could run into the next.

    Raises:
        UntrueStatementError: digits are too narrow for what they carry.
    """
    largest = arguments["decomp_base"] ** arguments["decomp_legs"]
    if largest > 1 << entry.digit_bits:
        raise UntrueStatementError(f"digits below {largest} do not fit {entry.digit_bits} bits")
    widest = max(tensor.width for tensor in (*manifest.inputs, *manifest.outputs))
    if 8 * widest > entry.digit_bits:
        raise UntrueStatementError(
            f"values of {widest} bytes do not fit digits of {entry.digit_bits} bits"
        )
