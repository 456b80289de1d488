"""The images: scikit-learn's bundled UCI digits, 1,797 real scans of 8 x 8 pixels in 17 greys.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, https://doi.org/10.24432/C50P49 (CC BY 4.0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SIDE = 8
LEVELS = 16
_SHADES = " ░▒▓█"


@dataclass(frozen=True, slots=True)
class Split:
    """Images as rows of 64 grey values in 0..1, with their labels."""

    train: npt.NDArray[np.float32]
    train_labels: npt.NDArray[np.int64]
    held_out: npt.NDArray[np.float32]
    held_out_labels: npt.NDArray[np.int64]


def load_split() -> Split:
    """The fixed split: three quarters to train, a quarter that training never sees."""
    digits = load_digits()
    train, held_out, train_labels, held_out_labels = train_test_split(
        (digits.data / LEVELS).astype(np.float32),
        digits.target.astype(np.int64),
        test_size=0.25,
        random_state=7,
        stratify=digits.target,
    )
    return Split(train, train_labels, held_out, held_out_labels)


def draw(image: npt.NDArray[np.float32]) -> list[str]:
    """The image as eight lines of block characters, two columns a pixel."""
    levels = np.rint(image.reshape(SIDE, SIDE) * (len(_SHADES) - 1)).astype(int)
    return ["".join(_SHADES[level] * 2 for level in row) for row in levels]
