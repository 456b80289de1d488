"""Proofs that no transaction could verify are refused before anything is paid for them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gateless.core.errors import InputError
from gateless.core.packing import (
    MAX_BATCH,
    MAX_PROOF_BYTES,
    MAX_PROOF_VALUES,
    MAX_PROOF_WORDS,
    IoSchema,
    TensorSpec,
)
from gateless.core.public_words import DENSE_WORD_BITS

RULES = Path(__file__).parents[2] / "contracts" / "src" / "libraries" / "RegistryRules.sol"


def schema(inputs: int, outputs: int, width: int = 1) -> IoSchema:
    return IoSchema(
        (TensorSpec("x", (1, inputs), width, 0),), (TensorSpec("y", (1, outputs), width, 0),)
    )


def test_bounds_are_the_registry_s() -> None:
    source = RULES.read_text()
    stated = {
        name: int(value.replace("_", ""))
        for name, value in re.findall(r"uint256 internal constant (\w+) = ([0-9_]+);", source)
    }
    assert stated["MAX_BATCH_SIZE"] == MAX_BATCH
    assert stated["MAX_WORDS"] == MAX_PROOF_WORDS
    assert stated["MAX_VALUES"] == MAX_PROOF_VALUES
    assert stated["MAX_PACKED_LENGTH"] == MAX_PROOF_BYTES
    assert stated["MAX_WORD_BITS"] == DENSE_WORD_BITS


def test_proofs_at_the_bounds_pass() -> None:
    words, values, length = MAX_PROOF_WORDS, MAX_PROOF_VALUES, MAX_PROOF_BYTES
    schema(words - 1, 1).check_row(packed_inputs=True)
    schema(10 * words, words).check_row(packed_inputs=False)
    schema(length // 16 - 1, 1, 16).check_row(packed_inputs=True)
    schema(values // 2, values // 2).check_row(packed_inputs=True, digits_per_word=8)
    schema(1, 1).check_row(packed_inputs=True, batch_size=MAX_BATCH)
    schema(words // 64, words // 64).check_row(packed_inputs=True, batch_size=32)


@pytest.mark.parametrize(
    ("row", "facts"),
    [
        (schema(MAX_PROOF_WORDS, 1), {"packed_inputs": True}),
        (schema(1, MAX_PROOF_WORDS + 1), {"packed_inputs": False}),
        (schema(MAX_PROOF_BYTES // 16, 1, 16), {"packed_inputs": True}),
        (schema(MAX_PROOF_VALUES, 1), {"packed_inputs": True, "digits_per_word": 31}),
        (schema(1, 1), {"packed_inputs": True, "batch_size": MAX_BATCH + 1}),
        (schema(MAX_PROOF_WORDS // 32, 1), {"packed_inputs": True, "batch_size": 32}),
        # The last word of a row is a whole one, however few values it has.
        (schema(65, 65), {"packed_inputs": True, "batch_size": 128, "digits_per_word": 2}),
    ],
)
def test_larger_proofs_are_refused(row: IoSchema, facts: dict[str, int]) -> None:
    with pytest.raises(InputError) as caught:
        row.check_row(**facts)  # type: ignore[arg-type]
    assert caught.value.code == "row-too-large"
