"""Which trust modes a version may allow: proofs need a circuit, quorums outputs that repeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gateless.core.errors import InputError
from gateless.core.types import TrustMode, modes_of
from gateless.sdk.auditing import registry_check
from gateless.sdk.tensors import pack_inputs, unpack_outputs
from gateless_proofs import (
    BuildOptions,
    Bundle,
    CalibrationData,
    KeyCache,
    Limits,
    build_bundle,
)
from market_fixtures import MakeAccount, TinyModel
from onnx import TensorProto, helper, save_model

LIMITS = Limits(memory_bytes=4 << 30, seconds=120, threads=2)
PROVEN = (TrustMode.ZK, TrustMode.LAZY_ZK)


def sums(path: Path, *, noisy: bool) -> Path:
    """``y = x + x``, or with noise."""
    other = "noise" if noisy else "x"
    noise = [helper.make_node("RandomNormalLike", ["x"], ["noise"])] if noisy else []
    nodes = [*noise, helper.make_node("Add", ["x", other], ["y"])]
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy"]
    graph = helper.make_graph(nodes, "graph", tensors[:1], tensors[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    save_model(model, str(path))
    return path


async def unproven(folder: Path, *, noisy: bool = False) -> Bundle:
    return await build_bundle(
        sums(folder / "model.onnx", noisy=noisy),
        CalibrationData.from_arrays({"x": np.random.default_rng(1).normal(size=(4, 4))}),
        folder / "bundle",
        options=BuildOptions(name="sums", circuit=False),
        keys=KeyCache(folder / "keys", LIMITS),
        limits=LIMITS,
    )


def unrepeatable(bundle: Bundle) -> Bundle:
    """The same bundle, its outputs found to differ."""
    execution = bundle.manifest.execution
    checks = tuple(check.model_copy(update={"same": False}) for check in execution.checks)
    changed = execution.model_copy(update={"checks": checks})
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"execution": changed}))


async def test_without_a_circuit_quorums_are_what_is_left(
    make_account: MakeAccount, tmp_path: Path
) -> None:
    builder = await make_account()
    bundle = await unproven(tmp_path)
    for modes in (PROVEN, (TrustMode.QUORUM, TrustMode.ZK)):
        with pytest.raises(InputError) as caught:
            await builder.client.publish(bundle, "modes-unproven", modes=modes)
        assert caught.value.code == "no-circuit"
    await builder.client.publish(bundle, "modes-unproven")
    resolved = await builder.client.resolve("modes-unproven")
    version = resolved.version
    assert modes_of(version.modes) == (TrustMode.QUORUM,)
    assert version.repeatable
    assert version.proof_seconds == 0
    assert version.circuits == ()
    assert await builder.client.manifest("modes-unproven") == bundle.manifest
    _, report = await builder.client.audit("modes-unproven")
    assert report.ok, report.checks
    assert "repetition" in {check.name for check in report.checks}


async def test_what_does_not_repeat_has_no_quorum(
    make_account: MakeAccount, tmp_path: Path
) -> None:
    builder = await make_account()
    bundle = await unproven(tmp_path, noisy=True)
    with pytest.raises(InputError) as caught:
        await builder.client.publish(bundle, "modes-noisy")
    assert caught.value.code == "not-repeatable"
    assert "another order" in caught.value.message
    assert caught.value.context["differing"]
    # It may still be attested: somebody vouches for one run.
    await builder.client.publish(bundle, "modes-noisy", modes=(TrustMode.ATTESTED,))
    version = (await builder.client.resolve("modes-noisy")).version
    assert not version.repeatable


async def test_a_circuit_does_not_excuse_outputs_that_differ(
    make_account: MakeAccount, tiny_model: TinyModel
) -> None:
    builder = await make_account()
    with pytest.raises(InputError) as caught:
        await builder.client.publish(
            unrepeatable(tiny_model.bundle), "modes-differ", modes=(*PROVEN, TrustMode.QUORUM)
        )
    assert caught.value.code == "not-repeatable"


async def test_a_circuit_that_repeats_may_allow_all_modes(
    make_account: MakeAccount, tiny_model: TinyModel
) -> None:
    builder = await make_account()
    await builder.client.publish(tiny_model.bundle, "modes-all", modes=tuple(TrustMode))
    version = (await builder.client.resolve("modes-all")).version
    assert modes_of(version.modes) == tuple(TrustMode)
    assert version.repeatable
    await builder.client.publish(tiny_model.bundle, "modes-default")
    version = (await builder.client.resolve("modes-default")).version
    assert modes_of(version.modes) == PROVEN


async def test_a_version_needs_a_mode(make_account: MakeAccount, tiny_model: TinyModel) -> None:
    builder = await make_account()
    with pytest.raises(InputError) as caught:
        await builder.client.publish(tiny_model.bundle, "modes-none", modes=())
    assert caught.value.code == "no-modes"


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        (lambda version: {"repeatable": not version.repeatable}, "repeatability"),
        (lambda version: {"proof_seconds": version.proof_seconds + 1}, "proof time"),
    ],
)
async def test_an_audit_holds_the_registry_to_the_manifest(
    make_account: MakeAccount,
    tiny_model: TinyModel,
    lie: Callable[[object], dict[str, object]],
    named: str,
) -> None:
    builder = await make_account()
    name = f"modes-audited-{named.replace(' ', '-')}"
    await builder.client.publish(tiny_model.bundle, name)
    version = (await builder.client.resolve(name)).version
    assert registry_check(version, tiny_model.bundle.manifest).ok
    check = registry_check(replace(version, **lie(version)), tiny_model.bundle.manifest)  # type: ignore[arg-type]
    assert not check.ok
    assert named in check.detail


async def test_inputs_of_such_versions_are_spelled_in_their_own_types(tmp_path: Path) -> None:
    manifest = (await unproven(tmp_path)).manifest
    packed = pack_inputs(manifest, [0.5, -1.0, 2.0, 0.0])
    assert packed == np.array([0.5, -1.0, 2.0, 0.0], dtype="<f4").tobytes()
    reals, integers = unpack_outputs(manifest, packed)
    assert reals["y"].tolist() == [[0.5, -1.0, 2.0, 0.0]]
    assert integers == {"y": ()}
    with pytest.raises(InputError) as caught:
        pack_inputs(manifest, [1.0, 2.0])
    assert caught.value.code == "wrong-shape"
    with pytest.raises(InputError) as caught:
        unpack_outputs(manifest, packed[:-1])
    assert caught.value.code == "wrong-length"
