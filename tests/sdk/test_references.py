"""References to versions: every spelling, and what is none."""

from __future__ import annotations

import pytest
from gateless.core.errors import InputError
from gateless.sdk.references import Reference, check_model_name, parse_reference
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("digits", Reference(name="digits", alias="latest")),
        ("digits@stable", Reference(name="digits", alias="stable")),
        ("digits@0", Reference(name="digits", index=0)),
        ("digits@3", Reference(name="digits", index=3)),
        (" digits ", Reference(name="digits", alias="latest")),
        ("4294967299", Reference(version_id=4294967299)),
        (4294967299, Reference(version_id=4294967299)),
        # Below the first version id, digits are a name; above it the alias tells them apart.
        ("2048", Reference(name="2048", alias="latest")),
        ("99999999999@latest", Reference(name="99999999999", alias="latest")),
    ],
)
def test_spellings(text: str | int, expected: Reference) -> None:
    assert parse_reference(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "digits@",
        "@stable",
        "Digits",
        "a b",
        "-x",
        "a@-x",
        "a@b@c",
        "a" * 65,
        "x@4294967296",
    ],
)
def test_what_names_no_version(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_reference(text)
    assert caught.value.code == "invalid-reference"
    assert "name@alias" in caught.value.hint


@pytest.mark.parametrize("value", [0, -1, 7, (1 << 32) - 1, 1 << 64])
def test_numbers_that_are_no_version_ids(value: int) -> None:
    with pytest.raises(InputError) as caught:
        parse_reference(value)
    assert caught.value.code == "invalid-reference"


@given(
    st.from_regex(r"[a-z][a-z0-9._-]{0,20}", fullmatch=True),
    st.one_of(st.none(), st.integers(0, (1 << 32) - 1).map(str), st.just("stable")),
)
def test_written_form_means_the_same(name: str, pointer: str | None) -> None:
    reference = parse_reference(name if pointer is None else f"{name}@{pointer}")
    assert parse_reference(str(reference)) == reference


def test_model_names() -> None:
    assert check_model_name("mlp-2.1_b") == "mlp-2.1_b"
    for wrong in ("", "A", "ä", ".x", "x" * 65, "a/b"):
        with pytest.raises(InputError) as caught:
            check_model_name(wrong)
        assert caught.value.code == "invalid-name"
