"""One proof for several inputs, by circuits as the planner makes them."""

from __future__ import annotations

import numpy as np
import pytest
from gateless.core.errors import InputError, ProofError
from gateless.core.packing import pack, unpack
from gateless_proofs import KeyCache, Prover
from gateless_proofs.rows import instances_of, outputs_of
from proof_fixtures import LIMITS, Built, build, normal
from tiny_models import dense

ROWS = 4
BATCH = 1


@pytest.fixture(scope="session")
async def batched(tmp_path_factory: pytest.TempPathFactory, cache: KeyCache) -> Built:
    """A 4-6-3 perceptron with circuits for one inference and for four."""
    folder = tmp_path_factory.mktemp("batched")
    model = dense(folder / "mlp.onnx", [4, 6, 3])
    return await build(model, normal(12, 4), folder / "bundle", cache, batch_sizes=(1, ROWS))


@pytest.fixture(scope="session")
def prover(cache: KeyCache) -> Prover:
    return Prover(cache, LIMITS)


def packed_rows(built: Built, count: int) -> list[bytes]:
    return [built.packed(row) for row in built.samples[:count]]


async def test_all_circuits_of_a_version_give_the_same_outputs(
    batched: Built, prover: Prover
) -> None:
    rows = packed_rows(batched, ROWS)
    alone = [await prover.witness(batched.bundle, row) for row in rows]
    together = await prover.witness_batch(batched.bundle, rows, BATCH)
    assert [w.packed_output for w in together] == [w.packed_output for w in alone]
    proof = await prover.prove_batch(batched.bundle, rows, BATCH)
    assert list(proof.packed_outputs) == [w.packed_output for w in alone]
    assert list(proof.packed_inputs) == rows
    assert len(proof.proof) == batched.bundle.circuit(BATCH).proof_length
    assert proof.seconds > 0


async def test_missing_rows_repeat_the_last_one(batched: Built, prover: Prover) -> None:
    rows = packed_rows(batched, 2)
    proof = await prover.prove_batch(batched.bundle, rows, BATCH)
    assert proof.packed_inputs == (rows[0], rows[1], rows[1], rows[1])
    assert proof.packed_outputs[1] == proof.packed_outputs[3] != proof.packed_outputs[0]
    assert len(await prover.witness_batch(batched.bundle, rows, BATCH)) == 2


@pytest.mark.parametrize("count", [0, ROWS + 1])
async def test_other_numbers_of_rows_are_refused(
    batched: Built, prover: Prover, count: int
) -> None:
    with pytest.raises(InputError) as caught:
        await prover.prove_batch(batched.bundle, packed_rows(batched, count), BATCH)
    assert caught.value.code == "wrong-row-count"


async def test_a_batch_proof_holds_for_its_rows_in_their_order_only(
    batched: Built, prover: Prover
) -> None:
    bundle = batched.bundle
    proof = await prover.prove_batch(bundle, packed_rows(batched, ROWS), BATCH)
    inputs, outputs = list(proof.packed_inputs), list(proof.packed_outputs)

    async def holds(inputs: list[bytes], outputs: list[bytes], data: bytes = b"") -> bool:
        return await prover.verify_batch(bundle, inputs, outputs, data or proof.proof, BATCH)

    assert await holds(inputs, outputs)
    swapped = [1, 0, 2, 3]
    assert not await holds([inputs[i] for i in swapped], outputs)
    assert not await holds(inputs, [outputs[i] for i in swapped])
    for row in range(ROWS):
        for rows in (inputs, outputs):
            changed = [*rows]
            changed[row] = changed[row][:-1] + bytes((changed[row][-1] ^ 1,))
            other = (changed, outputs) if rows is inputs else (inputs, changed)
            assert not await holds(*other)
    assert not await holds(inputs[:3], outputs[:3])
    assert not await holds(inputs, outputs, proof.proof + bytes(32))
    flipped = bytearray(proof.proof)
    flipped[len(flipped) // 2] ^= 1
    assert not await holds(inputs, outputs, bytes(flipped))
    # Both swapped alike is the same statement about other rows: another proof, not this one.
    assert not await holds([inputs[i] for i in swapped], [outputs[i] for i in swapped])


async def test_the_circuit_follows_from_the_number_of_rows(batched: Built) -> None:
    assert [batched.bundle.circuit_for(rows) for rows in (1, 2, ROWS, ROWS + 1)] == [0, 1, 1, 1]


async def test_extreme_rows_prove_or_are_refused_and_agree_with_the_single_circuit(
    batched: Built, prover: Prover
) -> None:
    spec = batched.bundle.schema.inputs[0]
    generator = np.random.default_rng(9)
    corners = [[spec.minimum] * 4, [spec.maximum] * 4]
    corners += generator.choice([spec.minimum, spec.maximum], (2, 4)).tolist()
    rows = [pack([[int(value) for value in corner]], [spec]) for corner in corners]
    singles: list[bytes | None] = []
    for row in rows:
        try:
            singles.append((await prover.witness(batched.bundle, row)).packed_output)
        except ProofError as error:
            assert error.code in ("input-not-provable", "output-out-of-range")
            singles.append(None)
    if None in singles:
        with pytest.raises(ProofError) as caught:
            await prover.prove_batch(batched.bundle, rows, BATCH)
        assert caught.value.code in ("input-not-provable", "output-out-of-range")
    else:
        proof = await prover.prove_batch(batched.bundle, rows, BATCH)
        assert list(proof.packed_outputs) == singles


async def test_saturated_outputs_are_refused(batched: Built, prover: Prover) -> None:
    """A dense circuit says the lowest digit for everything that is too small: not an answer."""
    entry = batched.bundle.circuit(BATCH).model_copy(
        update={"digit_bits": 8 * 16, "digits_per_word": 1}
    )
    rows = packed_rows(batched, ROWS)
    proof = await prover.prove_batch(batched.bundle, rows, BATCH)
    spec = batched.bundle.schema.outputs[0]
    outputs = [unpack(output, [spec])[0] for output in proof.packed_outputs]
    given = instances_of(batched.bundle, entry, rows, list(proof.packed_outputs))
    read = outputs_of(batched.bundle, entry, rows, [given])
    assert [unpack(output, [spec])[0] for output in read] == outputs
    first_output = len(given) - ROWS * spec.count
    for digit in (0, 2 * spec.offset, 2 * spec.offset + 5):
        words = [*given]
        words[first_output] = digit
        with pytest.raises(ProofError) as caught:
            outputs_of(batched.bundle, entry, rows, [words])
        assert caught.value.code == "output-out-of-range"
    words = [given[0] ^ 1, *given[1:]]
    with pytest.raises(ProofError) as caught:
        outputs_of(batched.bundle, entry, rows, [words])
    assert caught.value.code == "witness-mismatch"
