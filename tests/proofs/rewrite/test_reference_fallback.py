"""Models that onnxruntime refuses as they are still have a float model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from gateless.core.errors import ModelError
from gateless_proofs.reference import FloatModel
from rewrite_models import Sketch, small_integers


def refused_by_onnxruntime(model: onnx.ModelProto) -> bool:
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    except Exception:  # the library has no common base for its own exceptions
        return True
    return False


def saying_its_shape(model: onnx.ModelProto) -> onnx.ModelProto:
    """With its output's rank, which the specification asks for and the sketches leave out."""
    (output,) = model.graph.output
    kind = output.type.tensor_type.elem_type
    output.CopyFrom(onnx.helper.make_tensor_value_info(output.name, kind, ["rows", "columns"]))
    return model


def test_products_of_small_integers(tmp_path: Path) -> None:
    model = saying_its_shape(small_integers())
    assert refused_by_onnxruntime(model)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    (output,) = FloatModel(path).run([np.array([[1.0, -1.0, 2.0, 3.0]])])
    # rows 0, 2 and 3 of the matrix
    assert output.tolist() == [[5.0, 3.0]]


def test_what_nobody_can_run_is_refused(tmp_path: Path) -> None:
    sketch = Sketch()
    sketch("Add", "x", np.array([1, 2]), out="y")  # of two types
    path = tmp_path / "model.onnx"
    model = saying_its_shape(sketch.model({"x": [1, 2]}, ["y"]))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError) as caught:
        FloatModel(path)
    assert caught.value.code == "onnxruntime-refused"
