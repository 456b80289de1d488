"""Public words, dense and plain, against their definition."""

from __future__ import annotations

import pytest
from gateless.core.errors import InputError
from gateless.core.packing import FIELD_MODULUS, TensorSpec
from gateless.core.public_words import DENSE_WORD_BITS, dense_words, from_dense_words, plain_words
from hypothesis import given
from hypothesis import strategies as st

Case = tuple[list[list[list[int]]], list[TensorSpec], int, int]


@st.composite
def cases(draw: st.DrawFn, *, lowest: int = 0) -> Case:
    """Rows of several tensors and an encoding; values start ``lowest`` above the minimum."""
    specs = [
        TensorSpec(f"t{index}", (1, draw(st.integers(1, 7))), draw(st.sampled_from([1, 2, 4])), 0)
        for index in range(draw(st.integers(1, 3)))
    ]
    bits = draw(st.integers(8 * max(spec.width for spec in specs), 60))
    per_word = draw(st.integers(1, DENSE_WORD_BITS // bits))
    row_count = draw(st.integers(1, 3))

    def row(spec: TensorSpec) -> list[int]:
        low = spec.minimum + lowest
        value = st.one_of(st.integers(low, spec.maximum), st.sampled_from([low, spec.maximum]))
        return draw(st.lists(value, min_size=spec.count, max_size=spec.count))

    return [[row(spec) for _ in range(row_count)] for spec in specs], specs, bits, per_word


@given(cases())
def test_words_are_sums_of_shifted_digits_tensor_by_tensor_and_row_by_row(case: Case) -> None:
    rows, specs, bits, per_word = case
    expected = []
    for tensor, spec in zip(rows, specs, strict=True):
        for row in tensor:
            count = -(-len(row) // per_word)
            words = [0] * count
            for index, value in enumerate(row):
                digit = value + 2 ** (8 * spec.width - 1)
                words[index // per_word] += digit * 2 ** (bits * (index % per_word))
            expected += words
    found = dense_words(rows, specs, bits, per_word)
    assert found == expected
    assert all(0 <= word < FIELD_MODULUS for word in found)


@given(cases(lowest=1))
def test_words_can_be_read_back(case: Case) -> None:
    rows, specs, bits, per_word = case
    words = dense_words(rows, specs, bits, per_word)
    assert from_dense_words(words, specs, len(rows[0]), bits, per_word) == rows


@given(cases(lowest=1), st.data())
def test_every_word_says_something_else(case: Case, data: st.DataObject) -> None:
    """No two inputs share their words: a row cannot be swapped or changed unseen."""
    rows, specs, bits, per_word = case
    tensor = data.draw(st.integers(0, len(rows) - 1))
    row = data.draw(st.integers(0, len(rows[0]) - 1))
    place = data.draw(st.integers(0, specs[tensor].count - 1))
    other = data.draw(
        st.integers(specs[tensor].minimum, specs[tensor].maximum).filter(
            lambda value: value != rows[tensor][row][place]
        )
    )
    before = dense_words(rows, specs, bits, per_word)
    rows[tensor][row][place] = other
    assert dense_words(rows, specs, bits, per_word) != before


def test_the_example_of_the_contracts() -> None:
    spec = TensorSpec("x", (1, 3), 1, 0)
    words = dense_words([[[-128, 0, 127], [1, 2, 3]]], [spec], 8, 2)
    assert words == [128 << 8, 255, 129 | 130 << 8, 131]


@pytest.mark.parametrize(
    "word",
    [
        0x80_00,  # the lowest digit: the value was -128, or anything below
        1 << 16,  # a digit too many
        -1,
    ],
)
def test_saturated_values_are_refused(word: int) -> None:
    spec = TensorSpec("y", (1, 2), 1, 0)
    with pytest.raises(InputError) as caught:
        from_dense_words([word], [spec], 1, 8, 2)
    assert caught.value.code == "saturated"


def test_digits_wider_than_the_tensor_are_checked_against_its_width() -> None:
    spec = TensorSpec("y", (1, 2), 1, 0)
    assert from_dense_words([255 | 1 << 10], [spec], 1, 10, 2) == [[[127, -127]]]
    with pytest.raises(InputError) as caught:
        from_dense_words([256 | 1 << 10], [spec], 1, 10, 2)
    assert caught.value.code == "saturated"


@pytest.mark.parametrize(
    ("bits", "per_word"), [(8, 0), (8, 32), (254, 1), (0, 1), (-8, -1), (7, 2)]
)
def test_encodings_that_the_contracts_refuse_are_refused(bits: int, per_word: int) -> None:
    spec = TensorSpec("x", (1, 2), 1, 0)
    with pytest.raises(InputError) as caught:
        dense_words([[[1, 2]]], [spec], bits, per_word)
    assert caught.value.code == "invalid-dense-encoding"


def test_wrong_counts_are_refused() -> None:
    spec = TensorSpec("x", (1, 2), 1, 0)
    for rows, code in (([[[1]]], "wrong-shape"), ([[[1, 128]]], "out-of-range")):
        with pytest.raises(InputError) as caught:
            dense_words(rows, [spec], 8, 2)
        assert caught.value.code == code
        with pytest.raises(InputError) as caught:
            plain_words(rows, [spec])
        assert caught.value.code == code
    with pytest.raises(InputError) as caught:
        from_dense_words([1, 2], [spec], 1, 8, 2)
    assert caught.value.code == "wrong-length"


def test_plain_words_are_field_elements_tensor_by_tensor() -> None:
    specs = [TensorSpec("a", (1, 2), 1, 0), TensorSpec("b", (1,), 1, 0)]
    rows = [[[1, -1], [2, -2]], [[3], [-3]]]
    r = FIELD_MODULUS
    assert plain_words(rows, specs) == [1, r - 1, 2, r - 2, 3, r - 3]
