"""Model folders as the benchmark takes them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from examples.digits.train import IMAGE, MODEL


async def gone(pids: Iterable[int]) -> bool:
    """Whether none of these processes is left."""
    return not any(os.path.exists(f"/proc/{pid}") for pid in pids)  # noqa: ASYNC240


def digits_folder(root: Path) -> Path:
    """A real, small classifier that both sides prove."""
    folder = root / "small"
    folder.mkdir(parents=True)
    shutil.copy(MODEL, folder / "network.onnx")
    sample = json.loads(IMAGE.read_text(encoding="utf-8"))["image"]
    write_sample(folder, sample)
    return folder


def folder_of(
    root: Path,
    name: str,
    operator: str,
    sample: list[float],
    *,
    dtype: int = TensorProto.FLOAT,
    shape: tuple[int | str, ...] | None = None,
    weights: dict[str, np.ndarray] | None = None,
) -> Path:
    """A model of one operator with its sample."""
    folder = root / name
    folder.mkdir(parents=True)
    dimensions = list(shape or ("batch_size", len(sample)))
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", *(weights or {})], ["y"])],
        "one",
        [helper.make_tensor_value_info("x", dtype, dimensions)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, key) for key, value in (weights or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(model, str(folder / "network.onnx"))
    write_sample(folder, sample)
    return folder


def write_sample(folder: Path, *flat: list[float]) -> None:
    text = json.dumps({"input_data": [list(values) for values in flat]})
    (folder / "input.json").write_text(text, encoding="utf-8")
