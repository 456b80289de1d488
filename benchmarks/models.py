"""The models of a run: those that the project ships, and the folders that one is given."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.data import sample_of, sets_like

ROOT = Path(__file__).resolve().parents[1]
SEED = 0
MODEL_NAME, SAMPLE_NAME = "network.onnx", "input.json"
#: real images that a shipped classifier is judged on
_JUDGED_IMAGES = 200

Array = npt.NDArray[Any]
Sets = tuple[dict[str, Array], dict[str, Array]]


class UsageError(Exception):
    """The run that was asked for makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class BenchModel:
    """A model and where its data comes from.

    Attributes:
        name: unique within a run.
        onnx: the file.
        data: makes the calibration and the held-out set.
        classifier: whether the class with the highest score is what matters.
        real_data: whether the sets are real data rather than made from one sample.
    """

    name: str
    onnx: Path
    data: Callable[[], Sets]
    classifier: bool = False
    real_data: bool = False

    def digest(self) -> str:
        """sha256 of the ONNX file, hex."""
        return hashlib.sha256(self.onnx.read_bytes()).hexdigest()


def shipped_models() -> list[BenchModel]:
    """What the project ships, with the images that their training never saw."""
    return [
        BenchModel(name, ROOT / "examples" / name / f"{name}.onnx", data, True, True)
        for name, data in (("digits", _digits), ("lenet", _lenet))
    ]


def _digits() -> Sets:
    from examples.digits.images import load_split
    from examples.digits.train import CALIBRATION

    return _real(CALIBRATION, load_split().held_out)


def _lenet() -> Sets:
    from examples.lenet.images import load_images
    from examples.lenet.train import CALIBRATION

    return _real(CALIBRATION, load_images().held_out)


def _real(calibration: Path, held_out: Array) -> Sets:
    """Images as inferences: each with the batch dimension that the model takes."""
    with np.load(calibration, allow_pickle=False) as stored:
        seen = {name: stored[name][:, np.newaxis] for name in stored}
    return seen, {"image": held_out[:_JUDGED_IMAGES, np.newaxis]}


def models_in(folder: Path) -> list[BenchModel]:
    """Every subfolder with ``network.onnx`` and ``input.json``, or the folder itself.

    Raises:
        UsageError: there is none.
    """
    folder = folder.resolve()  # each measured process has a working directory of its own
    candidates = [folder, *sorted(path for path in folder.glob("*") if path.is_dir())]
    found = [path for path in candidates if (path / MODEL_NAME).is_file()]
    if not found:
        raise UsageError(
            f"{folder} holds no {MODEL_NAME}, nor does any folder in it: give a folder of folders"
            f" with {MODEL_NAME} and {SAMPLE_NAME}"
        )
    return [_foreign(path) for path in found]


def _foreign(folder: Path) -> BenchModel:
    model, sample = folder / MODEL_NAME, folder / SAMPLE_NAME
    return BenchModel(folder.name, model, lambda: sets_like(sample_of(model, sample), SEED))


def chosen(folders: list[Path], only: list[str], *, shipped: bool = True) -> list[BenchModel]:
    """The models of a run, in order.

    Raises:
        UsageError: a folder holds no model, a name is unknown or given twice.
    """
    models = shipped_models() if shipped else []
    for folder in folders:
        models += models_in(folder)
    names = [model.name for model in models]
    unknown = sorted(set(only) - set(names))
    if unknown:
        raise UsageError(f"no model {unknown[0]!r} in this run: choose among {', '.join(names)}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"two models are named {twice[0]!r}")
    return [model for model in models if not only or model.name in only]
