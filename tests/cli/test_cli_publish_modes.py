"""``gateless model publish --mode``: what is built, what is stated, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_fixtures import MakeWallet, Shell
from gateless.cli.bundles import needs_circuit, trust_modes
from gateless.core.errors import InputError
from gateless.core.types import TrustMode
from onnx import TensorProto, helper, save_model


def test_modes_are_read_as_people_write_them() -> None:
    assert trust_modes("") is None
    assert trust_modes("zk") == (TrustMode.ZK,)
    assert trust_modes(" QUORUM, lazy-zk,quorum ") == (TrustMode.QUORUM, TrustMode.LAZY_ZK)
    with pytest.raises(InputError) as caught:
        trust_modes("zk,trust-me")
    assert caught.value.code == "unknown-mode"


@pytest.mark.parametrize(
    ("text", "circuit"),
    [("", True), ("zk", True), ("quorum,lazy_zk", True), ("quorum", False), ("attested", False)],
)
def test_a_circuit_is_built_where_a_mode_needs_proofs(text: str, circuit: bool) -> None:
    assert needs_circuit(trust_modes(text)) is circuit


def files(folder: Path, *, noisy: bool) -> tuple[Path, Path]:
    """A model that no circuit holds, since it has a branch or noise; and inputs for it."""
    noise = [helper.make_node("RandomNormalLike", ["x"], ["z"])] if noisy else []
    rows = [] if noisy else [helper.make_node("Round", ["x"], ["z"])]
    nodes = [*noise, *rows, helper.make_node("Add", ["x", "z"], ["y"])]
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy"]
    graph = helper.make_graph(nodes, "graph", tensors[:1], tensors[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx_file, calibration = folder / "model.onnx", folder / "inputs.npz"
    save_model(model, str(onnx_file))
    np.savez(calibration, x=np.random.default_rng(1).normal(size=(4, 4)))
    return onnx_file, calibration


async def test_a_quorum_version_from_the_command_line(
    shell: Shell, make_wallet: MakeWallet, tmp_path: Path
) -> None:
    await make_wallet("builder")
    model, calibration = files(tmp_path, noisy=False)
    arguments = ("model", "publish", model, "--calibration", calibration, "--mode", "quorum")
    done = await shell(*arguments, "--name", "cli-quorum")
    assert "published as cli-quorum@0" in done.stdout
    assert "yes: 4 inputs gave the same bytes" in done.stdout
    assert "runtime class" in done.stdout
    assert "little-endian" in done.stdout
    shown = (await shell("--json", "model", "show", "cli-quorum@0")).data
    assert shown["modes"] == ["QUORUM"]
    assert shown["repeatable"] is True
    assert shown["proof_seconds"] == 0
    assert shown["circuits"] == []


async def test_what_does_not_repeat_is_refused_with_the_reason(
    shell: Shell, make_wallet: MakeWallet, tmp_path: Path
) -> None:
    await make_wallet("builder")
    model, calibration = files(tmp_path, noisy=True)
    arguments = ("model", "publish", model, "--calibration", calibration, "--mode", "quorum")
    refused = await shell(*arguments, "--name", "cli-noisy", code=2)
    assert "not-repeatable" in refused.stderr
    assert "in another order" in refused.stderr
