"""The float model, run by onnxruntime with options that make results repeatable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from gateless.core.errors import ModelError
from gateless.core.packing import FloatArray

from gateless_proofs.rewrite import rewrite

_DTYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(bool)": np.bool_,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(uint32)": np.uint32,
    "tensor(uint64)": np.uint64,
}


class FloatModel:
    """An onnxruntime session: one thread, no graph rewriting that depends on the machine."""

    def __init__(self, model: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.use_deterministic_compute = True
        options.log_severity_level = 3
        # Bytes, not a path: nothing next to the file can be reached from it.
        data = model.read_bytes()
        providers = ["CPUExecutionProvider"]
        try:
            self._session = onnxruntime.InferenceSession(data, options, providers=providers)
        except Exception as error:  # the library has no common base for its own exceptions
            try:
                self._session = onnxruntime.InferenceSession(
                    _acceptable(data), options, providers=providers
                )
            except Exception:
                raise _refused(error) from error
        self._inputs = [(entry.name, entry.type) for entry in self._session.get_inputs()]
        outputs = self._session.get_outputs()
        self.output_names = [entry.name for entry in outputs]
        #: ONNX names of the outputs' element types
        self.output_dtypes = [
            entry.type.removeprefix("tensor(").removesuffix(")").upper() for entry in outputs
        ]

    def run(self, tensors: Sequence[FloatArray]) -> list[FloatArray]:
        """Outputs of one inference as float64."""
        feed: dict[str, Any] = {}
        for (name, kind), tensor in zip(self._inputs, tensors, strict=True):
            dtype = np.dtype(_DTYPES[kind])
            feed[name] = (np.rint(tensor) if dtype.kind in "iu" else tensor).astype(dtype)
        try:
            outputs = self._session.run(None, feed)
        except Exception as error:  # as above
            raise _refused(error) from error
        results: list[FloatArray] = []
        for name, output in zip(self.output_names, outputs, strict=True):
            array = np.asarray(output)
            if array.dtype.kind not in "biuf":
                raise ModelError(
                    "unsupported-dtype",
                    f"output {name!r} is not a tensor of numbers",
                    hint="export the model with its numeric output only (for scikit-learn:"
                    " options={'zipmap': False})",
                )
            results.append(array.astype(np.float64))
        return results


def _acceptable(data: bytes) -> bytes:
    """The model in a form that onnxruntime may take where it refused the author's.

    Both passes are exact: they name a newer operator set and multiply small integers in 32 bits.
    """
    rewritten = rewrite(onnx.load_from_string(data), ("static", "widen-integers"))
    return bytes(rewritten.SerializeToString())


def _refused(error: Exception) -> ModelError:
    return ModelError(
        "onnxruntime-refused",
        f"onnxruntime cannot run the model: {error}",
        hint="check the model with onnxruntime before publishing it",
    )


def run_reference(request: dict[str, Any], _emit: Callable[[str, float], None]) -> dict[str, Any]:
    """Runs one inference on real-valued inputs given as flat lists with shapes."""
    model = FloatModel(Path(request["model"]))
    results = []
    for sample in request["samples"]:
        tensors = [
            np.array(values, dtype=np.float64).reshape(shape)
            for values, shape in zip(sample, request["shapes"], strict=True)
        ]
        outputs = model.run(tensors)
        results.append(
            [{"shape": list(out.shape), "values": out.reshape(-1).tolist()} for out in outputs]
        )
    return {"outputs": results}
