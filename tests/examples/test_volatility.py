"""The shipped forecast is what its script trains, and beats what needs no model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from gateless.core.packing import TensorSpec, unpack

from examples.volatility.process import WINDOW, FloatArray, samples, simulate
from examples.volatility.train import (
    HELD_OUT_SEED,
    MODEL,
    TO_DEVIATION,
    TRAINING_SEED,
    export,
    forecast,
    relative_error,
    train,
)

FIXTURES = Path(__file__).resolve().parents[2] / "contracts" / "test" / "fixtures"


def run(changes: FloatArray) -> FloatArray:
    session = ort.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
    output = session.run(None, {"changes": changes.astype(np.float32)})[0]
    return np.asarray(output, dtype=np.float64)[:, 0]


def test_beats_the_last_change_and_the_mean_on_unseen_paths() -> None:
    data = samples(HELD_OUT_SEED)
    ours = relative_error(run(data.changes), data)
    assert ours < 0.27
    assert ours < 0.9 * relative_error(TO_DEVIATION * data.changes.mean(axis=1), data)
    assert ours < 0.5 * relative_error(TO_DEVIATION * data.changes[:, -1], data)


def test_twice_the_changes_give_twice_the_forecast() -> None:
    changes = samples(3, paths=4).changes
    assert np.allclose(run(2 * changes), 2 * run(changes), rtol=1e-5)


def test_the_script_trains_the_shipped_model() -> None:
    """Same seed, same data: the forecasts agree up to the linear algebra of another machine."""
    weights = train(samples(TRAINING_SEED))
    assert [node.op_type for node in export(weights).graph.node] == [
        node.op_type for node in onnx.load(str(MODEL)).graph.node
    ]
    changes = samples(HELD_OUT_SEED, paths=8).changes
    assert np.allclose(forecast(weights, changes), run(changes), rtol=1e-3)


def test_the_process_keeps_its_long_run_deviation() -> None:
    """Of a random walk's neighbouring averages, changes have two thirds of the variance."""
    ratios = []
    for seed in range(5, 9):
        changes, deviations = simulate(seed, paths=2000, periods=60)
        ratios.append((changes[:, 30:] ** 2).sum() / (deviations[:, 30:] ** 2).sum())
    # Tails are heavy: a few paths carry much of a sum.
    assert abs(float(np.mean(ratios)) - 1) < 0.1


def test_proven_outputs_are_the_models() -> None:
    """The circuit is exact integer arithmetic of rounded weights: near the floats, not equal."""
    fixture = json.loads((FIXTURES / "volatility.json").read_text())
    for case in fixture["cases"]:
        packed = bytes.fromhex(case["input"][2:])
        changes = np.array(unpack(packed, [TensorSpec("x", (1, WINDOW), 2, 8)])) / 2**8
        (output,) = unpack(bytes.fromhex(case["output"][2:]), [TensorSpec("y", (1, 1), 4, 22)])
        assert np.allclose(output[0] / 2**22, run(changes), rtol=0.02)
