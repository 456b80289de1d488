"""Trains LeNet-5; writes `lenet.onnx`, `calibration.npz` and `image.json` beside this file.

    python -m examples.lenet.train

Some ten seconds on one core. Two convolutions, two pools and three dense layers, 44,426 weights:
what people mean by a small convolutional classifier.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from threadpoolctl import threadpool_limits

from examples.classifier import save_classifier
from examples.lenet.images import SIDE, load_images
from examples.lenet.network import KERNEL, Adam, Weights, gradients, initial_weights, scores

HERE = Path(__file__).resolve().parent
MODEL = HERE / "lenet.onnx"
CALIBRATION = HERE / "calibration.npz"
SEED = 7
EPOCHS = 12
BATCH = 32
CALIBRATION_SAMPLES = 32


def train() -> Weights:
    """Fits the network on the training images; the seed makes it repeatable."""
    # One thread sums in one order, and is faster on matrices this small.
    with threadpool_limits(limits=1):
        return _train()


def _train() -> Weights:
    split = load_images()
    generator = np.random.default_rng(SEED)
    weights = initial_weights(generator)
    optimiser = Adam(weights)
    for epoch in range(EPOCHS):
        rate = 0.002 * (1 - epoch / EPOCHS)
        order = generator.permutation(len(split.train))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            found = gradients(weights, split.train[rows], split.train_labels[rows])
            optimiser.step(weights, found, rate)
    return weights


def export(weights: Weights) -> onnx.ModelProto:
    """The network as ONNX in the layers that exporters write, with class scores as output."""
    nodes, value = [], "image"
    for index in (1, 2):
        nodes += [
            helper.make_node(
                "Conv",
                [value, f"conv{index}.w", f"conv{index}.b"],
                [f"conv{index}"],
                kernel_shape=[KERNEL, KERNEL],
                strides=[1, 1],
            ),
            helper.make_node("Relu", [f"conv{index}"], [f"active{index}"]),
            helper.make_node(
                "MaxPool",
                [f"active{index}"],
                [f"pool{index}"],
                kernel_shape=[2, 2],
                strides=[2, 2],
            ),
        ]
        value = f"pool{index}"
    nodes.append(helper.make_node("Flatten", [value], ["dense0"], axis=1))
    value = "dense0"
    for index in (1, 2, 3):
        out = "scores" if index == 3 else f"dense{index}"
        nodes.append(helper.make_node("Gemm", [value, f"dense{index}.w", f"dense{index}.b"], [out]))
        value = out
        if index < 3:
            value = f"relu{index}"
            nodes.append(helper.make_node("Relu", [out], [value]))
    graph = helper.make_graph(
        nodes,
        "lenet",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch_size", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch_size", 10])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    """Trains, reports the accuracy on held-out images and writes the files."""
    split = load_images()
    weights = train()
    right = scores(weights, split.held_out).argmax(axis=1) == split.held_out_labels
    save_classifier(export(weights), split, MODEL, CALIBRATION_SAMPLES)
    print(f"{MODEL.name}: {right.mean():.1%} of {len(right)} held-out images right")


if __name__ == "__main__":
    main()
