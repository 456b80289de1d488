"""The shipped LeNet-5 is what its script trains, and it reads images that it has never seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from class_scores import scores

from examples.digits.images import load_split
from examples.lenet import network
from examples.lenet.images import GREYS, SIDE, enlarge, load_images
from examples.lenet.train import CALIBRATION, MODEL, export, train

SHIPPED = Path(MODEL)
#: stated in examples/lenet/README.md and docs/benchmarks.md
STATED_ACCURACY = 0.97


def test_shipped_model_reads_held_out_images() -> None:
    split = load_images()
    answers = scores(SHIPPED.read_bytes(), split.held_out).argmax(axis=1)
    assert (answers == split.held_out_labels).mean() >= STATED_ACCURACY


def test_it_has_the_layers_of_lenet() -> None:
    kinds = [node.op_type for node in onnx.load(str(SHIPPED)).graph.node]
    assert kinds.count("Conv") == 2
    assert kinds.count("MaxPool") == 2
    assert kinds.count("Gemm") == 3


def test_the_script_trains_the_shipped_model() -> None:
    """Same seed, same data: the answers agree up to the linear algebra of another machine."""
    trained = export(train())
    shipped = onnx.load(str(SHIPPED))
    assert [node.SerializeToString() for node in trained.graph.node] == [
        node.SerializeToString() for node in shipped.graph.node
    ]
    images = load_images().held_out
    fresh = scores(trained.SerializeToString(), images).argmax(axis=1)
    assert (fresh == scores(SHIPPED.read_bytes(), images).argmax(axis=1)).mean() >= 0.97


def test_numpy_and_onnx_compute_the_same_scores() -> None:
    weights = network.initial_weights(np.random.default_rng(3))
    images = load_images().held_out[:8]
    exported = scores(export(weights).SerializeToString(), images)
    assert np.allclose(network.scores(weights, images), exported, atol=1e-5)


def test_gradients_are_those_of_finite_differences() -> None:
    generator = np.random.default_rng(5)
    weights = {
        # Blank pixels put a ReLU without bias exactly on its kink.
        name: value.astype(np.float64) + (0.1 if name.endswith(".b") else 0.0)
        for name, value in network.initial_weights(generator).items()
    }
    images = load_images().train[:4].astype(np.float64)
    labels = load_images().train_labels[:4]

    def loss() -> float:
        logits = network.scores(weights, images)
        top = logits.max(axis=1, keepdims=True)
        normaliser = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
        return float((normaliser - logits[np.arange(len(labels)), labels]).mean())

    found = network.gradients(weights, images, labels)
    for name, value in weights.items():
        place = tuple(generator.integers(size) for size in value.shape)
        step, kept = 1e-6, value[place]
        value[place] = kept + step
        above = loss()
        value[place] = kept - step
        below = loss()
        value[place] = kept
        assert found[name][place] == pytest.approx((above - below) / (2 * step), abs=1e-5), name


def test_calibration_and_example_image_are_the_stated_ones() -> None:
    split = load_images()
    with np.load(CALIBRATION) as data:
        assert np.array_equal(data["image"], split.train[: len(data["image"])])
    stored = json.loads((SHIPPED.parent / "image.json").read_text(encoding="utf-8"))["image"]
    assert np.array_equal(np.array(stored, dtype=np.float32), split.held_out[0])


def test_images_are_enlarged_scans() -> None:
    scans = load_split().held_out
    images = enlarge(scans)
    assert images.shape == (len(scans), 1, SIDE, SIDE)
    assert images.min() >= 0
    assert images.max() < 1
    assert np.array_equal(images * GREYS, np.rint(images * GREYS))
    # Interpolation keeps the ink: the mean grey moves by little.
    assert np.abs(images.mean(axis=(1, 2, 3)) - scans.mean(axis=1)).max() < 0.05
    flat = enlarge(np.full((1, 64), 0.5, dtype=np.float32))
    assert (flat == 0.5).all()
