"""What rounding the inputs alone does to a model."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
from gateless_proofs.planner.rounding import ROUNDING_SHARE, Rounding
from laboratories import laboratory
from onnx import helper
from tiny_models import dense, floats, save

BOUND = 0.01
CELLS = 1_000_000


def steps(path: Path) -> Path:
    """Four values; each jumps from -1 to 1 at 0.3."""
    nodes = [helper.make_node("Sub", ["x", "c"], ["d"]), helper.make_node("Sign", ["d"], ["y"])]
    shape = floats("x", "batch", 4), floats("y", "batch", 4)
    return save(path, nodes, shape[:1], shape[1:], {"c": np.array([0.3], dtype=np.float32)})


def rounding(model: Path, samples: np.ndarray, *, bound: float = BOUND, seed: int = 0) -> Rounding:
    lab = laboratory(model, samples)
    return Rounding(lab, range(len(samples)), bound=bound, seed=seed)


def between(low: float, high: float) -> np.ndarray:
    return np.random.default_rng(1).uniform(low, high, size=(12, 4))


def test_a_model_that_jumps_bears_no_coarse_inputs(tmp_path: Path) -> None:
    """At scale 2 what is between 0.3 and 0.375 becomes 0.25: on the other side of the jump."""
    found = rounding(steps(tmp_path / "steps.onnx"), between(-1, 1))
    assert found.jumps
    shares = [found.share((scale,), CELLS) for scale in (2, 5, 12)]
    assert shares == sorted(shares)
    assert shares[0] < 0.9
    assert shares[2] >= ROUNDING_SHARE
    assert "rounding the inputs alone moves" in found.refusal((2,), CELLS)
    assert found.refusal((12,), CELLS) == ""


def test_a_smooth_model_bears_them_where_its_bound_does(tmp_path: Path) -> None:
    model = dense(tmp_path / "dense.onnx", [4, 5, 3])
    loose = rounding(model, between(-1, 1), bound=1.0)
    assert not loose.jumps
    assert loose.share((4,), CELLS) == 1.0
    tight = rounding(model, between(-1, 1), bound=0.001)
    assert tight.share((4,), CELLS) < 0.1
    assert tight.refusal((4,), CELLS)


def test_samples_on_the_grid_are_not_rounded(tmp_path: Path) -> None:
    model = steps(tmp_path / "steps.onnx")
    whole = np.rint(between(-3, 3))
    assert rounding(model, whole).share((0,), CELLS) == 1.0
    assert rounding(model, whole / 4).share((2,), CELLS) == 1.0
    assert rounding(model, whole / 4).share((1,), CELLS) < 1.0
    for (drawn,) in islice(rounding(model, whole).draws((0,)), 20):
        assert np.array_equal(drawn, np.rint(drawn)), "a draw left the grid"


def test_the_same_seed_finds_the_same(tmp_path: Path) -> None:
    model, samples = steps(tmp_path / "steps.onnx"), between(-1, 1)
    shares = [rounding(model, samples, seed=seed).share((3,), CELLS) for seed in (5, 5, 6, 7, 8)]
    assert shares[0] == shares[1]
    assert len(set(shares)) > 1, "other seeds draw other inputs"


def test_an_input_that_has_no_value_says_nothing(tmp_path: Path) -> None:
    """Between samples that are all positive or all negative lies what has no logarithm."""
    shape = floats("x", "batch", 4), floats("y", "batch", 4)
    node = helper.make_node("Log", ["x"], ["y"])
    model = save(tmp_path / "log.onnx", [node], shape[:1], shape[1:])
    found = rounding(model, between(1, 2), bound=1.0)
    found.lab.samples[0][0] = -found.lab.samples[0][0]
    assert found.share((6,), CELLS) == 1.0
