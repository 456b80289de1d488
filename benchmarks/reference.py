"""The float reference both sides are judged by. Runs in the measured process.

onnxruntime, as everywhere in the project; where it cannot run a model, ONNX's own reference
evaluator, and the table says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from gateless.core.errors import ModelError
from gateless.core.packing import FloatArray
from gateless_proofs.reference import FloatModel


def reference_outputs(request: dict[str, Any]) -> dict[str, Any]:
    """Float outputs for every sample of an ``.npz`` of inputs, saved as another ``.npz``."""
    model = Path(request["model"])
    with np.load(request["samples"], allow_pickle=False) as stored:
        names = list(stored)
        samples = [[stored[name][row] for name in names] for row in range(len(stored[names[0]]))]
    try:
        runs = _by_onnxruntime(model, samples)
        engine = "onnxruntime"
    except ModelError:
        runs = _by_onnx(model, names, samples)
        engine = "onnx.reference"
    arrays = {
        f"output{place}": np.stack([run[place].reshape(-1) for run in runs])
        for place in range(len(runs[0]))
    }
    np.savez(request["out"], allow_pickle=False, **arrays)
    return {"engine": engine}


def _by_onnxruntime(model: Path, samples: list[list[Any]]) -> list[list[FloatArray]]:
    session = FloatModel(model)
    return [session.run(sample) for sample in samples]


def _by_onnx(model: Path, names: list[str], samples: list[list[Any]]) -> list[list[FloatArray]]:
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(str(model))
    return [
        [
            np.asarray(output).astype(np.float64)
            for output in evaluator.run(None, dict(zip(names, sample, strict=True)))
        ]
        for sample in samples
    ]
