"""The example page's samples are images that the model was not trained on, and reads rightly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession

from examples.digits.images import load_split

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_samples_are_held_out_images_with_their_labels() -> None:
    text = (EXAMPLES / "dapp" / "src" / "samples.json").read_text(encoding="utf-8")
    samples: dict[str, str] = json.loads(text)
    split = load_split()
    model = InferenceSession(str(EXAMPLES / "digits" / "digits.onnx"))
    assert sorted(samples) == list("0123456789")
    for digit, pixels in samples.items():
        image = np.array([int(grey, 17) / 16 for grey in pixels], dtype=np.float32)
        (found,) = np.flatnonzero((split.held_out == image).all(axis=1))
        assert split.held_out_labels[found] == int(digit)
        (scores,) = model.run(None, {"image": image.reshape(1, -1)})
        assert int(np.argmax(scores)) == int(digit)
