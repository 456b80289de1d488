from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gateless.core.errors import InputError
from gateless.core.packing import TensorSpec
from gateless_proofs import CalibrationData

SPECS = [TensorSpec("a", (1, 2), 4, 0), TensorSpec("b", (1, 3), 4, 0)]


def values(data: CalibrationData) -> list[list[list[float]]]:
    return [[tensor.reshape(-1).tolist() for tensor in sample] for sample in data.samples(SPECS)]


def test_npz_and_json_hold_the_same(tmp_path: Path) -> None:
    arrays = {"a": np.arange(4.0).reshape(2, 2), "b": np.arange(6.0).reshape(2, 1, 3)}
    np.savez(tmp_path / "data.npz", **arrays)
    (tmp_path / "data.json").write_text(json.dumps({k: v.tolist() for k, v in arrays.items()}))
    expected = [[[0, 1], [0, 1, 2]], [[2, 3], [3, 4, 5]]]
    for name in ("data.npz", "data.json"):
        assert values(CalibrationData.load(tmp_path / name)) == expected


def test_ezkls_own_format_is_one_sample(tmp_path: Path) -> None:
    path = tmp_path / "input.json"
    path.write_text(json.dumps({"input_data": [[1, 2], [3, 4, 5]]}))
    assert values(CalibrationData.load(path)) == [[[1, 2], [3, 4, 5]]]
    path.write_text(json.dumps({"input_data": [[1, 2]]}))
    with pytest.raises(InputError) as error:
        CalibrationData.load(path).samples(SPECS)
    assert error.value.code == "invalid-calibration"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.json", b"not json"),
        ("data.json", b"[1, 2]"),
        ("data.json", b"{}"),
        ("data.npz", b"not a zip file"),
        ("data.npz", b""),
        ("data.json", b"\xff\xfe"),
    ],
)
def test_unreadable_files_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        CalibrationData.load(tmp_path / name)
    assert error.value.code == "invalid-calibration"
    assert error.value.hint


def test_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        CalibrationData.load(tmp_path / "absent.npz")
    assert error.value.code == "invalid-calibration"


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, a=np.array([{"code": "runs on load"}], dtype=object))
    with pytest.raises(InputError) as error:
        CalibrationData.load(path)
    assert error.value.code == "invalid-calibration"


def test_every_input_needs_the_same_number_of_samples() -> None:
    data = CalibrationData.from_arrays({"a": np.ones((3, 2)), "b": np.ones((2, 3))})
    with pytest.raises(InputError) as error:
        data.samples(SPECS)
    assert error.value.code == "invalid-calibration"


@pytest.mark.parametrize("arrays", [{"a": 1.0, "b": 2.0}, {"a": None, "b": None}, {"a": "xy"}])
def test_data_without_samples_is_refused(arrays: dict[str, object]) -> None:
    with pytest.raises(InputError) as error:
        CalibrationData.from_arrays(arrays).samples(SPECS)
    assert error.value.code == "invalid-calibration"


def test_the_sample_that_cannot_be_taken_is_named() -> None:
    a, b = np.zeros((3, 2)), np.zeros((3, 3))
    b[2, 1] = np.nan
    with pytest.raises(InputError) as error:
        CalibrationData.from_arrays({"a": a, "b": b}).samples(SPECS)
    assert error.value.code == "not-finite"
    assert error.value.message.startswith("calibration sample 2: input 'b'")


def test_other_file_types_are_refused_by_name(tmp_path: Path) -> None:
    np.save(tmp_path / "data.npy", np.zeros(3))
    with pytest.raises(InputError) as error:
        CalibrationData.load(tmp_path / "data.npy")
    assert error.value.message == "data.npy is neither .npz nor .json"
