"""What the example classifiers have in common: the files that a trained one is shipped as."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx

from examples.digits.images import Split


def save_classifier(model: onnx.ModelProto, split: Split, path: Path, samples: int) -> None:
    """Writes the model, training images to calibrate with, and a held-out image to try.

    Args:
        model: takes the input ``image``.
        split: its images.
        path: of the ONNX file; ``calibration.npz`` and ``image.json`` go beside it.
        samples: number of calibration images.
    """
    onnx.save(model, str(path))
    np.savez_compressed(path.with_name("calibration.npz"), image=split.train[:samples])
    image = {"image": split.held_out[0].tolist()}
    path.with_name("image.json").write_text(json.dumps(image) + "\n", encoding="utf-8")
