"""Size limits of ONNX files, apart from the checks so that they cost no import of onnx."""

from __future__ import annotations

from pathlib import Path

from gateless.core.errors import ModelError

MAX_FILE_BYTES = 256 << 20
MAX_WEIGHT_BYTES = 1 << 30
#: no circuit that fits a machine holds more values than this in one tensor
MAX_TENSOR_ELEMENTS = 1 << 25
#: memory of all values inside a model together, weights not counted
MAX_VALUES_BYTES = 4 << 30


def require_file_size(path: Path) -> None:
    """Refuses files that no circuit could come from, before they are read or copied.

    Raises:
        ModelError: ``model-too-large``.
    """
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ModelError(
            "model-too-large",
            f"the file has {size} bytes, at most {MAX_FILE_BYTES} are taken",
            hint="a model of this size fits no circuit",
        )
