"""The images of :mod:`examples.digits`, enlarged to the size that LeNet-5 was made for.

Each 8 x 8 scan is enlarged to 28 x 28 pixels by bilinear interpolation between pixel centres, the
border repeated, and rounded to 256 greys in [0, 1). The split into training and held-out images is
that of :mod:`examples.digits`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from examples.digits.images import SIDE as SCAN_SIDE
from examples.digits.images import Split, load_split

SIDE = 28
GREYS = 256


def load_images() -> Split:
    """Images of shape (1, 28, 28) with their labels."""
    split = load_split()
    return replace(split, train=enlarge(split.train), held_out=enlarge(split.held_out))


def enlarge(scans: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows of 64 greys to images of one channel."""
    weights = _interpolation(SCAN_SIDE, SIDE)
    square = scans.reshape(-1, SCAN_SIDE, SCAN_SIDE).astype(np.float64)
    smooth = np.einsum("ij,njk,lk->nil", weights, square, weights)
    greys: npt.NDArray[np.float32] = np.clip(np.rint(smooth * GREYS), 0, GREYS - 1).astype(
        np.float32
    )
    return greys[:, np.newaxis] / np.float32(GREYS)


def _interpolation(source: int, target: int) -> npt.NDArray[np.float64]:
    """Weight of each source pixel in each target pixel, along one axis."""
    centres = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    left = np.minimum(centres.astype(int), source - 2)
    share = centres - left
    weights = np.zeros((target, source))
    rows = np.arange(target)
    weights[rows, left] = 1 - share
    weights[rows, left + 1] = share
    return weights
