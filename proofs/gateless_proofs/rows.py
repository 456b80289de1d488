"""Rows of a circuit: packed inferences on one side, ezkl's tensors and words on the other."""

from __future__ import annotations

from collections.abc import Sequence

from gateless.core.errors import InputError, ProofError
from gateless.core.manifest import Binding, CircuitEntry
from gateless.core.packing import FIELD_MODULUS, IoSchema, TensorSpec, pack, unpack
from gateless.core.public_words import TensorRows, dense_words, from_dense_words, plain_words

from gateless_proofs.bundle import Bundle


def padded(packed_rows: Sequence[bytes], entry: CircuitEntry) -> tuple[bytes, ...]:
    """Fills a circuit's batch by repeating the last row.

    Raises:
        InputError: ``wrong-row-count`` for no rows, or more than the circuit takes.
    """
    if not 1 <= len(packed_rows) <= entry.batch_size:
        raise InputError(
            "wrong-row-count",
            f"{len(packed_rows)} rows given, the circuit takes 1 to {entry.batch_size}",
        )
    missing = entry.batch_size - len(packed_rows)
    return (*packed_rows, *([packed_rows[-1]] * missing))


def unpack_rows(packed_rows: Sequence[bytes], specs: Sequence[TensorSpec]) -> TensorRows:
    """Packed inferences as rows of tensors: ``[tensor][row]``."""
    rows = [unpack(packed, specs) for packed in packed_rows]
    return [[row[index] for row in rows] for index in range(len(specs))]


def pack_rows(rows: TensorRows, specs: Sequence[TensorSpec]) -> tuple[bytes, ...]:
    """The inverse of :func:`unpack_rows`.

    Raises:
        ProofError: ``output-out-of-range`` where a value does not fit its width.
    """
    for tensor, spec in zip(rows, specs, strict=True):
        if any(not spec.minimum <= value <= spec.maximum for row in tensor for value in row):
            raise _out_of_range(spec)
    return tuple(pack(list(row), specs) for row in zip(*rows, strict=True))


def circuit_inputs(packed_rows: Sequence[bytes], schema: IoSchema) -> list[list[int]]:
    """What ezkl takes: one flat list per input tensor, row after row."""
    return [
        [value for row in tensor for value in row]
        for tensor in unpack_rows(packed_rows, schema.inputs)
    ]


def outputs_of(
    bundle: Bundle,
    entry: CircuitEntry,
    packed_rows: Sequence[bytes],
    outputs: Sequence[Sequence[int]],
) -> tuple[bytes, ...]:
    """Reads the packed outputs of each row out of a circuit's output tensors.

    Args:
        bundle: whose circuit it is.
        entry: the circuit.
        packed_rows: what it was given, as many rows as it takes.
        outputs: ezkl's output tensors; of a dense circuit these are words, the inputs' first.

    Raises:
        ProofError: ``output-out-of-range``; ``witness-mismatch`` where the words of a dense circuit
            are not for these inputs.
    """
    schema = bundle.schema
    if not entry.digit_bits:
        rows = [
            _split(flat, spec.count, entry.batch_size)
            for flat, spec in zip(outputs, schema.outputs, strict=True)
        ]
        return pack_rows(rows, schema.outputs)
    words = [value % FIELD_MODULUS for tensor in outputs for value in tensor]
    given = _words(entry, unpack_rows(packed_rows, schema.inputs), schema.inputs)
    if words[: len(given)] != given:
        raise ProofError(
            "witness-mismatch",
            "the circuit's public words are not those of its inputs",
            hint="do not serve or trust this version: its circuit does not show what it computes",
        )
    try:
        read = from_dense_words(
            words[len(given) :],
            schema.outputs,
            entry.batch_size,
            entry.digit_bits,
            entry.digits_per_word,
        )
    except InputError as error:
        if error.code != "saturated":
            raise
        raise ProofError(
            "output-out-of-range",
            f"an output does not fit the bits that this version reserves for it: {error.message}",
            hint="use inputs like those the model was calibrated with",
        ) from error
    return pack_rows(read, schema.outputs)


def instances_of(
    bundle: Bundle,
    entry: CircuitEntry,
    packed_inputs: Sequence[bytes],
    packed_outputs: Sequence[bytes],
) -> list[int]:
    """The circuit's public values in order, as field elements: inputs where they are public, then
    outputs, each tensor with all its rows."""
    schema = bundle.schema
    public = _words(entry, unpack_rows(packed_outputs, schema.outputs), schema.outputs)
    if bundle.manifest.binding is not Binding.PACKED:
        return public
    return _words(entry, unpack_rows(packed_inputs, schema.inputs), schema.inputs) + public


def _words(entry: CircuitEntry, rows: TensorRows, specs: Sequence[TensorSpec]) -> list[int]:
    if entry.digit_bits:
        return dense_words(rows, specs, entry.digit_bits, entry.digits_per_word)
    return plain_words(rows, specs)


def _split(flat: Sequence[int], length: int, rows: int) -> list[Sequence[int]]:
    if len(flat) != length * rows:
        raise ProofError(
            "witness-mismatch",
            f"the circuit puts out {len(flat)} values for {rows} rows of {length}",
            hint="audit the bundle; its circuit may not be its model's",
        )
    return [flat[start : start + length] for start in range(0, len(flat), length)]


def _out_of_range(spec: TensorSpec) -> ProofError:
    return ProofError(
        "output-out-of-range",
        f"output {spec.name!r} does not fit the {8 * spec.width} bits that this version"
        " reserves for it",
        hint="use inputs like those the model was calibrated with",
    )
