"""Bundles without a circuit: models that fit none, whose answers are compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gateless.core.errors import InputError, ModelError, ProofError, StorageError
from gateless.core.manifest import Binding, FileRole, parse_manifest
from gateless.core.raw_tensors import encode_raw, raw_array
from gateless_proofs import (
    BuildOptions,
    Bundle,
    CalibrationData,
    KeyCache,
    Prover,
    audit_bundle,
    build_bundle,
    load_bundle,
)
from gateless_proofs.reference import FloatModel
from gateless_proofs.repeating import check_bundle_repetition
from gateless_proofs.statements import UntrueStatementError
from onnx import TensorProto, helper
from proof_fixtures import LIMITS, Built, normal
from tiny_models import floats, save

OPTIONS = BuildOptions(name="tiny", circuit=False)


def branching(path: Path) -> Path:
    """Twice ``x`` where it sums to more than zero, its negative otherwise; and which it was.

    ezkl takes no branches; the masks that exporters write as -inf fit no circuit either.
    """
    branches = {
        "then_branch": helper.make_graph(
            [helper.make_node("Add", ["x", "x"], ["twice"])], "then", [], [floats("twice", 1, 4)]
        ),
        "else_branch": helper.make_graph(
            [helper.make_node("Neg", ["x"], ["minus"])], "else", [], [floats("minus", 1, 4)]
        ),
    }
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node("If", ["positive"], ["chosen"], **branches),
        helper.make_node("Max", ["chosen", "lowest"], ["y"]),
    ]
    positive = helper.make_tensor_value_info("positive", TensorProto.BOOL, [])
    return save(
        path,
        nodes,
        [floats("x", 1, 4)],
        [floats("y", 1, 4), positive],
        {"zero": np.float32(0), "lowest": np.float32(-np.inf)},
    )


async def built(model: Path, out: Path, options: BuildOptions = OPTIONS) -> Bundle:
    return await build_bundle(
        model,
        CalibrationData.from_arrays({"x": normal(6, 4)}),
        out,
        options=options,
        keys=KeyCache(out.parent / "keys", LIMITS),
        limits=LIMITS,
    )


@pytest.fixture(scope="module")
async def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("unproven")
    return await built(branching(folder / "model.onnx"), folder / "bundle")


async def test_a_model_that_fits_no_circuit_becomes_a_bundle(
    bundle: Bundle, tmp_path: Path
) -> None:
    with pytest.raises(ModelError) as caught:
        await built(bundle.model, tmp_path / "proven", BuildOptions(name="tiny"))
    assert caught.value.code in ("unsupported-operator", "weights-not-finite")

    manifest = bundle.manifest
    assert manifest.circuits == ()
    assert manifest.srs is None
    assert manifest.binding is Binding.PACKED
    assert manifest.proof_seconds == 0
    assert manifest.execution.repeatable
    assert {entry.role for entry in manifest.files} == {FileRole.MODEL, FileRole.CARD}
    y, positive = manifest.outputs
    assert (y.onnx_dtype, y.width, y.scale_bits, y.shape) == ("FLOAT", 4, 0, (1, 4))
    assert (positive.onnx_dtype, positive.width, positive.shape) == ("BOOL", 1, ())
    assert manifest.schema_of_io().encode().hex() == "0102" + "040000000004" * 2 + "010000000001"
    card = (bundle.root / "README.md").read_text()
    assert "cannot be proven" in card
    assert manifest.execution.runtime in card


async def test_the_answer_is_the_models_own_bytes(bundle: Bundle, tmp_path: Path) -> None:
    prover = Prover(KeyCache(tmp_path / "keys", LIMITS), LIMITS)
    model = FloatModel(bundle.model)
    for values, sign in ((np.array([[1.0, 2, 3, 4]]), 1), (np.array([[-1.0, -2, -3, 4.5]]), 0)):
        given = raw_array(values, bundle.manifest.inputs[0].raw())
        answer = await prover.answer(bundle, encode_raw([given]))
        assert answer == encode_raw(model.run_typed([given]))
        expected = values * 2 if sign else -values
        assert answer == expected.astype("<f4").tobytes() + bytes((sign,))


async def test_the_answer_of_a_circuit_is_the_circuits(mlp: Built, cache: KeyCache) -> None:
    bundle, packed = mlp.bundle, mlp.packed(np.zeros(4))
    prover = Prover(cache, LIMITS)
    assert (
        await prover.answer(bundle, packed) == (await prover.witness(bundle, packed)).packed_output
    )


@pytest.mark.parametrize("length", [0, 15, 17])
async def test_what_is_no_input_is_refused(bundle: Bundle, tmp_path: Path, length: int) -> None:
    prover = Prover(KeyCache(tmp_path / "keys", LIMITS), LIMITS)
    with pytest.raises(InputError) as caught:
        await prover.answer(bundle, bytes(length))
    assert caught.value.code == "wrong-length"


async def test_output_of_another_length_than_stated_is_refused(
    bundle: Bundle, tmp_path: Path
) -> None:
    manifest = bundle.manifest
    lie = manifest.model_copy(update={"outputs": manifest.outputs[:1]})
    prover = Prover(KeyCache(tmp_path / "keys", LIMITS), LIMITS)
    with pytest.raises(ProofError) as caught:
        await prover.answer(Bundle(bundle.root, lie), bytes(16))
    assert caught.value.code == "output-out-of-range"


async def test_an_audit_repeats_what_can_be_repeated(bundle: Bundle, tmp_path: Path) -> None:
    keys = KeyCache(tmp_path / "keys", LIMITS)
    report = await audit_bundle(bundle, keys, onchain=[], limits=LIMITS)
    assert report.ok, report.checks
    assert [check.name for check in report.checks] == ["files", "on-chain", "repetition"]
    report = await audit_bundle(bundle, keys, onchain=[b"\1" * 32], limits=LIMITS)
    assert [check.ok for check in report.checks] == [True, False]


async def test_an_audit_finds_a_repeatability_that_is_none(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("RandomNormalLike", ["x"], ["noise"]),
        helper.make_node("Add", ["x", "noise"], ["y"]),
    ]
    model = save(tmp_path / "m.onnx", nodes, [floats("x", 1, 4)], [floats("y", 1, 4)])
    honest = await built(model, tmp_path / "bundle")
    assert not honest.manifest.execution.repeatable
    keys = KeyCache(tmp_path / "keys", LIMITS)
    # Who would enrol for its quorums finds out before he does.
    with pytest.raises(UntrueStatementError):
        await check_bundle_repetition(honest, LIMITS)
    # Nothing is claimed, so nothing is refuted.
    assert (await audit_bundle(honest, keys, limits=LIMITS)).ok
    checks = tuple(
        check.model_copy(update={"same": True}) for check in honest.manifest.execution.checks
    )
    execution = honest.manifest.execution.model_copy(update={"checks": checks})
    manifest = honest.manifest.model_copy(update={"execution": execution})
    (honest.root / "manifest.json").write_bytes(manifest.to_bytes())
    report = await audit_bundle(load_bundle(honest.root), keys, limits=LIMITS)
    assert not report.ok
    assert report.checks[-1].name == "repetition"
    assert "in another order" in report.checks[-1].detail


def test_a_manifest_without_circuits_says_so_throughout(bundle: Bundle) -> None:
    manifest = bundle.manifest
    with pytest.raises(StorageError) as caught:
        _ = manifest.required_srs
    assert caught.value.code == "no-circuit"
    wider = manifest.outputs[0].model_copy(update={"width": 8})
    scaled = manifest.outputs[0].model_copy(update={"scale_bits": 7})
    for change in (
        {"binding": Binding.KZG},
        {"outputs": (wider,)},
        {"outputs": (scaled,)},
    ):
        with pytest.raises(StorageError) as caught:
            parse_manifest(manifest.model_copy(update=change).to_bytes())
        assert caught.value.code == "invalid-manifest"


async def test_the_same_build_gives_the_same_manifest(bundle: Bundle, tmp_path: Path) -> None:
    again = await built(bundle.model, tmp_path / "again")
    assert again.manifest.to_bytes() == bundle.manifest.to_bytes()
