"""A circuit must be right about inputs that no sample shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from gateless_proofs.planner.arithmetic import Arithmetic, Judge
from laboratories import CountingLaboratory, judge_of, laboratory
from onnx import TensorProto, helper
from tiny_models import dense, floats, save


def uniform(low: float, high: float, count: int = 8) -> np.ndarray:
    return np.random.default_rng(1).uniform(low, high, size=(count, 4))


def thresholds(path: Path) -> Path:
    """Four values; each is compared with 4/3, by way of two weights that are not whole."""
    nodes = [
        helper.make_node("Mul", ["x", "w"], ["h"]),
        helper.make_node("Greater", ["h", "c"], ["g"]),
        helper.make_node("Cast", ["g"], ["y"], to=TensorProto.FLOAT),
    ]
    weights = {"w": np.array([0.3], dtype=np.float32), "c": np.array([0.4], dtype=np.float32)}
    shape = floats("x", "batch", 4), floats("y", "batch", 4)
    return save(path, nodes, shape[:1], shape[1:], weights)


class Asked:
    """The question whether an arithmetic is right about random inputs."""

    def __init__(self, lab: CountingLaboratory, judge: Judge, arithmetic: Arithmetic) -> None:
        self.lab, self.judge = lab, judge
        self.model, self.parameters = arithmetic.model(), judge.wide(arithmetic)
        settings = lab.settings(self.model, self.parameters)
        assert settings is not None
        self.cells = settings["total_assignments"]
        inputs, outputs = settings["model_input_scales"], settings["model_output_scales"]
        self.scales = (tuple(inputs), tuple(outputs))

    def refusal(self, *, thorough: bool = True, cells: int | None = None, columns: int = 1) -> str:
        parameters = replace(self.parameters, columns=columns)
        return self.judge.random.refusal(
            self.model, parameters, self.scales, cells or self.cells, thorough=thorough
        )

    def witnesses(self, **options: bool | int) -> int:
        """How many it takes."""
        before = self.lab.witnesses
        self.refusal(**options)  # type: ignore[arg-type]
        return self.lab.witnesses - before


def asked(model: Path, samples: np.ndarray, bound: float, arithmetic: Arithmetic) -> Asked:
    lab = laboratory(model, samples)
    return Asked(lab, judge_of(lab, bound), arithmetic)


def test_scales_that_are_too_coarse_are_refused(tmp_path: Path) -> None:
    model = dense(tmp_path / "dense.onnx", [4, 5, 3])
    fine = asked(model, uniform(-1, 1), 0.01, Arithmetic((), 10, 10, 10))
    assert fine.refusal() == ""
    coarse = asked(model, uniform(-1, 1), 0.01, Arithmetic((), 10, 3, 10))
    assert coarse.refusal() == "2 of 16 random inputs are not within the bound"
    assert coarse.refusal(thorough=False) == coarse.refusal()


def test_the_error_of_rounding_the_inputs_is_not_the_circuits(tmp_path: Path) -> None:
    """An audit is asked with packed inputs: those are what the model is run on."""
    model = dense(tmp_path / "dense.onnx", [4, 5, 3])
    assert asked(model, uniform(-1, 1), 0.01, Arithmetic((), 2, 12, 10)).refusal() == ""


def test_fewer_inputs_are_tried_at_a_first_look_and_with_large_models(tmp_path: Path) -> None:
    model = dense(tmp_path / "dense.onnx", [4, 5, 3])
    question = asked(model, uniform(-1, 1), 0.01, Arithmetic((), 10, 10, 10))
    assert question.witnesses() == 16
    assert question.witnesses(thorough=False) == 4
    assert question.witnesses(cells=10**9) == 4


def test_a_threshold_that_was_rounded_shows_between_the_samples(tmp_path: Path) -> None:
    """At parameter scale 5 the threshold is 1.3 instead of 4/3: few random inputs are between, and
    two of sixteen are hardly ever."""
    model = thresholds(tmp_path / "thresholds.onnx")
    rough = asked(model, uniform(-3, 3), 0.1, Arithmetic((), 12, 5, 10))
    assert "inputs between the samples are not within the bound" in rough.refusal()
    fine = asked(model, uniform(-3, 3), 0.1, Arithmetic((), 12, 12, 10))
    assert fine.witnesses(thorough=False) == 4 + 32
    assert fine.refusal(thorough=False) == ""
    # Another shape of the same arithmetic has the same outputs: it is not asked about all again.
    assert fine.witnesses(thorough=False, columns=2) == 4


def test_a_model_without_a_value_for_random_inputs_is_not_asked(tmp_path: Path) -> None:
    """Its samples are positive, and between 0 and them the logarithm's argument is not."""
    nodes = [
        helper.make_node("Sub", ["x", "c"], ["h"]),
        helper.make_node("Mul", ["h", "h"], ["s"]),
        helper.make_node("Sub", ["s", "c"], ["d"]),
        helper.make_node("Log", ["d"], ["y"]),
    ]
    shape = floats("x", "batch", 4), floats("y", "batch", 4)
    weights = {"c": np.array([2.0], dtype=np.float32)}
    model = save(tmp_path / "log.onnx", nodes, shape[:1], shape[1:], weights)
    samples = np.concatenate([uniform(4, 5), uniform(-1, 0)])
    question = asked(model, samples, 0.1, Arithmetic((), 7, 7, 1))
    assert question.refusal() == ""
    assert question.lab.witnesses == 0
