"""Packed integers, fixed-point numbers and field elements, by exact rules.

A tensor of a circuit-backed version travels as big-endian two's-complement integers of a fixed
width, row-major, one tensor after the other in schema order. ``ZkVerifier`` unpacks the same bytes
on chain. Scales are binary: a real number ``x`` is carried as ``round_half_away(x *
2**scale_bits)``, which is ezkl's own rule (``quantize_float``), so a value quantised here equals
the value ezkl would use.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gateless.core.errors import InputError

#: Order of the BN254 scalar field, https://eips.ethereum.org/EIPS/eip-197
FIELD_MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617

WIDTHS = (1, 2, 4, 8, 16)
#: What one fulfilment may carry, as in ``contracts/src/libraries/RegistryRules.sol``.
MAX_BATCH = 128
MAX_PROOF_WORDS = 8_192
MAX_PROOF_VALUES = 24_576
MAX_PROOF_BYTES = 65_536
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor of a version's I/O schema.

    Attributes:
        name: name in the ONNX graph.
        shape: shape of one inference, batch dimension (1) included.
        width: bytes per element on the wire: 1, 2, 4, 8 or 16.
        scale_bits: binary scale; the real value is ``integer / 2**scale_bits``.
    """

    name: str
    shape: tuple[int, ...]
    width: int
    scale_bits: int

    def __post_init__(self) -> None:
        if self.width not in WIDTHS:
            raise InputError("invalid-width", f"width {self.width} is not one of {WIDTHS}")
        if not -128 <= self.scale_bits <= 127:
            raise InputError("invalid-scale", f"scale {self.scale_bits} does not fit a byte")
        if any(dim < 1 for dim in self.shape):
            raise InputError("invalid-shape", f"shape {self.shape} has an empty dimension")

    @property
    def count(self) -> int:
        """Number of elements of one inference."""
        return math.prod(self.shape)

    @property
    def packed_length(self) -> int:
        """Length of the packed tensor in bytes."""
        return self.count * self.width

    @property
    def offset(self) -> int:
        """What makes the width's integers non-negative: the digit of 0 in a dense word."""
        return 1 << (8 * self.width - 1)

    @property
    def minimum(self) -> int:
        """Smallest integer that the width carries."""
        return -(1 << (8 * self.width - 1))

    @property
    def maximum(self) -> int:
        """Largest integer that the width carries."""
        return (1 << (8 * self.width - 1)) - 1


@dataclass(frozen=True, slots=True)
class IoSchema:
    """Inputs and outputs of a version, in the order in which circuits expose them."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def encode(self) -> bytes:
        """The on-chain form, read by ``contracts/src/libraries/IoSchema.sol``.

        One byte each for the number of inputs and outputs, then per tensor: width (1 byte), scale
        (1 byte, signed), number of elements (4 bytes, big-endian).
        """
        if not (1 <= len(self.inputs) <= 255 and 1 <= len(self.outputs) <= 255):
            raise InputError("invalid-schema", "a schema needs 1 to 255 inputs and outputs")
        parts = [bytes((len(self.inputs), len(self.outputs)))]
        for spec in (*self.inputs, *self.outputs):
            parts.append(
                spec.width.to_bytes(1)
                + spec.scale_bits.to_bytes(1, signed=True)
                + spec.count.to_bytes(4)
            )
        return b"".join(parts)

    def check_row(
        self, *, packed_inputs: bool, batch_size: int = 1, digits_per_word: int = 0
    ) -> None:
        """Refuses circuits whose proofs are too large to be verified in one transaction.

        Args:
            packed_inputs: whether inputs travel with the proof; a commitment takes no room.
            batch_size: rows of one proof.
            digits_per_word: of a dense circuit; 0 where each value is a word.

        Raises:
            InputError: ``row-too-large``.
        """
        public = (*self.inputs, *self.outputs) if packed_inputs else self.outputs
        values = batch_size * sum(spec.count for spec in public)
        words = batch_size * sum(-(-spec.count // max(1, digits_per_word)) for spec in public)
        length = batch_size * sum(spec.packed_length for spec in public)
        if (
            batch_size > MAX_BATCH
            or words > MAX_PROOF_WORDS
            or values > MAX_PROOF_VALUES
            or length > MAX_PROOF_BYTES
        ):
            raise InputError(
                "row-too-large",
                f"a proof of {batch_size} inferences has {words} public words for {values} values"
                f" in {length} bytes; the registry takes {MAX_PROOF_WORDS} for {MAX_PROOF_VALUES}"
                f" in {MAX_PROOF_BYTES}, and {MAX_BATCH} inferences",
                hint="bind inputs by commitment (--binding kzg), choose a smaller batch, or let the"
                " model put out less",
            )


def round_half_away(value: float) -> int:
    """Rounds to the nearest integer, halves away from zero, exactly (Rust's ``f64::round``)."""
    floor = math.floor(abs(value))
    magnitude = floor + (1 if abs(value) - floor >= 0.5 else 0)
    return magnitude if value >= 0 else -magnitude


def as_tensor(values: Any, spec: TensorSpec) -> FloatArray:
    """Checks user data against a tensor's shape and returns it as float64 of that shape.

    A flat list of the right length and a value without the batch dimension are accepted.

    Raises:
        InputError: ``wrong-dtype``, ``wrong-shape``, ``not-finite``.
    """
    try:
        raw = np.asarray(values)
    except ValueError as error:
        raise InputError(
            "wrong-shape",
            f"input {spec.name!r} is not a rectangular array",
            hint=f"give {spec.count} numbers of shape {list(spec.shape)}",
        ) from error
    if raw.dtype.kind not in "biuf":
        raise InputError(
            "wrong-dtype",
            f"input {spec.name!r} holds {raw.dtype}, not numbers",
            hint=f"give {spec.count} numbers of shape {list(spec.shape)}",
        )
    array = raw.astype(np.float64)
    accepted = {spec.shape, spec.shape[1:], (spec.count,)}
    if array.shape not in accepted:
        raise InputError(
            "wrong-shape",
            f"input {spec.name!r} has shape {list(array.shape)},"
            f" the model takes {list(spec.shape)}",
            hint=f"give {spec.count} numbers, flat or of shape {list(spec.shape)}",
        )
    if not np.isfinite(array).all():
        raise InputError(
            "not-finite",
            f"input {spec.name!r} holds NaN or an infinity",
            hint="replace missing values before asking for an inference",
        )
    return array.reshape(spec.shape)


def quantise(values: Any, spec: TensorSpec) -> list[int]:
    """Real numbers to fixed-point integers of one tensor.

    Raises:
        InputError: as :func:`as_tensor`, and ``out-of-range`` where a value does not fit the width.
    """
    array = as_tensor(values, spec)
    scale = 2.0**spec.scale_bits
    integers = [round_half_away(float(value) * scale) for value in array.reshape(-1)]
    check_range(integers, spec)
    return integers


def dequantise(integers: Sequence[int], spec: TensorSpec) -> FloatArray:
    """Fixed-point integers to real numbers (float64) of the tensor's shape."""
    if len(integers) != spec.count:
        raise InputError("wrong-shape", f"{len(integers)} values for {spec.count} elements")
    values = [math.ldexp(float(integer), -spec.scale_bits) for integer in integers]
    return np.array(values, dtype=np.float64).reshape(spec.shape)


def check_range(integers: Iterable[int], spec: TensorSpec) -> None:
    """Refuses integers that the tensor's packed width cannot carry."""
    for index, integer in enumerate(integers):
        if not spec.minimum <= integer <= spec.maximum:
            low = math.ldexp(spec.minimum, -spec.scale_bits)
            high = math.ldexp(spec.maximum, -spec.scale_bits)
            raise InputError(
                "out-of-range",
                f"element {index} of {spec.name!r} does not fit int{8 * spec.width}"
                f" at scale 2^{spec.scale_bits}",
                hint=f"values must lie between {low:g} and {high:g}",
                index=index,
                value=str(integer),
            )


def pack(tensors: Sequence[Sequence[int]], specs: Sequence[TensorSpec]) -> bytes:
    """Packs integers of several tensors, in schema order."""
    if len(tensors) != len(specs):
        raise InputError(
            "wrong-tensor-count",
            f"{len(tensors)} tensors given, the schema has {len(specs)}",
            hint="give one array per tensor: " + ", ".join(spec.name for spec in specs),
        )
    parts: list[bytes] = []
    for integers, spec in zip(tensors, specs, strict=True):
        if len(integers) != spec.count:
            raise InputError(
                "wrong-shape", f"{spec.name!r} takes {spec.count} elements, {len(integers)} given"
            )
        check_range(integers, spec)
        parts.extend(int(value).to_bytes(spec.width, signed=True) for value in integers)
    return b"".join(parts)


def unpack(data: bytes, specs: Sequence[TensorSpec]) -> list[list[int]]:
    """Unpacks what :func:`pack` packed; the length must match to the byte."""
    expected = sum(spec.packed_length for spec in specs)
    if len(data) != expected:
        raise InputError(
            "wrong-length", f"packed data has {len(data)} bytes, the schema takes {expected}"
        )
    tensors: list[list[int]] = []
    offset = 0
    for spec in specs:
        end = offset + spec.packed_length
        tensors.append(
            [
                int.from_bytes(data[at : at + spec.width], signed=True)
                for at in range(offset, end, spec.width)
            ]
        )
        offset = end
    return tensors


def to_felt(value: int) -> int:
    """A signed integer as element of the BN254 scalar field (negative ``x`` is ``r - |x|``)."""
    if abs(value) > FIELD_MODULUS // 2:
        raise InputError("out-of-range", "integer does not fit the field")
    return value % FIELD_MODULUS


def from_felt(felt: int) -> int:
    """The signed integer that a canonical field element stands for."""
    if not 0 <= felt < FIELD_MODULUS:
        raise InputError("not-canonical", "field element is not below the modulus")
    return felt if felt <= FIELD_MODULUS // 2 else felt - FIELD_MODULUS


def felt_to_ezkl_hex(felt: int) -> str:
    """ezkl's spelling of a field element: 32 bytes, little-endian hex, no prefix."""
    return felt.to_bytes(32, "little").hex()


def felt_from_ezkl_hex(text: str) -> int:
    """Reads ezkl's spelling; refuses non-canonical values."""
    felt = int.from_bytes(bytes.fromhex(text.removeprefix("0x")), "little")
    if felt >= FIELD_MODULUS:
        raise InputError("not-canonical", "field element is not below the modulus")
    return felt
