"""Tensors in their own types: bytes and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gateless.core.errors import InputError, ModelError
from gateless.core.raw_tensors import ELEMENTS, RawTensor, decode_raw, encode_raw, raw_array
from hypothesis import given
from hypothesis import strategies as st

PAIR = (RawTensor("a", (1, 2), "FLOAT"), RawTensor("b", (1, 3), "INT16"))


def code_of(values: Any, tensor: RawTensor) -> str:
    with pytest.raises(InputError) as caught:
        raw_array(values, tensor)
    return caught.value.code


def test_bytes_are_little_endian_in_schema_order() -> None:
    arrays = [raw_array([1.0, -2.5], PAIR[0]), raw_array([1, -2, 256], PAIR[1])]
    data = encode_raw(arrays)
    assert data.hex() == "0000803f000020c00100feff0001"
    first, second = decode_raw(data, PAIR)
    assert first.tolist() == [[1.0, -2.5]]
    assert second.tolist() == [[1, -2, 256]]
    # A machine of the other byte order spells the same.
    assert encode_raw([array.astype(array.dtype.newbyteorder(">")) for array in arrays]) == data


@given(st.data())
def test_every_type_reads_back(data: st.DataObject) -> None:
    onnx_dtype = data.draw(st.sampled_from(sorted(ELEMENTS)))
    tensor = RawTensor("x", (2, 2), onnx_dtype)
    dtype = np.dtype(ELEMENTS[onnx_dtype])
    if dtype.kind == "f":
        numbers: st.SearchStrategy[Any] = st.floats(
            width=8 * dtype.itemsize,  # type: ignore[arg-type]
            allow_nan=False,
            allow_infinity=False,
        )
    elif dtype.kind == "b":
        numbers = st.booleans()
    else:
        numbers = st.integers(int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    array = raw_array(data.draw(st.lists(numbers, min_size=4, max_size=4)), tensor)
    encoded = encode_raw([array])
    assert len(encoded) == tensor.length == 4 * tensor.element_length
    (again,) = decode_raw(encoded, [tensor])
    assert again.dtype == dtype
    assert np.array_equal(again, array)
    assert encode_raw([again]) == encoded


def test_shapes_are_taken_flat_or_without_the_batch() -> None:
    tensor = RawTensor("x", (1, 2, 2), "FLOAT")
    flat = raw_array([1, 2, 3, 4], tensor)
    assert flat.shape == (1, 2, 2)
    assert np.array_equal(raw_array([[1, 2], [3, 4]], tensor), flat)
    assert code_of([1, 2, 3], tensor) == "wrong-shape"
    assert code_of([[1, 2], [3]], tensor) == "wrong-shape"
    assert code_of([[[[1, 2], [3, 4]]]], tensor) == "wrong-shape"


@pytest.mark.parametrize(
    ("onnx_dtype", "value", "code"),
    [
        ("UINT8", 256, "out-of-range"),
        ("UINT8", -1, "out-of-range"),
        ("INT32", 2**31, "out-of-range"),
        ("BOOL", 2, "out-of-range"),
        ("FLOAT", 1e39, "out-of-range"),
        ("FLOAT16", 70_000.0, "out-of-range"),
        ("INT64", 0.5, "wrong-dtype"),
        ("FLOAT", "text", "wrong-dtype"),
        ("FLOAT", float("nan"), "not-finite"),
        ("DOUBLE", float("-inf"), "not-finite"),
    ],
)
def test_what_a_type_does_not_hold_is_refused(onnx_dtype: str, value: Any, code: str) -> None:
    assert code_of([value], RawTensor("x", (1,), onnx_dtype)) == code


def test_large_integers_keep_every_digit() -> None:
    tensor = RawTensor("x", (1,), "INT64")
    assert raw_array([2**63 - 1], tensor).tolist() == [2**63 - 1]
    assert raw_array([2**53 + 1], tensor).tolist() == [2**53 + 1]


@pytest.mark.parametrize("change", [b"\0", b""])
def test_the_length_must_match(change: bytes) -> None:
    data = encode_raw([raw_array([1, 2], PAIR[0]), raw_array([1, 2, 3], PAIR[1])])
    with pytest.raises(InputError) as caught:
        decode_raw(data + change if change else data[:-1], PAIR)
    assert caught.value.code == "wrong-length"


def test_a_truth_value_has_one_spelling() -> None:
    tensor = RawTensor("x", (3,), "BOOL")
    assert decode_raw(b"\0\1\0", [tensor])[0].tolist() == [False, True, False]
    with pytest.raises(InputError) as caught:
        decode_raw(b"\0\1\2", [tensor])
    assert caught.value.code == "out-of-range"


def test_text_is_no_tensor() -> None:
    with pytest.raises(ModelError) as caught:
        _ = RawTensor("x", (1,), "STRING").length
    assert caught.value.code == "unsupported-dtype"
