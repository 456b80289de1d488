from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from gateless.core.errors import GatelessError, InputError, ModelError, ProofError
from gateless.core.manifest import Binding
from gateless.core.packing import pack, quantise, round_half_away, unpack
from gateless_proofs import (
    BuildOptions,
    CalibrationData,
    KeyCache,
    Prover,
    build_bundle,
    load_bundle,
)
from gateless_proofs.srs import DEVELOPMENT_G2
from gateless_proofs.vka import vka_digest
from onnx import helper
from proof_fixtures import LIMITS, Built, build, normal
from tiny_models import bomb, dense, floats, one_node, save, weights_of


def test_manifest_states_what_was_built(mlp: Built) -> None:
    manifest = mlp.bundle.manifest
    circuit = manifest.circuits[0]
    assert manifest.binding is Binding.PACKED
    assert circuit.exact
    assert circuit.logrows <= 10
    assert circuit.vka_digest == vka_digest(mlp.bundle.vka_words())
    assert manifest.srs.g2 == DEVELOPMENT_G2
    assert manifest.inputs[0].shape == (1, 4)
    assert manifest.inputs[0].onnx_dtype == "FLOAT"
    low, high = manifest.inputs[0].calibrated_range or (0, 0)
    assert (low, high) == (mlp.samples.min(), mlp.samples.max())
    # the packed input carries at least twice the calibration range
    assert mlp.bundle.schema.inputs[0].maximum >= 2 * high * 2 ** manifest.inputs[0].scale_bits
    assert manifest.accuracy.samples == 12
    assert manifest.accuracy.max_abs_error <= 0.75 * manifest.accuracy.bound
    assert manifest.accuracy.label_agreement == 1.0
    assert {entry.name for entry in manifest.files} == {
        *("model.onnx", "settings.json", "circuit.compiled", "vk.key", "vka.bin", "README.md")
    }


def integer_network(
    integers: list[int], input_scale: int, scale: int, seed: int, *, doubled: bool
) -> list[int]:
    """The exact circuit in plain integers: weights at the parameter scale, biases at the running
    scale, ReLU between layers, no rescale anywhere.

    ``doubled`` is for a ReLU that was rewritten as x + |x|: twice the value, one scale up.
    """
    layers = weights_of([4, 6, 3], seed)
    values, running = integers, input_scale
    for index, (weight, bias) in enumerate(layers):
        running += scale
        values = [
            sum(
                value * round_half_away(float(factor) * 2.0**scale)
                for value, factor in zip(values, weight[:, column], strict=True)
            )
            + round_half_away(float(bias[column]) * 2.0**running)
            for column in range(weight.shape[1])
        ]
        if index < len(layers) - 1:
            values = [max(value, 0) * (2 if doubled else 1) for value in values]
            running += doubled
    return values


async def test_exact_circuit_is_plain_integer_arithmetic(mlp: Built, cache: KeyCache) -> None:
    settings = json.loads(mlp.bundle.settings().read_text())["run_args"]
    prover = Prover(cache, LIMITS)
    spec = mlp.bundle.schema.inputs[0]
    domain = float(np.abs(mlp.samples).max())
    cases = [mlp.samples[3], np.zeros(4), np.full(4, domain), np.full(4, -2 * domain)]
    cases.append(np.array([spec.maximum] * 4) / 2.0**spec.scale_bits)
    cases.append(np.array([spec.minimum, spec.maximum] * 2) / 2.0**spec.scale_bits)
    for values in cases:
        integers = quantise(values, spec)
        witness = await prover.witness(mlp.bundle, mlp.packed(values))
        outputs = unpack(witness.packed_output, mlp.bundle.schema.outputs)[0]
        assert outputs == integer_network(
            integers,
            settings["input_scale"],
            settings["param_scale"],
            seed=0,
            doubled="relu-abs" in mlp.bundle.circuit().passes,
        )


def test_large_input_is_bound_by_commitment(committed: Built) -> None:
    assert committed.bundle.manifest.binding is Binding.KZG
    settings = json.loads(committed.bundle.settings().read_text())
    assert settings["run_args"]["input_visibility"] == "KZGCommit"
    assert settings["model_instance_shapes"] == [[1, 2]]


def test_sigmoid_circuit_is_not_called_exact(rescaled: Built) -> None:
    assert not rescaled.bundle.manifest.circuits[0].exact
    assert rescaled.bundle.manifest.accuracy.bound == 0.1


async def test_bundle_is_reproducible(mlp: Built, tmp_path: Path, cache: KeyCache) -> None:
    again = await build(mlp.bundle.model, mlp.samples, tmp_path / "again", cache)
    fresh = KeyCache(tmp_path / "keys", LIMITS)
    third = await build(mlp.bundle.model, mlp.samples, tmp_path / "third", fresh)
    first, second, other = (
        built.bundle.manifest.unmeasured().to_bytes() for built in (mlp, again, third)
    )
    assert first == second == other


async def test_two_inputs_and_two_outputs_keep_their_order(tmp_path: Path, cache: KeyCache) -> None:
    nodes = [
        helper.make_node("Sub", ["a", "b"], ["difference"]),
        helper.make_node("Mul", ["a", "two"], ["double"]),
    ]
    model = save(
        tmp_path / "pair.onnx",
        nodes,
        [floats("a", 1, 2), floats("b", 1, 2)],
        [floats("double", 1, 2), floats("difference", 1, 2)],
        {"two": np.array([2.0], dtype=np.float32)},
    )
    data = CalibrationData.from_arrays(
        {"b": np.arange(8).reshape(4, 2) / 4, "a": np.arange(8).reshape(4, 2) / 2}
    )

    bundle = await build_bundle(
        model,
        data,
        tmp_path / "out",
        options=BuildOptions(name="pair"),
        keys=cache,
        limits=LIMITS,
    )
    assert [spec.name for spec in bundle.schema.inputs] == ["a", "b"]
    assert [spec.name for spec in bundle.schema.outputs] == ["double", "difference"]
    packed = pack(
        [
            quantise([3.0, 1.0], bundle.schema.inputs[0]),
            quantise([1.5, 0.5], bundle.schema.inputs[1]),
        ],
        bundle.schema.inputs,
    )
    proof = await Prover(cache, LIMITS).prove(bundle, packed)
    witness = await Prover(cache, LIMITS).witness(bundle, packed)
    assert witness.packed_output == proof.packed_output
    assert witness.outputs_float[0].tolist() == [[6.0, 2.0]]
    assert witness.outputs_float[1].tolist() == [[1.5, 0.5]]


async def attempt(
    model: Path, out: Path, keys: KeyCache, samples: object = None, **options: object
) -> GatelessError:
    """The error of a build; nothing may be left behind."""
    data = CalibrationData.from_arrays({"x": normal(3, 4) if samples is None else samples})
    before = sorted(out.parent.iterdir())
    with pytest.raises(GatelessError) as caught:
        await build_bundle(
            model,
            data,
            out,
            options=BuildOptions(name="bad", **options),  # type: ignore[arg-type]
            keys=keys,
            limits=LIMITS,
        )
    assert sorted(out.parent.iterdir()) == before, "a failed build must leave nothing behind"
    assert caught.value.hint
    return caught.value


async def test_bad_models_leave_nothing_half_written(tmp_path: Path, cache: KeyCache) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("this is not a model")
    cases = {
        "not-onnx": text,
        "unsupported-operator": one_node(tmp_path / "unique.onnx", "Unique"),
        "tensor-too-large": bomb(tmp_path / "bomb.onnx"),
        "model-not-found": tmp_path / "absent.onnx",
    }
    for code, model in cases.items():
        error = await attempt(model, tmp_path / "out", cache)
        assert isinstance(error, ModelError)
        assert error.code == code


async def test_operator_that_only_ezkl_knows_it_cannot_take_is_named(
    tmp_path: Path, cache: KeyCache
) -> None:
    model = one_node(tmp_path / "shrink.onnx", "MeanVarianceNormalization", shape=(1, 2, 2, 2))
    error = await attempt(model, tmp_path / "out", cache, normal(3, 2, 2, 2))
    assert error.code == "unsupported-operator"
    assert error.context["operator"] == "MeanVarianceNormalization"


async def test_unreachable_bound_is_refused(tmp_path: Path, cache: KeyCache) -> None:
    model = dense(tmp_path / "mlp.onnx", [4, 2])
    error = await attempt(model, tmp_path / "out", cache, accuracy_bound=1e-12)
    assert error.code == "no-circuit-found"
    assert error.context["tried"]


async def test_development_srs_is_refused_elsewhere(tmp_path: Path, cache: KeyCache) -> None:
    model = dense(tmp_path / "mlp.onnx", [4, 2])
    error = await attempt(model, tmp_path / "out", cache, chain_id=11155111)
    assert isinstance(error, ProofError)
    assert error.code == "development-srs-refused"


async def test_existing_output_is_not_touched(tmp_path: Path, mlp: Built, cache: KeyCache) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("keep me")
    error = await attempt(mlp.bundle.model, tmp_path / "out", cache)
    assert error.code == "output-exists"
    assert (tmp_path / "out" / "precious").read_text() == "keep me"


@pytest.mark.parametrize(
    ("samples", "code"),
    [
        (np.array([[1.0, np.nan, 0, 0]]), "not-finite"),
        (np.array([[1.0, np.inf, 0, 0]]), "not-finite"),
        (np.ones((2, 5)), "wrong-shape"),
        (np.array([["a", "b", "c", "d"]]), "wrong-dtype"),
        (np.ones((0, 4)), "invalid-calibration"),
    ],
)
async def test_bad_calibration_is_refused(
    tmp_path: Path, mlp: Built, cache: KeyCache, samples: np.ndarray, code: str
) -> None:
    error = await attempt(mlp.bundle.model, tmp_path / "out", cache, samples)
    assert isinstance(error, InputError)
    assert error.code == code


async def test_calibration_must_name_the_inputs(
    tmp_path: Path, mlp: Built, cache: KeyCache
) -> None:
    with pytest.raises(InputError, match=r"takes \['x'\]"):
        await build_bundle(
            mlp.bundle.model,
            CalibrationData.from_arrays({"z": normal(3, 4)}),
            tmp_path / "out",
            options=BuildOptions(name="bad"),
            keys=cache,
        )


async def test_progress_grows_to_the_end(tmp_path: Path, cache: KeyCache) -> None:
    seen: list[tuple[str, float]] = []
    await build_bundle(
        dense(tmp_path / "mlp.onnx", [4, 2]),
        CalibrationData.from_arrays({"x": normal(3, 4)}),
        tmp_path / "out",
        options=BuildOptions(name="progress"),
        keys=cache,
        limits=LIMITS,
        progress=lambda stage, fraction: seen.append((stage, fraction)),
    )
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert {"inspect", "search", "prove"} <= {stage for stage, _ in seen}
    assert load_bundle(tmp_path / "out").manifest.name == "progress"


def test_model_in_the_bundle_is_the_published_file(mlp: Built) -> None:
    onnx.checker.check_model(onnx.load(mlp.bundle.model))
