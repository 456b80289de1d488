"""LeNet-5 in plain numpy: forward, backward, Adam. No more than this one network needs.

Conv 5 x 5 (6) - ReLU - MaxPool - Conv 5 x 5 (16) - ReLU - MaxPool - 120 - 84 - 10, after Y. LeCun
et al., "Gradient-based learning applied to document recognition", 1998, with the ReLU and maximum
pooling of today instead of tanh and averages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Weights = dict[str, Array]

KERNEL = 5
CONVOLUTIONS = ((1, 6), (6, 16))
#: 28 -> 24 -> 12 -> 8 -> 4: sixteen channels of 4 x 4 reach the dense layers
DENSE = ((256, 120), (120, 84), (84, 10))
_RATE, _DECAY, _SMALL = 0.002, (0.9, 0.999), 1e-8


def initial_weights(generator: np.random.Generator) -> Weights:
    """He initialisation."""
    weights: Weights = {}
    for index, (before, after) in enumerate(CONVOLUTIONS, start=1):
        shape: tuple[int, ...] = (after, before, KERNEL, KERNEL)
        weights[f"conv{index}.w"] = _normal(generator, shape, before * KERNEL * KERNEL)
        weights[f"conv{index}.b"] = np.zeros(after, np.float32)
    for index, (before, after) in enumerate(DENSE, start=1):
        weights[f"dense{index}.w"] = _normal(generator, (before, after), before)
        weights[f"dense{index}.b"] = np.zeros(after, np.float32)
    return weights


def _normal(generator: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> Array:
    return generator.normal(0.0, np.sqrt(2 / fan_in), shape).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Stage:
    """What the backward pass needs of a convolution with its ReLU and pool."""

    columns: Array
    chosen: npt.NDArray[np.bool_]


def _patches(images: Array) -> Array:
    """Every 5 x 5 patch: (n, rows, columns, channels * 25)."""
    windows = np.lib.stride_tricks.sliding_window_view(images, (KERNEL, KERNEL), axis=(2, 3))
    n, channels, rows, columns = windows.shape[:4]
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(n, rows, columns, channels * KERNEL**2)


def _convolve(images: Array, kernel: Array, bias: Array) -> tuple[Array, _Stage]:
    """Convolution, ReLU and 2 x 2 pool: (n, channels, rows / 2, columns / 2)."""
    columns = _patches(images)
    sums = (columns @ kernel.reshape(len(kernel), -1).T + bias).transpose(0, 3, 1, 2)
    n, channels, rows, width = sums.shape
    blocks = sums.reshape(n, channels, rows // 2, 2, width // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    flat = blocks.reshape(n, channels, rows // 2, width // 2, 4)
    best = flat.max(axis=-1, keepdims=True)
    # The gradient goes to the first of equal maxima, and nowhere where ReLU cuts.
    first = np.arange(4) == flat.argmax(axis=-1)[..., np.newaxis]
    return np.maximum(best[..., 0], 0), _Stage(columns, first & (best > 0))


def _unpool(gradient: Array, stage: _Stage) -> Array:
    n, channels, rows, width = gradient.shape
    spread = gradient[..., np.newaxis] * stage.chosen
    blocks = spread.reshape(n, channels, rows, width, 2, 2).transpose(0, 1, 2, 4, 3, 5)
    return blocks.reshape(n, channels, rows * 2, width * 2)


def scores(weights: Weights, images: Array) -> Array:
    """Class scores (logits)."""
    return _forward(weights, images)[0]


def _forward(weights: Weights, images: Array) -> tuple[Array, list[_Stage], list[Array]]:
    stages, value = [], images
    for index in (1, 2):
        value, stage = _convolve(value, weights[f"conv{index}.w"], weights[f"conv{index}.b"])
        stages.append(stage)
    inputs = [value.reshape(len(value), -1)]
    for index in (1, 2, 3):
        value = inputs[-1] @ weights[f"dense{index}.w"] + weights[f"dense{index}.b"]
        inputs.append(np.maximum(value, 0) if index < 3 else value)
    return inputs.pop(), stages, inputs


def gradients(weights: Weights, images: Array, labels: npt.NDArray[np.int64]) -> Weights:
    """Gradients of the mean cross-entropy."""
    logits, stages, inputs = _forward(weights, images)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    delta = exponentials / exponentials.sum(axis=1, keepdims=True)
    delta[np.arange(len(labels)), labels] -= 1
    delta /= len(labels)
    found: Weights = {}
    for index in (3, 2, 1):
        found[f"dense{index}.w"] = inputs[index - 1].T @ delta
        found[f"dense{index}.b"] = delta.sum(axis=0)
        delta = delta @ weights[f"dense{index}.w"].T
        if index > 1:
            delta *= inputs[index - 1] > 0
    side = int(np.sqrt(delta.shape[1] // CONVOLUTIONS[1][1]))
    delta = _unpool(delta.reshape(-1, CONVOLUTIONS[1][1], side, side), stages[1])
    _kernel_gradients(found, 2, delta, stages[1], weights)
    delta = _unpool(_to_images(delta, weights["conv2.w"]), stages[0])
    _kernel_gradients(found, 1, delta, stages[0], weights)
    return found


def _kernel_gradients(
    found: Weights, index: int, delta: Array, stage: _Stage, weights: Weights
) -> None:
    shape = weights[f"conv{index}.w"].shape
    by_pixel = delta.transpose(0, 2, 3, 1).reshape(-1, shape[0])
    columns = stage.columns.reshape(len(by_pixel), -1)
    found[f"conv{index}.w"] = (by_pixel.T @ columns).reshape(shape)
    found[f"conv{index}.b"] = by_pixel.sum(axis=0)


def _to_images(delta: Array, kernel: Array) -> Array:
    """Gradient of a convolution's input: a convolution with the turned kernel."""
    reach = KERNEL - 1
    padded = np.pad(delta, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
    turned = kernel[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    sums: Array = _patches(padded) @ turned.reshape(len(turned), -1).T
    return sums.transpose(0, 3, 1, 2)


class Adam:
    """D. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2015."""

    def __init__(self, weights: Weights) -> None:
        self._first = {name: np.zeros_like(value) for name, value in weights.items()}
        self._second = {name: np.zeros_like(value) for name, value in weights.items()}
        self._steps = 0

    def step(self, weights: Weights, found: Weights, rate: float = _RATE) -> None:
        """Moves the weights in place."""
        self._steps += 1
        first_share, second_share = (1 - decay**self._steps for decay in _DECAY)
        for name, gradient in found.items():
            first, second = self._first[name], self._second[name]
            first += (1 - _DECAY[0]) * (gradient - first)
            second += (1 - _DECAY[1]) * (gradient**2 - second)
            step = first / first_share / (np.sqrt(second / second_share) + _SMALL)
            weights[name] -= rate * step
