"""Representative inputs of a model: what its circuit is fitted to and judged on."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gateless.core.errors import InputError
from gateless.core.packing import FloatArray, TensorSpec, as_tensor

MAX_FILE_BYTES = 512 << 20
#: key under which data without names is kept until the model's input names are known
POSITIONAL = "input_data"


@dataclass(frozen=True, slots=True)
class CalibrationData:
    """Named arrays with a leading sample axis, all of the same number of samples.

    Attributes:
        arrays: values per input name, or a list per position under ``input_data``.
    """

    arrays: Mapping[str, Any]

    @staticmethod
    def from_arrays(arrays: Mapping[str, Any]) -> CalibrationData:
        """Takes ``{input name: array of shape (samples, …)}``."""
        if not arrays:
            raise _empty()
        return CalibrationData(dict(arrays))

    @staticmethod
    def load(path: Path) -> CalibrationData:
        """Reads ``.npz`` (one array per input) or ``.json``.

        The JSON is ``{input name: [sample, …]}``, or ezkl's ``{"input_data": [flat input, …]}``,
        which holds one sample.

        Raises:
            InputError: ``invalid-calibration``.
        """
        if not path.is_file():
            raise InputError(
                "invalid-calibration",
                f"there is no file {path}",
                hint="give a .npz or .json file with representative inputs",
            )
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(
                "invalid-calibration",
                f"{path.name} is larger than {MAX_FILE_BYTES} bytes",
                hint="a few hundred samples are plenty",
            )
        if path.suffix not in (".npz", ".json"):
            raise InputError(
                "invalid-calibration",
                f"{path.name} is neither .npz nor .json",
                hint="np.savez(file, **{input_name: array}) writes one; samples go along axis 0",
            )
        try:
            if path.suffix == ".npz":
                with np.load(path, allow_pickle=False) as stored:
                    return CalibrationData.from_arrays({name: stored[name] for name in stored})
            data = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(
                "invalid-calibration",
                f"{path.name} cannot be read: {error}",
                hint='give a .npz file, or JSON like {"input name": [sample, …]}',
            ) from error
        if not isinstance(data, dict):
            raise InputError(
                "invalid-calibration",
                f"{path.name} holds no JSON object",
                hint='give JSON like {"input name": [sample, …]}',
            )
        return CalibrationData.from_arrays(data)

    def samples(self, specs: Sequence[TensorSpec]) -> list[list[FloatArray]]:
        """One list of tensors per sample, checked against the model's inputs.

        Raises:
            InputError: ``invalid-calibration``, ``wrong-shape``, ``wrong-dtype``, ``not-finite``.
        """
        if set(self.arrays) == {POSITIONAL} and POSITIONAL not in {spec.name for spec in specs}:
            given = self.arrays[POSITIONAL]
            if not isinstance(given, Sequence) or len(given) != len(specs):
                raise InputError(
                    "invalid-calibration",
                    f"input_data does not hold {len(specs)} inputs",
                    hint="give one flat list per model input",
                )
            return [[as_tensor(flat, spec) for flat, spec in zip(given, specs, strict=True)]]
        names = [spec.name for spec in specs]
        if set(self.arrays) != set(names):
            raise InputError(
                "invalid-calibration",
                f"the calibration data has {sorted(self.arrays)}, the model takes {names}",
                hint="name the arrays after the model's inputs",
            )
        arrays = [self.arrays[name] for name in names]
        counts = {_sample_count(array) for array in arrays}
        if len(counts) != 1 or 0 in counts:
            raise _empty()
        return [_sample(index, arrays, specs) for index in range(counts.pop())]


def _sample(index: int, arrays: Sequence[Any], specs: Sequence[TensorSpec]) -> list[FloatArray]:
    try:
        return [as_tensor(array[index], spec) for array, spec in zip(arrays, specs, strict=True)]
    except InputError as error:
        raise InputError(
            error.code,
            f"calibration sample {index}: {error.message}",
            hint="remove or mend the sample" if error.code == "not-finite" else error.hint,
        ) from error


def _sample_count(array: Any) -> int:
    sized = isinstance(array, (list, tuple)) or (isinstance(array, np.ndarray) and array.ndim > 0)
    return len(array) if sized else 0


def _empty() -> InputError:
    return InputError(
        "invalid-calibration",
        "the calibration data needs the same number of samples, at least one, for every input",
        hint="give arrays with a leading sample axis",
    )
