"""The shipped classifier is what its script trains, and it reads images that it has never seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from class_scores import scores
from sklearn.exceptions import ConvergenceWarning

from examples.digits.images import draw, load_split
from examples.digits.train import CALIBRATION, IMAGE, MODEL, export, train

SHIPPED = Path(MODEL)


def test_shipped_model_reads_held_out_images() -> None:
    split = load_split()
    answers = scores(SHIPPED.read_bytes(), split.held_out).argmax(axis=1)
    assert (answers == split.held_out_labels).mean() >= 0.98


@pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning")
def test_the_script_trains_the_shipped_model() -> None:
    """Same seed, same data: the weights agree up to the linear algebra of another machine."""
    trained = export(train())
    shipped = onnx.load(str(SHIPPED))
    for ours, theirs in zip(trained.graph.initializer, shipped.graph.initializer, strict=True):
        assert ours.name == theirs.name
        assert ours.dims == theirs.dims
    images = load_split().held_out
    fresh = scores(trained.SerializeToString(), images).argmax(axis=1)
    assert (fresh == scores(SHIPPED.read_bytes(), images).argmax(axis=1)).mean() >= 0.98


def test_calibration_and_example_image_are_the_stated_ones() -> None:
    split = load_split()
    with np.load(CALIBRATION) as data:
        assert np.array_equal(data["image"], split.train[: len(data["image"])])
    assert np.array_equal(
        np.array(json.loads(IMAGE.read_text())["image"], dtype=np.float32), split.held_out[0]
    )


def test_images_are_drawn_dark_on_light() -> None:
    lines = draw(np.linspace(0, 1, 64, dtype=np.float32))
    assert len(lines) == 8
    assert {len(line) for line in lines} == {16}
    assert lines[0].startswith("  ")
    assert lines[-1].endswith("██")
