"""Where the windows of convolutions and pools lie in a flattened tensor."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gateless.core.errors import ModelError

from gateless_proofs.rewrite.graph import Array, Node


@dataclass(frozen=True, slots=True)
class Windows:
    """Geometry of a sliding window over the spatial dimensions of one channel.

    Attributes:
        places: [positions, taps] index of each tap within a channel's pixels, -1 for padding.
        counted: [positions, taps] whether a tap lies in the image or its declared padding; only
            taps that ``ceil_mode`` adds beyond do not.
        output: spatial shape of the result.
    """

    places: Array
    counted: Array
    output: tuple[int, ...]


def sliding(node: Node, image: Sequence[int], kernel: Sequence[int]) -> Windows:
    """Windows of Conv, MaxPool and AveragePool."""
    rank = len(image)
    strides = _ints(node, "strides", [1] * rank)
    dilations = _ints(node, "dilations", [1] * rank)
    extent = [(size - 1) * step + 1 for size, step in zip(kernel, dilations, strict=True)]
    begin, end = _padding(node, image, extent, strides)
    ceil = bool(node.attributes.get("ceil_mode", 0))
    output = []
    for size, reach, stride, low, high in zip(image, extent, strides, begin, end, strict=True):
        free = size + low + high - reach
        count = -(-free // stride) + 1 if ceil else free // stride + 1
        if ceil and (count - 1) * stride >= size + low:
            count -= 1  # a window that starts in the padding at the end is dropped
        output.append(count)
    axes_places, axes_counted = [], []
    for axis in range(rank):
        where = (
            np.arange(output[axis])[:, None] * strides[axis]
            + np.arange(kernel[axis])[None] * dilations[axis]
            - begin[axis]
        )
        axes_counted.append((where >= -begin[axis]) & (where < image[axis] + end[axis]))
        axes_places.append(np.where((where >= 0) & (where < image[axis]), where, -1))
    return Windows(
        _combine(axes_places, image, output, kernel),
        _combine_flags(axes_counted),
        tuple(output),
    )


def transposed(node: Node, image: Sequence[int], kernel: Sequence[int]) -> Windows:
    """Windows of ConvTranspose: for each output and tap, the pixel that contributes or -1."""
    rank = len(image)
    strides = _ints(node, "strides", [1] * rank)
    dilations = _ints(node, "dilations", [1] * rank)
    extra = _ints(node, "output_padding", [0] * rank)
    extent = [(size - 1) * step + 1 for size, step in zip(kernel, dilations, strict=True)]
    full = [
        (size - 1) * stride + reach + more
        for size, stride, reach, more in zip(image, strides, extent, extra, strict=True)
    ]
    wanted = node.attributes.get("output_shape")
    mode = node.attributes.get("auto_pad", "NOTSET")
    if wanted or mode.startswith("SAME"):
        wanted = wanted or [size * stride for size, stride in zip(image, strides, strict=True)]
        totals = [have - want for have, want in zip(full, wanted[-rank:], strict=True)]
        small, large = [t // 2 for t in totals], [t - t // 2 for t in totals]
        begin, end = (small, large) if mode == "SAME_UPPER" else (large, small)
    else:
        pads = _ints(node, "pads", [0] * (2 * rank))
        begin, end = pads[:rank], pads[rank:]
    output = [have - low - high for have, low, high in zip(full, begin, end, strict=True)]
    axes_places = []
    for axis in range(rank):
        source = (
            np.arange(output[axis])[:, None]
            + begin[axis]
            - np.arange(kernel[axis])[None] * dilations[axis]
        )
        pixel, rest = np.divmod(source, strides[axis])
        valid = (rest == 0) & (pixel >= 0) & (pixel < image[axis])
        axes_places.append(np.where(valid, pixel, -1))
    places = _combine(axes_places, image, output, kernel)
    return Windows(places, np.ones_like(places, dtype=bool), tuple(output))


def _combine(
    axes: Sequence[Array], image: Sequence[int], output: Sequence[int], kernel: Sequence[int]
) -> Array:
    """Linear places from places per axis."""
    positions, taps = math.prod(output), math.prod(kernel)
    if positions * taps > 1 << 25:
        raise ModelError(
            "tensor-too-large",
            f"a convolution with {positions * taps} taps is too large",
            hint="a layer of this size fits no circuit",
        )
    places = np.zeros((positions, taps), np.int64)
    for position, where in enumerate(itertools.product(*(range(size) for size in output))):
        for tap, offsets in enumerate(itertools.product(*(range(size) for size in kernel))):
            pixel = [axes[axis][where[axis], offsets[axis]] for axis in range(len(image))]
            places[position, tap] = -1 if min(pixel) < 0 else int(_ravel(pixel, image))
    return places


def _ravel(pixel: Sequence[int], image: Sequence[int]) -> int:
    place = 0
    for index, size in zip(pixel, image, strict=True):
        place = place * size + int(index)
    return place


def _combine_flags(axes: Sequence[Array]) -> Array:
    flags = axes[0]
    for axis in axes[1:]:
        joined = flags[:, None, :, None] & axis[None, :, None, :]
        flags = joined.reshape(flags.shape[0] * axis.shape[0], flags.shape[1] * axis.shape[1])
    return flags


def _padding(
    node: Node, image: Sequence[int], extent: Sequence[int], strides: Sequence[int]
) -> tuple[list[int], list[int]]:
    rank = len(image)
    mode = node.attributes.get("auto_pad", "NOTSET")
    if mode.startswith("SAME"):
        totals = [
            max((-(-size // stride) - 1) * stride + reach - size, 0)
            for size, stride, reach in zip(image, strides, extent, strict=True)
        ]
        small, large = [t // 2 for t in totals], [t - t // 2 for t in totals]
        return (small, large) if mode == "SAME_UPPER" else (large, small)
    pads = [0] * (2 * rank) if mode == "VALID" else _ints(node, "pads", [0] * (2 * rank))
    return pads[:rank], pads[rank:]


def _ints(node: Node, name: str, default: list[int]) -> list[int]:
    value: Any = node.attributes.get(name)
    return [int(entry) for entry in value] if value else default
