"""How many public values a circuit has: its key and the contract must agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from gateless.core.errors import ProofError
from gateless.core.manifest import Binding, CircuitEntry, Tensor

from gateless_proofs.vka import instance_count, parse_vka


def check_instances(
    vka: Path,
    entry: CircuitEntry,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    binding: Binding,
) -> None:
    """Compares a key's number of public values with what the contract will give it.

    Raises:
        ProofError: ``instances-mismatch``.
    """
    public = public_words(entry, inputs, outputs, binding)
    found = instance_count(parse_vka(vka.read_bytes()))
    if found != public:
        raise ProofError(
            "instances-mismatch",
            f"the circuit has {found} public values, the model {public}",
            hint="report the model",
        )


def public_words(
    entry: CircuitEntry,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    binding: Binding,
) -> int:
    """Public values of a circuit."""
    public = (*inputs, *outputs) if binding is Binding.PACKED else tuple(outputs)
    counts = [math.prod(tensor.shape) for tensor in public]
    if entry.dense:
        counts = [-(-count // entry.digits_per_word) for count in counts]
    return entry.batch_size * sum(counts)
