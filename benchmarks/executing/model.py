"""A model that takes no time: four inputs, five hidden units, two scores."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import onnx
from gateless_proofs import BuildOptions, Bundle, CalibrationData, KeyCache, build_bundle
from onnx import TensorProto, helper, numpy_helper

#: An input that it takes.
ROW = [0.5, -0.25, 1.0, 0.125]


async def build_small(cache: Path, root: Path) -> Bundle:
    """Builds its bundle, keys and all."""
    await asyncio.to_thread(root.mkdir, parents=True)
    random = np.random.default_rng(7)
    weights = {
        "w1": random.normal(size=(4, 5)),
        "b1": random.normal(size=5),
        "w2": random.normal(size=(5, 2)),
        "b2": random.normal(size=2),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["x", "w1", "b1"], ["hidden"]),
            helper.make_node("Relu", ["hidden"], ["active"]),
            helper.make_node("Gemm", ["active", "w2", "b2"], ["scores"]),
        ],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 2])],
        [
            numpy_helper.from_array(value.astype(np.float32), name)
            for name, value in weights.items()
        ],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), root / "small.onnx")
    rows = np.random.default_rng(3).uniform(-1, 1, size=(32, 4)).astype(np.float32)
    return await build_bundle(
        root / "small.onnx",
        CalibrationData.from_arrays({"x": rows}),
        root / "bundle",
        options=BuildOptions(name="small", labels=("no", "yes"), chain_id=31337),
        keys=KeyCache(cache),
    )
