"""Tensors of versions without a circuit: the bytes of their own ONNX type.

Little-endian, row-major, one tensor after the other in schema order. What quorums compare are these
bytes, so nothing is rounded or scaled on the way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gateless.core.errors import InputError, ModelError

#: ONNX element type -> how an element is spelled in bytes
ELEMENTS: dict[str, str] = {
    "FLOAT": "<f4",
    "DOUBLE": "<f8",
    "FLOAT16": "<f2",
    "BOOL": "|b1",
    "INT8": "|i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "|u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
}

AnyArray = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class RawTensor:
    """A tensor of one inference, batch dimension (1) included; ``onnx_dtype`` is ONNX's name of
    its element type, such as ``FLOAT``."""

    name: str
    shape: tuple[int, ...]
    onnx_dtype: str

    @property
    def count(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def element_length(self) -> int:
        """Length of an element in bytes."""
        return element_type(self.onnx_dtype).itemsize

    @property
    def length(self) -> int:
        """Length in bytes."""
        return self.count * self.element_length


def element_type(onnx_dtype: str) -> np.dtype[Any]:
    """The element type by its ONNX name.

    Raises:
        ModelError: ``unsupported-dtype``.
    """
    if onnx_dtype not in ELEMENTS:
        raise ModelError(
            "unsupported-dtype",
            f"tensors of {onnx_dtype} are not taken",
            hint="convert text and maps to numbers before the model",
        )
    return np.dtype(ELEMENTS[onnx_dtype])


def raw_array(values: Any, tensor: RawTensor) -> AnyArray:
    """User data as an array of the tensor's own type and shape.

    A flat list of the right length and a value without the batch dimension are accepted.

    Raises:
        InputError: ``wrong-dtype``, ``wrong-shape``, ``not-finite``, ``out-of-range``.
    """
    dtype = element_type(tensor.onnx_dtype)
    hint = f"give {tensor.count} numbers of shape {list(tensor.shape)}"
    try:
        given = np.asarray(values)
    except ValueError as error:
        raise InputError(
            "wrong-shape", f"input {tensor.name!r} is not a rectangular array", hint=hint
        ) from error
    if given.dtype.kind not in "biuf":
        raise InputError(
            "wrong-dtype", f"input {tensor.name!r} holds {given.dtype}, not numbers", hint=hint
        )
    if given.shape not in {tensor.shape, tensor.shape[1:], (tensor.count,)}:
        raise InputError(
            "wrong-shape",
            f"input {tensor.name!r} has shape {list(given.shape)},"
            f" the model takes {list(tensor.shape)}",
            hint=hint,
        )
    if not np.isfinite(given).all():
        raise InputError(
            "not-finite",
            f"input {tensor.name!r} holds NaN or an infinity",
            hint="replace missing values before asking for an inference",
        )
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            array = given.astype(dtype)
        fits = bool(np.isfinite(array).all())
    else:
        # numpy makes floats of integers that no one type of its own holds: the values as given.
        numbers = np.asarray(values, dtype=object).reshape(-1).tolist()
        if any(number != int(number) for number in numbers):
            raise InputError(
                "wrong-dtype",
                f"input {tensor.name!r} takes {tensor.onnx_dtype}, fractions were given",
                hint="round the values first, the way the model expects it",
            )
        low, high = (0, 1) if dtype.kind == "b" else _bounds(dtype)
        fits = all(low <= number <= high for number in numbers)
        array = np.array([int(number) for number in numbers] if fits else [], dtype=dtype)
    if not fits:
        raise InputError(
            "out-of-range",
            f"a value of {tensor.name!r} does not fit {tensor.onnx_dtype}",
            hint="give values that the model's type can hold",
        )
    return array.reshape(tensor.shape)


def _bounds(dtype: np.dtype[Any]) -> tuple[int, int]:
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def encode_raw(arrays: Sequence[AnyArray]) -> bytes:
    """The bytes of some tensors; each must have one of the known types."""
    return b"".join(
        np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
        for array in arrays
    )


def decode_raw(data: bytes, tensors: Sequence[RawTensor]) -> list[AnyArray]:
    """The tensors again (read-only); the length must match to the byte.

    Raises:
        InputError: ``wrong-length``; ``out-of-range`` for a truth value other than 0 and 1.
    """
    expected = sum(tensor.length for tensor in tensors)
    if len(data) != expected:
        raise InputError(
            "wrong-length", f"the data has {len(data)} bytes, the schema takes {expected}"
        )
    arrays: list[AnyArray] = []
    start = 0
    for tensor in tensors:
        piece = data[start : start + tensor.length]
        dtype = element_type(tensor.onnx_dtype)
        if dtype.kind == "b" and max(piece, default=0) > 1:
            raise InputError(
                "out-of-range", f"{tensor.name!r} holds a byte that is neither 0 nor 1"
            )
        arrays.append(np.frombuffer(piece, dtype=dtype).reshape(tensor.shape))
        start += tensor.length
    return arrays
