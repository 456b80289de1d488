"""Values of an inference from files and from stdin."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from gateless.cli.inputs import MAX_INPUT_FILE_BYTES, parse_inputs, read_inputs
from gateless.core.errors import InputError


def test_every_format(tmp_path: Path) -> None:
    values = np.arange(4.0)
    (tmp_path / "a.json").write_text(json.dumps(values.tolist()))
    (tmp_path / "b.json").write_text(json.dumps({"x": values.tolist()}))
    np.save(tmp_path / "c.npy", values)
    np.savez(tmp_path / "d.npz", x=values)
    assert read_inputs(str(tmp_path / "a.json")) == [0, 1, 2, 3]
    assert read_inputs(str(tmp_path / "b.json")) == {"x": [0, 1, 2, 3]}
    np.testing.assert_array_equal(read_inputs(str(tmp_path / "c.npy")), values)
    np.testing.assert_array_equal(read_inputs(str(tmp_path / "d.npz"))["x"], values)


def _claims(shape: tuple[int, ...]) -> bytes:
    """A file of a few bytes that says it holds a huge array."""
    buffer = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


def _pickled() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"\x93NUMPY",
        b"PK\x03\x04",
        _claims(shape=(1 << 40,)),
        _pickled(),  # loading it would run code
    ],
)
def test_what_is_no_input(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        parse_inputs(data, "file")
    assert caught.value.code == "input-format"
    assert ".npy" in caught.value.hint


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "nowhere.json"):
        with pytest.raises(InputError) as caught:
            read_inputs(str(source))
        assert caught.value.code == "input-unreadable"


def test_a_file_without_end(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(MAX_INPUT_FILE_BYTES + 1)
    with pytest.raises(InputError) as caught:
        read_inputs(str(path))
    assert caught.value.code == "input-too-large"
