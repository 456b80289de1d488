"""How far rescaling may move outputs, on models where it is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from gateless_proofs.slack import furthest_moves, stated_slack, unit_of
from onnx import helper
from tiny_models import floats, save

UNIT = 2.0**-8


def chain(path: Path, factor: float) -> onnx.ModelProto:
    """y = factor * (x + 1): a unit after the sum is worth ``factor`` units in the output."""
    weights = {"one": np.float32([1]), "factor": np.float32([factor])}
    nodes = [
        helper.make_node("Add", ["x", "one"], ["s"]),
        helper.make_node("Mul", ["s", "factor"], ["y"]),
    ]
    return onnx.load(str(save(path, nodes, [floats("x", 1)], [floats("y", 1)], weights)))


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_moves_add_up_along_the_model(tmp_path: Path, factor: float) -> None:
    samples = [[np.float64([0.25])], [np.float64([-3.0])]]
    (move,) = furthest_moves(chain(tmp_path / "m.onnx", factor), samples, UNIT)
    assert move == pytest.approx((factor + 1) * UNIT, rel=1e-5)


def test_what_is_stated_leaves_a_margin_and_is_never_nothing() -> None:
    assert stated_slack([0.0, 2.0**-4], [8, 8]) == [1, 64]


def test_the_unit_is_that_of_the_finer_scale() -> None:
    assert unit_of(3, 7) == unit_of(7, 3) == 2.0**-7
