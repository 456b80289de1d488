"""Rows that no transaction could verify are refused before anything is paid for them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gateless.core.errors import InputError
from gateless.core.packing import MAX_ROW_BYTES, MAX_ROW_VALUES, IoSchema, TensorSpec

RULES = Path(__file__).parents[2] / "contracts" / "src" / "libraries" / "RegistryRules.sol"


def schema(inputs: int, outputs: int, width: int = 1) -> IoSchema:
    return IoSchema(
        (TensorSpec("x", (1, inputs), width, 0),), (TensorSpec("y", (1, outputs), width, 0),)
    )


def test_bounds_are_the_registry_s() -> None:
    source = RULES.read_text()
    stated = {
        name: int(value.replace("_", ""))
        for name, value in re.findall(r"(MAX_ROW_\w+) = ([0-9_]+);", source)
    }
    assert stated == {"MAX_ROW_VALUES": MAX_ROW_VALUES, "MAX_ROW_LENGTH": MAX_ROW_BYTES}


def test_rows_at_the_bound_pass() -> None:
    schema(MAX_ROW_VALUES - 1, 1).check_row(packed_inputs=True)
    schema(10 * MAX_ROW_VALUES, MAX_ROW_VALUES).check_row(packed_inputs=False)
    schema(MAX_ROW_BYTES // 16 - 1, 1, 16).check_row(packed_inputs=True)


@pytest.mark.parametrize(
    ("row", "packed"),
    [
        (schema(MAX_ROW_VALUES, 1), True),
        (schema(1, MAX_ROW_VALUES + 1), False),
        (schema(MAX_ROW_BYTES // 16, 1, 16), True),
    ],
)
def test_larger_rows_are_refused(row: IoSchema, packed: bool) -> None:
    with pytest.raises(InputError) as caught:
        row.check_row(packed_inputs=packed)
    assert caught.value.code == "row-too-large"
