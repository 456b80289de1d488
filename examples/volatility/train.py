"""Trains the forecast; writes `volatility.onnx` beside this file.

    python -m examples.volatility.train

A perceptron 8-16-1 with ReLU and without biases: twice the changes give twice the forecast, at any
level. It learns the standard deviation that the simulated process had for the next change, by
squares of relative errors, so that windows count equally whatever their level.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from examples.volatility.process import WINDOW, FloatArray, Samples, samples

MODEL = Path(__file__).resolve().parent / "volatility.onnx"
HIDDEN = 16
ROUNDS = 400
TRAINING_SEED, HELD_OUT_SEED = 11, 12
#: E|x| of a normal x is its standard deviation times sqrt(2/pi).
TO_DEVIATION = float(np.sqrt(np.pi / 2))


def forecast(weights: tuple[FloatArray, FloatArray], changes: FloatArray) -> FloatArray:
    """The network in plain arithmetic."""
    hidden: FloatArray = np.maximum(changes @ weights[0], 0) @ weights[1]
    return hidden[:, 0]


def train(data: Samples) -> tuple[FloatArray, FloatArray]:
    """Adam on the whole set; the seed makes it repeatable."""
    random = np.random.default_rng(7)
    inputs = data.changes / data.deviation[:, None]
    weights = [
        np.abs(random.normal(size=(WINDOW, HIDDEN))) / WINDOW,
        random.normal(size=(HIDDEN, 1)) / HIDDEN,
    ]
    first = [np.zeros_like(weight) for weight in weights]
    second = [np.zeros_like(weight) for weight in weights]
    for step in range(1, ROUNDS + 1):
        before = inputs @ weights[0]
        hidden = np.maximum(before, 0)
        error = (hidden @ weights[1])[:, 0] - 1
        slope = 2 * error[:, None] / len(error)
        gradients = [
            inputs.T @ ((slope @ weights[1].T) * (before > 0)),
            hidden.T @ slope,
        ]
        for index, gradient in enumerate(gradients):
            first[index] = 0.9 * first[index] + 0.1 * gradient
            second[index] = 0.999 * second[index] + 0.001 * gradient**2
            scale = np.sqrt(second[index] / (1 - 0.999**step)) + 1e-8
            weights[index] -= 0.01 * first[index] / (1 - 0.9**step) / scale
    return weights[0], weights[1]


def relative_error(forecasts: FloatArray, data: Samples) -> float:
    """Root of the mean squared distance to the deviation that the process had, as a part of it."""
    return float(np.sqrt((((forecasts - data.deviation) / data.deviation) ** 2).mean()))


def export(weights: tuple[FloatArray, FloatArray]) -> onnx.ModelProto:
    """The network as ONNX: percent in, percent out."""
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["changes", "w1"], ["hidden"]),
            helper.make_node("Relu", ["hidden"], ["active"]),
            helper.make_node("MatMul", ["active", "w2"], ["volatility"]),
        ],
        "volatility",
        [helper.make_tensor_value_info("changes", TensorProto.FLOAT, ["batch_size", WINDOW])],
        [helper.make_tensor_value_info("volatility", TensorProto.FLOAT, ["batch_size", 1])],
        [
            numpy_helper.from_array(weight.astype(np.float32), name)
            for weight, name in zip(weights, ("w1", "w2"), strict=True)
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    """Trains, reports the error on an unseen simulation and writes the model."""
    weights = train(samples(TRAINING_SEED))
    held_out = samples(HELD_OUT_SEED)
    onnx.save(export(weights), str(MODEL))
    last = relative_error(TO_DEVIATION * held_out.changes[:, -1], held_out)
    mean = relative_error(TO_DEVIATION * held_out.changes.mean(axis=1), held_out)
    ours = relative_error(forecast(weights, held_out.changes), held_out)
    print(f"{MODEL.name}: relative error {ours:.3f}; last change {last:.3f}, mean {mean:.3f}")


if __name__ == "__main__":
    main()
