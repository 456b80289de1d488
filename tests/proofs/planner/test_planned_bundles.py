"""Batches, dense words and goals, with real circuits and proofs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gateless.core.errors import InputError
from gateless.core.manifest import Binding, Goal
from gateless_proofs import KeyCache, Prover, audit_bundle
from onnx import helper
from proof_fixtures import LIMITS, Built, build, normal
from tiny_models import dense, floats, save


@pytest.fixture(scope="module")
async def batched(tmp_path_factory: pytest.TempPathFactory, cache: KeyCache) -> Built:
    """Circuits for one inference and for four, planned for gas: dense words where they pay."""
    folder = tmp_path_factory.mktemp("batched")
    model = dense(folder / "mlp.onnx", [6, 3, 2])
    return await build(
        model, normal(8, 6), folder / "bundle", cache, goal=Goal.GAS, batch_sizes=(4,)
    )


def test_all_circuits_share_the_tensors_and_say_what_they_are(batched: Built) -> None:
    manifest = batched.bundle.manifest
    assert [entry.batch_size for entry in manifest.circuits] == [1, 4]
    assert manifest.binding is Binding.PACKED
    four = manifest.circuits[1]
    assert "batch" in four.passes
    assert any(entry.dense for entry in manifest.circuits)
    for entry in manifest.circuits:
        assert entry.dense == ("dense-words" in entry.passes)
        assert entry.digit_bits * entry.digits_per_word <= 253
    assert {entry.name for entry in manifest.files} >= {"settings-4.json", "circuit-4.compiled"}
    assert manifest.srs.logrows == max(entry.logrows for entry in manifest.circuits)
    assert all(entry.prove_seconds > 0 for entry in manifest.circuits)
    assert all(entry.prove_memory_bytes > 0 for entry in manifest.circuits)


def test_the_plan_explains_itself(batched: Built) -> None:
    manifest = batched.bundle.manifest
    plan = manifest.plan
    assert plan.goal is Goal.GAS
    assert plan.considered >= len(plan.candidates) > len(plan.winners) == 2
    winners = [plan.candidates[place] for place in plan.winners]
    assert [row.batch_size for row in winners] == [1, 4]
    for row, entry in zip(winners, manifest.circuits, strict=True):
        assert (row.logrows, row.passes, row.dense) == (entry.logrows, entry.passes, entry.dense)
        assert row.trial_seconds is not None
        assert row.exact == entry.exact
    card = (batched.bundle.root / "README.md").read_text()
    assert plan.why[1:] in card
    assert "| inferences | scales |" in card
    assert "4 inferences" in card


async def test_a_batch_gives_the_outputs_of_single_inferences(
    batched: Built, cache: KeyCache
) -> None:
    prover = Prover(cache, LIMITS)
    rows = [batched.packed(sample) for sample in batched.samples[:3]]
    proof = await prover.prove_batch(batched.bundle, rows, 1)
    alone = [(await prover.witness(batched.bundle, row)).packed_output for row in rows]
    assert list(proof.packed_outputs[:3]) == alone
    inputs, outputs = list(proof.packed_inputs), list(proof.packed_outputs)
    assert await prover.verify_batch(batched.bundle, inputs, outputs, proof.proof, 1)
    swapped = [outputs[1], outputs[0], *outputs[2:]]
    assert not await prover.verify_batch(batched.bundle, inputs, swapped, proof.proof, 1)
    exchanged = [inputs[1], inputs[0], *inputs[2:]]
    assert not await prover.verify_batch(batched.bundle, exchanged, outputs, proof.proof, 1)


async def test_audit_replays_every_circuit(batched: Built, cache: KeyCache) -> None:
    report = await audit_bundle(batched.bundle, cache, limits=LIMITS)
    assert report.ok, report.checks


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"batch_sizes": (0,)}, "invalid-batch-size"),
        ({"batch_sizes": (1, 10_000)}, "invalid-batch-size"),
        ({"batch_sizes": (8,), "binding": Binding.KZG}, "binding-not-possible"),
    ],
)
async def test_impossible_batches_are_refused(
    tmp_path: Path, cache: KeyCache, options: dict[str, object], code: str
) -> None:
    model = dense(tmp_path / "mlp.onnx", [4, 2])
    with pytest.raises(InputError) as caught:
        await build(model, normal(3, 4), tmp_path / "out", cache, **options)
    assert caught.value.code == code


async def test_budgets_bind(mlp: Built, tmp_path: Path, cache: KeyCache) -> None:
    """Fewer rows than the winner without a budget has."""
    model = dense(tmp_path / "mlp.onnx", [4, 6, 3])
    free = mlp.bundle.manifest.circuits[0]
    small = await build(model, mlp.samples, tmp_path / "small", cache, max_logrows=free.logrows - 1)
    assert small.bundle.manifest.circuits[0].logrows < free.logrows
    shaped = [row for row in small.bundle.manifest.plan.candidates if row.logrows]
    assert shaped
    assert all(row.logrows < free.logrows for row in shaped)


async def test_integers_far_outside_have_no_proof_or_the_right_one(
    mlp: Built, cache: KeyCache
) -> None:
    """The corners of the packed range: what the plan says it covers has a proof."""
    plan = mlp.bundle.manifest.plan
    assert "refuses" not in plan.candidates[plan.winners[0]].verdict
    prover = Prover(cache, LIMITS)
    spec = mlp.bundle.schema.inputs[0]
    for integers in ([spec.minimum] * 4, [spec.maximum] * 4, [spec.minimum, spec.maximum] * 2):
        packed = mlp.packed(np.array(integers) / 2.0**spec.scale_bits)
        proof = await prover.prove(mlp.bundle, packed)
        assert await prover.verify(mlp.bundle, packed, proof.packed_output, proof.proof)


async def test_a_table_is_not_made_long_to_spare_a_few_cells(
    tmp_path: Path, cache: KeyCache
) -> None:
    """Without rescaling the sigmoid's argument has the scale of a product: its table would take
    2^17 rows for a circuit of some forty cells."""
    weights = {"w": np.full((6, 2), 0.5, np.float32), "b": np.zeros(2, np.float32)}
    model = save(
        tmp_path / "sigmoid.onnx",
        [
            helper.make_node("Gemm", ["x", "w", "b"], ["sum"]),
            helper.make_node("Sigmoid", ["sum"], ["y"]),
        ],
        [floats("x", "batch", 6)],
        [floats("y", "batch", 2)],
        weights,
    )
    built = await build(model, normal(12, 6), tmp_path / "out", cache)
    assert built.bundle.manifest.circuits[0].logrows <= 14
