"""The published model, run by onnxruntime with options that make results repeatable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from gateless.core.errors import ModelError
from gateless.core.ids import sha256_hex
from gateless.core.packing import FloatArray
from gateless.core.raw_tensors import (
    AnyArray,
    RawTensor,
    decode_raw,
    element_type,
    encode_raw,
)

from gateless_proofs.onnx_checks import parse_checked
from gateless_proofs.onnx_limits import require_file_size
from gateless_proofs.rewrite import rewrite
from gateless_proofs.runtime import PROVIDERS, RECORDED, RuntimeOptions

#: models that this process has looked at; it runs the same one again and again
_CHECKED: set[str] = set()


class FloatModel:
    """An onnxruntime session: one thread, no graph rewriting that depends on the machine."""

    def __init__(self, model: Path, options: RuntimeOptions = RECORDED) -> None:
        import onnxruntime

        # Bytes, not a path: nothing next to the file can be reached from it.
        data = _runnable(model)
        try:
            self._session = onnxruntime.InferenceSession(
                data, options.session_options(), providers=PROVIDERS
            )
        except Exception as error:  # the library has no common base for its own exceptions
            try:
                self._session = onnxruntime.InferenceSession(
                    _acceptable(data), options.session_options(), providers=PROVIDERS
                )
            except Exception:
                raise _refused(error) from error
        self._inputs = [(entry.name, _onnx_dtype(entry)) for entry in self._session.get_inputs()]
        outputs = self._session.get_outputs()
        self.output_names = [entry.name for entry in outputs]
        #: ONNX names of the outputs' element types
        self.output_dtypes = [_onnx_dtype(entry) for entry in outputs]

    def typed(self, tensors: Sequence[FloatArray]) -> list[AnyArray]:
        """Real numbers as the model takes them."""
        feed = []
        for (_, kind), tensor in zip(self._inputs, tensors, strict=True):
            dtype = element_type(kind)
            feed.append((np.rint(tensor) if dtype.kind in "iu" else tensor).astype(dtype))
        return feed

    def run(self, tensors: Sequence[FloatArray]) -> list[FloatArray]:
        """Outputs of one inference as float64."""
        return [array.astype(np.float64) for array in self.run_typed(self.typed(tensors))]

    def run_typed(self, tensors: Sequence[AnyArray]) -> list[AnyArray]:
        """Outputs of one inference, inputs and outputs in the model's own types."""
        feed = {name: tensor for (name, _), tensor in zip(self._inputs, tensors, strict=True)}
        try:
            outputs = self._session.run(None, feed)
        except Exception as error:  # as above
            raise _refused(error) from error
        results: list[AnyArray] = []
        for name, output in zip(self.output_names, outputs, strict=True):
            array = np.asarray(output)
            if array.dtype.kind not in "biuf":
                raise ModelError(
                    "unsupported-dtype",
                    f"output {name!r} is not a tensor of numbers",
                    hint="export the model with its numeric output only (for scikit-learn:"
                    " options={'zipmap': False})",
                )
            results.append(array)
        return results


def _runnable(path: Path) -> bytes:
    """The bytes of a model that may be run: a stranger's, so that nothing about it is believed."""
    require_file_size(path)
    data = path.read_bytes()
    digest = sha256_hex(data)
    if digest not in _CHECKED:
        parse_checked(data, for_circuit=False)
        _CHECKED.add(digest)
    return data


def _onnx_dtype(entry: Any) -> str:
    """``FLOAT`` of onnxruntime's ``tensor(float)``."""
    return str(entry.type).removeprefix("tensor(").removesuffix(")").upper()


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


def run_raw(request: dict[str, Any], _emit: Callable[[str, float], None]) -> dict[str, Any]:
    """Runs one inference from bytes to bytes, as versions without a circuit spell their tensors."""
    model = FloatModel(Path(request["model"]))
    tensors = [
        RawTensor(entry["name"], tuple(entry["shape"]), entry["dtype"])
        for entry in request["inputs"]
    ]
    outputs = model.run_typed(decode_raw(bytes.fromhex(request["input"]), tensors))
    return {"output": encode_raw(outputs).hex()}


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
