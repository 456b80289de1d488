"""Public words of a circuit: what it makes public of packed values, as field elements.

Circuits make values public as field elements: one per value (plain), or several in one word
(dense). A dense word is ``sum((x_i + offset) << (digit_bits * i))`` with the tensor's offset
``2**(8*width - 1)``, so that each digit is a non-negative number below ``2**digit_bits``.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateless.core.errors import InputError
from gateless.core.packing import TensorSpec, check_range, to_felt

#: Bits of a dense word: fewer than the field has, so that no sum of digits wraps around.
DENSE_WORD_BITS = 253
#: Values of several rows: ``rows[tensor][row]`` is one row of one tensor, flat.
TensorRows = Sequence[Sequence[Sequence[int]]]


def check_dense(specs: Sequence[TensorSpec], digit_bits: int, digits_per_word: int) -> None:
    """Refuses a dense encoding that the contracts refuse.

    Raises:
        InputError: ``invalid-dense-encoding``.
    """
    if digits_per_word < 1 or not 0 < digit_bits * digits_per_word <= DENSE_WORD_BITS:
        raise InputError(
            "invalid-dense-encoding",
            f"{digits_per_word} digits of {digit_bits} bits do not fit a word of"
            f" {DENSE_WORD_BITS} bits",
        )
    for spec in specs:
        if digit_bits < 8 * spec.width:
            raise InputError(
                "invalid-dense-encoding",
                f"digits of {digit_bits} bits are too narrow for {spec.name!r} of"
                f" {8 * spec.width} bits",
            )


def dense_words(
    rows: TensorRows, specs: Sequence[TensorSpec], digit_bits: int, digits_per_word: int
) -> list[int]:
    """Public words of a dense circuit: tensor after tensor, in each the words of row after row.

    A row of ``n`` values takes ``ceil(n / digits_per_word)`` words; digits that the last one has
    too many are 0.

    Raises:
        InputError: ``out-of-range``, ``wrong-shape``, ``invalid-dense-encoding``.
    """
    check_dense(specs, digit_bits, digits_per_word)
    words: list[int] = []
    for tensor, spec in zip(rows, specs, strict=True):
        for row in tensor:
            _check_row(row, spec)
            for start in range(0, spec.count, digits_per_word):
                digits = row[start : start + digits_per_word]
                words.append(
                    sum((value + spec.offset) << (digit_bits * i) for i, value in enumerate(digits))
                )
    return words


def from_dense_words(
    words: Sequence[int],
    specs: Sequence[TensorSpec],
    row_count: int,
    digit_bits: int,
    digits_per_word: int,
) -> list[list[list[int]]]:
    """Reads the words of :func:`dense_words` back.

    The lowest digit is refused as the digits above the width are: circuits make a digit by
    ``relu(x + offset)``, so 0 stands for everything that is too small as well.

    Args:
        words: public words, tensor-major.
        specs: the tensors that they carry.
        row_count: rows of each tensor.
        digit_bits: bits of a digit.
        digits_per_word: digits of a full word.

    Raises:
        InputError: ``saturated``: a value does not fit its width, or cannot be told from one that
            does not; ``wrong-length``, ``invalid-dense-encoding``.
    """
    check_dense(specs, digit_bits, digits_per_word)
    per_row = [-(-spec.count // digits_per_word) for spec in specs]
    if len(words) != row_count * sum(per_row):
        raise InputError(
            "wrong-length", f"{len(words)} words for {row_count} rows of {sum(per_row)} words"
        )
    tensors: list[list[list[int]]] = []
    taken = iter(words)
    for spec, count in zip(specs, per_row, strict=True):
        tensor = []
        for _ in range(row_count):
            row: list[int] = []
            for _ in range(count):
                digits = min(digits_per_word, spec.count - len(row))
                row += _digits(next(taken), spec, digits, digit_bits)
            tensor.append(row)
        tensors.append(tensor)
    return tensors


def plain_words(rows: TensorRows, specs: Sequence[TensorSpec]) -> list[int]:
    """Public words of a circuit that is not dense: one field element per value, tensor-major.

    Raises:
        InputError: ``out-of-range``, ``wrong-shape``.
    """
    words: list[int] = []
    for tensor, spec in zip(rows, specs, strict=True):
        for row in tensor:
            _check_row(row, spec)
            words += map(to_felt, row)
    return words


def _check_row(row: Sequence[int], spec: TensorSpec) -> None:
    if len(row) != spec.count:
        raise InputError(
            "wrong-shape", f"{spec.name!r} takes {spec.count} elements, {len(row)} given"
        )
    check_range(row, spec)


def _digits(word: int, spec: TensorSpec, count: int, digit_bits: int) -> list[int]:
    if not 0 <= word < 1 << (digit_bits * count):
        raise InputError("saturated", f"a word of {spec.name!r} has more than {count} digits")
    mask = (1 << digit_bits) - 1
    values = [((word >> (digit_bits * i)) & mask) - spec.offset for i in range(count)]
    for value in values:
        if not spec.minimum < value <= spec.maximum:
            raise InputError(
                "saturated", f"a value of {spec.name!r} leaves its {8 * spec.width} bits"
            )
    return values
