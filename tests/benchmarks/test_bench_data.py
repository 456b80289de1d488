"""Sets made from one sample are of its kind: shape, type, integers, one-hot rows, sign."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from bench_folders import folder_of, write_sample
from gateless.core.errors import InputError
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmarks.data import CALIBRATION_SAMPLES, ezkl_json, is_one_hot, sample_of, sets_like


def everything(sample: np.ndarray, seed: int = 0) -> np.ndarray:
    calibration, held_out = sets_like({"x": sample}, seed)
    return np.concatenate([calibration["x"], held_out["x"]])


def test_a_sample_has_the_names_shapes_and_types_of_the_model(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "m", "Relu", [0.5] * 6, shape=("batch_size", 2, 3))
    sample = sample_of(folder / "network.onnx", folder / "input.json")
    assert list(sample) == ["x"]
    assert sample["x"].shape == (1, 2, 3)
    assert sample["x"].dtype == np.float32


def test_a_sample_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "m", "Relu", [0.5] * 6)
    write_sample(folder, [1.0, 2.0])
    with pytest.raises(InputError, match="holds 2 values for 'x'"):
        sample_of(folder / "network.onnx", folder / "input.json")
    write_sample(folder, [1.0], [2.0])
    with pytest.raises(InputError, match="holds 2 inputs, the model takes 1"):
        sample_of(folder / "network.onnx", folder / "input.json")


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(max_dims=3, max_side=5),
        elements=st.floats(-100, 100, width=32),
    )
)
def test_sets_have_the_shape_and_type_and_no_more_spread(sample: np.ndarray) -> None:
    drawn = everything(sample)
    assert drawn.shape[1:] == sample.shape
    assert drawn.dtype == sample.dtype
    assert np.isfinite(drawn).all()
    reach = float(np.abs(sample).max()) + float(np.ptp(sample)) + 1
    assert np.abs(drawn).max() <= 3 * reach


def test_the_sample_leads_and_seeds_decide_the_rest() -> None:
    sample = np.linspace(0, 1, 20, dtype=np.float32)
    assert np.array_equal(everything(sample)[0], sample)
    assert np.array_equal(everything(sample), everything(sample))
    assert not np.array_equal(everything(sample, 1), everything(sample, 2))
    held_out = sets_like({"x": sample}, 0)[1]["x"]
    assert not any(np.array_equal(row, sample) for row in held_out)


def test_integers_stay_integers_of_the_same_values() -> None:
    indices = np.array([[0, 3, 14, 7]], dtype=np.int64)
    drawn = everything(indices)
    assert drawn.dtype == np.int64
    assert set(np.unique(drawn)) <= {0, 3, 7, 14}
    counts = np.array([1.0, 5.0, 2.0, 9.0], dtype=np.float32)
    assert np.array_equal(everything(counts), np.rint(everything(counts)))


def test_one_hot_rows_stay_one_hot() -> None:
    sample = np.eye(4, dtype=np.float32)[[2, 0, 1]]
    drawn = everything(sample)
    assert all(is_one_hot(row) for row in drawn)
    assert not np.array_equal(drawn[1], sample) or not np.array_equal(drawn[2], sample)


def test_what_is_never_negative_stays_so() -> None:
    pixels = np.linspace(0, 0.1, 64, dtype=np.float32)
    assert everything(pixels).min() >= 0


def test_constants_become_numbers_around_them() -> None:
    drawn = everything(np.full((8, 8), 0.5, dtype=np.float32))
    assert all(len(np.unique(row)) > 1 for row in drawn[1:])
    assert drawn.min() >= 0
    assert 0.9 < drawn.max() <= 1


def test_ezkl_takes_samples_one_after_another() -> None:
    arrays = {"a": np.arange(6.0).reshape(3, 1, 2), "b": np.arange(3.0)}
    assert json.loads(ezkl_json(arrays)) == {"input_data": [[0, 1, 2, 3, 4, 5], [0, 1, 2]]}
    assert json.loads(ezkl_json(arrays, [2])) == {"input_data": [[4, 5], [2]]}
    assert CALIBRATION_SAMPLES > 1
