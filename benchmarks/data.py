"""Data that both sides are calibrated with and judged on.

A model that the project ships has real data. A foreign one has one sample: from it come seeded
calibration and held-out sets of the same kind: the sample itself, jitters of it, and draws from its
distribution of values. Integers stay integers, one-hot rows stay one-hot.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from gateless.core.errors import InputError

Array = npt.NDArray[Any]
CALIBRATION_SAMPLES = 16
HELD_OUT_SAMPLES = 16
#: jitter and draws, in shares of the spread of the sample's values
_JITTER = 0.1
_FEW_VALUES = 8
_WHOLE = "iub"


def sample_of(model: Path, data: Path) -> dict[str, Array]:
    """The one sample of a model folder, named and shaped as the model takes it.

    Raises:
        InputError: ``invalid-calibration`` where it does not suit the model.
    """
    graph = onnx.load(str(model)).graph
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in stored]
    flat = json.loads(data.read_text(encoding="utf-8"))["input_data"]
    if len(flat) != len(inputs):
        raise InputError(
            "invalid-calibration",
            f"{data.name} holds {len(flat)} inputs, the model takes {len(inputs)}",
        )
    sample = {}
    for value, numbers in zip(inputs, flat, strict=True):
        kind = value.type.tensor_type
        # A symbolic or absent dimension is the batch: one inference.
        shape = [dimension.dim_value or 1 for dimension in kind.shape.dim]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
        array = np.array(numbers, dtype=np.float64).reshape(-1)
        if array.size != math.prod(shape):
            raise InputError(
                "invalid-calibration",
                f"{data.name} holds {array.size} values for {value.name!r} of shape {shape}",
            )
        sample[value.name] = array.reshape(shape).astype(dtype)
    return sample


def sets_like(sample: dict[str, Array], seed: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """Calibration and held-out set, each with a leading sample axis; the sample leads the first."""
    generator = np.random.default_rng(seed)
    sets: tuple[dict[str, Array], dict[str, Array]] = ({}, {})
    for name, array in sample.items():
        drawn = [array]
        for index in range(1, CALIBRATION_SAMPLES + HELD_OUT_SAMPLES):
            drawn.append(_jittered(array, generator) if index % 2 else _drawn(array, generator))
        sets[0][name] = np.stack(drawn[:CALIBRATION_SAMPLES])
        sets[1][name] = np.stack(drawn[CALIBRATION_SAMPLES:])
    return sets


def is_one_hot(array: Array) -> bool:
    """Whether every row along the last axis is a single one among zeros."""
    if array.ndim == 0 or array.shape[-1] < 2 or not np.isin(array, (0, 1)).all():
        return False
    return bool((array.sum(axis=-1) == 1).all())


def _is_whole(array: Array) -> bool:
    """Integers by type, or counts and categories kept as floats; one constant says nothing."""
    if array.dtype.kind in _WHOLE:
        return True
    return len(np.unique(array)) > 1 and bool((array == np.rint(array)).all())


def _spread(array: Array) -> float:
    deviation = float(np.std(array.astype(np.float64)))
    # A constant has no spread; its own size stands in for it.
    return deviation if deviation > 0 else float(np.abs(array).max()) or 1.0


def _jittered(array: Array, generator: np.random.Generator) -> Array:
    if is_one_hot(array):
        return generator.permuted(array, axis=-1)
    if _is_whole(array):
        redrawn = generator.random(array.shape) < _JITTER
        return np.where(redrawn, _drawn(array, generator), array)
    noise = generator.normal(0.0, _JITTER * _spread(array), array.shape)
    return _kept_inside(array, array + noise)


def _drawn(array: Array, generator: np.random.Generator) -> Array:
    if is_one_hot(array):
        return generator.permuted(array, axis=-1)
    if _is_whole(array):
        return generator.choice(array.reshape(-1), size=array.shape)
    if array.size < _FEW_VALUES or np.ptp(array) == 0:
        # Too little to show a distribution: the range that the values hint at.
        centre, reach = float(array.mean()), _spread(array)
        return generator.uniform(centre - reach, centre + reach, array.shape).astype(array.dtype)
    quantiles: Array = np.quantile(array, generator.random(array.size))
    return quantiles.reshape(array.shape).astype(array.dtype)


def _kept_inside(array: Array, values: Array) -> Array:
    """Non-negative data (pixels, rates) stays so."""
    low = 0.0 if float(array.min()) >= 0 else -np.inf
    return np.maximum(values, low).astype(array.dtype)


def ezkl_json(arrays: dict[str, Array], rows: Sequence[int] | None = None) -> str:
    """ezkl's data file: per input one flat list, the samples one after another."""
    chosen = [array if rows is None else array[list(rows)] for array in arrays.values()]
    flat = [chosen_array.reshape(-1).astype(np.float64).tolist() for chosen_array in chosen]
    return json.dumps({"input_data": flat})
