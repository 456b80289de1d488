"""Circuits that are built are judged by the right samples, and dropped without ending the plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gateless.core.manifest import Goal
from gateless_proofs.planner.arithmetic import Arithmetic, Judged
from gateless_proofs.planner.candidate import Candidate
from gateless_proofs.planner.cost import predict
from gateless_proofs.planner.finalist import FinalistBuilder
from gateless_proofs.planner.layout import layout_of
from gateless_proofs.planner.shapes import Shape
from laboratories import CountingLaboratory, judge_of, laboratory
from onnx import helper
from tiny_models import floats, save

#: so large that few of the samples are run
LARGE = 10**9


def gain(path: Path) -> Path:
    """Eight times the input."""
    node = helper.make_node("Mul", ["x", "w"], ["y"])
    shape = floats("x", "batch", 2), floats("y", "batch", 2)
    return save(path, [node], shape[:1], shape[1:], {"w": np.array([8.0], dtype=np.float32)})


class Bench:
    """The builder of one model's finalists; samples from the eighth on are held out."""

    def __init__(self, folder: Path, samples: np.ndarray, arithmetic: Arithmetic) -> None:
        self.folder, self.arithmetic = folder, arithmetic
        self.lab: CountingLaboratory = laboratory(gain(folder / "gain.onnx"), samples)
        places = list(range(len(samples)))
        # Another order than the samples', as a search has.
        self.chosen, self.held_out = places[:8][::-1], places[8:]
        self.judge = judge_of(self.lab, 0.1, chosen=self.chosen)
        self.builder = FinalistBuilder(
            self.lab,
            self.judge.domain,
            self.chosen,
            self.held_out,
            goal=Goal.BALANCED,
            bound=0.1,
            labels=False,
            wordable=False,
            random=self.judge.random,
        )

    def judged(self) -> Judged:
        judged = self.judge.judge(self.arithmetic)
        assert judged.verdict == "accurate"
        return judged

    def candidate(self, judged: Judged) -> Candidate:
        parameters = self.judge.wide(self.arithmetic)
        settings = self.lab.settings(self.arithmetic.model(), parameters)
        assert settings is not None
        layout = layout_of(settings)
        return Candidate(self.arithmetic, judged, Shape(parameters, layout, predict(layout)), True)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    samples = np.random.default_rng(1).uniform(-4, 4, size=(14, 2))
    return Bench(tmp_path, samples, Arithmetic((), 10, 10, 10))


def test_all_samples_of_a_small_model_are_run(bench: Bench) -> None:
    built = bench.builder.build(bench.candidate(bench.judged()), bench.folder / "out")
    assert built is not None
    assert built["accuracy"]["samples"] == 14


def test_each_witness_of_a_large_model_is_compared_with_its_own_sample(bench: Bench) -> None:
    """Four of the chosen and four of the others are run: the ninth place of all is no witness's."""
    candidate = bench.candidate(replace(bench.judged(), cells=LARGE))
    built = bench.builder.build(candidate, bench.folder / "out")
    assert candidate.verdict == "finalist"
    assert built is not None
    assert built["accuracy"]["samples"] == 8
    assert built["accuracy"]["max_abs_error"] < 0.02


def test_a_large_model_that_is_wrong_about_a_held_out_sample_is_dropped(bench: Bench) -> None:
    judged = replace(bench.judged(), cells=LARGE)
    place = bench.held_out[3]
    bench.lab.reference[place] = [output + 1 for output in bench.lab.reference[place]]
    candidate = bench.candidate(judged)
    assert bench.builder.build(candidate, bench.folder / "out") is None
    assert candidate.verdict.startswith("held-out error 1")


def test_outputs_too_wide_for_any_packing_drop_the_candidate(tmp_path: Path) -> None:
    """Twice what the samples give must fit 128 bits. The held-out ones give more than the search
    saw."""
    seen, others = np.full((8, 2), 8.0), np.full((4, 2), 16.0)
    bench = Bench(tmp_path, np.concatenate([seen, others]), Arithmetic((), 59, 60, 10))
    candidate = bench.candidate(bench.judged())
    assert bench.builder.build(candidate, tmp_path / "out") is None
    assert candidate.verdict == "held-out: outputs do not fit 128 bits"


def test_outputs_too_wide_on_the_samples_have_no_witness_that_counts(tmp_path: Path) -> None:
    bench = Bench(tmp_path, np.full((8, 2), 8.0), Arithmetic((), 60, 60, 10))
    judged = bench.judge.judge(bench.arithmetic)
    assert (judged.verdict, judged.detail) == ("no-witness", "outputs do not fit 128 bits")
