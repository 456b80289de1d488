from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np
import pytest
from gateless.core.errors import InputError
from gateless.core.packing import (
    FIELD_MODULUS,
    WIDTHS,
    IoSchema,
    TensorSpec,
    as_tensor,
    check_range,
    dequantise,
    felt_from_ezkl_hex,
    felt_to_ezkl_hex,
    from_felt,
    pack,
    quantise,
    round_half_away,
    to_felt,
    unpack,
)
from hypothesis import given
from hypothesis import strategies as st

widths = st.sampled_from(WIDTHS)
scales = st.integers(-20, 60)
dims = st.lists(st.integers(1, 4), min_size=0, max_size=3).map(lambda rest: (1, *rest))


@st.composite
def tensors(draw: st.DrawFn) -> tuple[list[list[int]], list[TensorSpec]]:
    specs = [
        TensorSpec(f"t{index}", draw(dims), draw(widths), draw(scales))
        for index in range(draw(st.integers(1, 4)))
    ]
    values = [
        draw(
            st.lists(
                st.one_of(
                    st.integers(spec.minimum, spec.maximum),
                    st.sampled_from([spec.minimum, spec.maximum, 0, -1]),
                ),
                min_size=spec.count,
                max_size=spec.count,
            )
        )
        for spec in specs
    ]
    return values, specs


def code_of(error: pytest.ExceptionInfo[InputError]) -> str:
    return error.value.code


@given(tensors())
def test_packing_round_trips(case: tuple[list[list[int]], list[TensorSpec]]) -> None:
    values, specs = case
    packed = pack(values, specs)
    assert len(packed) == sum(spec.packed_length for spec in specs)
    assert unpack(packed, specs) == values


@given(st.data(), widths)
def test_every_byte_string_of_the_right_length_is_a_packing(
    data: st.DataObject, width: int
) -> None:
    spec = TensorSpec("t", (1, 3), width, 0)
    raw = data.draw(st.binary(min_size=3 * width, max_size=3 * width))
    assert pack(unpack(raw, [spec]), [spec]) == raw


@given(tensors(), st.integers(-3, 3).filter(bool))
def test_other_lengths_are_refused(
    case: tuple[list[list[int]], list[TensorSpec]], change: int
) -> None:
    values, specs = case
    packed = pack(values, specs)
    wrong = packed + bytes(change) if change > 0 else packed[:change]
    with pytest.raises(InputError) as error:
        unpack(wrong, specs)
    assert code_of(error) == "wrong-length"


def test_packing_is_big_endian_twos_complement_in_schema_order() -> None:
    specs = [TensorSpec("a", (1, 2), 2, 0), TensorSpec("b", (1,), 4, 0)]
    assert pack([[-2, 258], [-1]], specs).hex() == "fffe0102ffffffff"
    assert pack([[32767, -32768]], specs[:1]) == struct.pack(">hh", 32767, -32768)


@given(widths, st.integers(0, 1 << 130))
def test_values_beyond_the_width_are_refused(width: int, beyond: int) -> None:
    spec = TensorSpec("t", (1,), width, 3)
    for value in (spec.maximum + 1 + beyond, spec.minimum - 1 - beyond):
        with pytest.raises(InputError) as error:
            pack([[value]], [spec])
        assert code_of(error) == "out-of-range"
        assert "values must lie between" in error.value.hint
        assert error.value.context == {"index": 0, "value": str(value)}
    check_range([spec.minimum, spec.maximum], spec)


def test_wrong_counts_are_refused() -> None:
    spec = TensorSpec("t", (1, 2), 1, 0)
    for values, code in (([[1, 2], [3]], "wrong-tensor-count"), ([[1]], "wrong-shape")):
        with pytest.raises(InputError) as error:
            pack(values, [spec])
        assert code_of(error) == code
    with pytest.raises(InputError):
        dequantise([1], spec)


@given(st.integers(-(FIELD_MODULUS // 2), FIELD_MODULUS // 2))
def test_felts_round_trip(value: int) -> None:
    felt = to_felt(value)
    assert 0 <= felt < FIELD_MODULUS
    assert from_felt(felt) == value
    assert (felt - value) % FIELD_MODULUS == 0
    assert felt_from_ezkl_hex(felt_to_ezkl_hex(felt)) == felt
    assert len(felt_to_ezkl_hex(felt)) == 64


def test_felts_at_the_edges() -> None:
    assert to_felt(-1) == FIELD_MODULUS - 1
    assert from_felt(FIELD_MODULUS // 2) == FIELD_MODULUS // 2
    assert from_felt(FIELD_MODULUS // 2 + 1) == -(FIELD_MODULUS // 2)
    # ezkl's own words for 64 and for -32
    assert felt_to_ezkl_hex(64) == "40" + "00" * 31
    assert (
        felt_to_ezkl_hex(to_felt(-32))
        == "e1ffffef93f5e1439170b97948e833285d588181b64550b829a031e1724e6430"
    )
    for value in (FIELD_MODULUS // 2 + 1, -FIELD_MODULUS):
        with pytest.raises(InputError) as error:
            to_felt(value)
        assert code_of(error) == "out-of-range"
    for felt in (FIELD_MODULUS, -1):
        with pytest.raises(InputError) as error:
            from_felt(felt)
        assert code_of(error) == "not-canonical"
    with pytest.raises(InputError) as error:
        felt_from_ezkl_hex(FIELD_MODULUS.to_bytes(32, "little").hex())
    assert code_of(error) == "not-canonical"


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite)
def test_rounding_is_exact_and_away_from_zero_on_halves(value: float) -> None:
    exact = Fraction(value)
    expected = math.floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    assert round_half_away(value) == expected


def test_rounding_of_known_halves() -> None:
    cases = {0.5: 1, -0.5: -1, 1.5: 2, 2.5: 3, -2.5: -3, 0.49999999999999994: 0, 2.0**53 + 1: 2**53}
    assert {value: round_half_away(value) for value in cases} == cases


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=3), st.integers(0, 16))
def test_quantising_errs_by_half_a_unit_at_most(values: list[float], scale: int) -> None:
    spec = TensorSpec("t", (1, 3), 4, scale)
    integers = quantise(values, spec)
    restored = dequantise(integers, spec)
    assert restored.shape == (1, 3)
    assert np.abs(restored.reshape(-1) - np.array(values)).max() <= 2.0 ** -(scale + 1)
    assert quantise(restored, spec) == integers


@given(st.integers(-(1 << 31), (1 << 31) - 1), st.integers(-20, 60))
def test_integers_survive_the_way_through_real_numbers(integer: int, scale: int) -> None:
    spec = TensorSpec("t", (1,), 4, scale)
    assert quantise(dequantise([integer], spec), spec) == [integer]


@pytest.mark.parametrize("value", [128 / 16, -128.51 / 16, 1e300])
def test_quantising_refuses_what_does_not_fit(value: float) -> None:
    with pytest.raises(InputError) as error:
        quantise([value], TensorSpec("t", (1,), 1, 4))
    assert code_of(error) == "out-of-range"


def test_tensors_are_taken_in_three_shapes() -> None:
    spec = TensorSpec("t", (1, 2, 2), 1, 0)
    expected = [[[1, 2], [3, 4]]]
    for values in ([1, 2, 3, 4], [[1, 2], [3, 4]], expected, np.array(expected, np.int8)):
        assert as_tensor(values, spec).tolist() == expected
    assert as_tensor([True, False, True, True], spec).tolist() == [[[1, 0], [1, 1]]]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([1, 2, 3], "wrong-shape"),
        ([[1, 2, 3, 4], [1, 2, 3, 4]], "wrong-shape"),
        ([[1, 2], [3]], "wrong-shape"),
        (1.0, "wrong-shape"),
        (["a", "b", "c", "d"], "wrong-dtype"),
        ([1j, 2, 3, 4], "wrong-dtype"),
        ([None, 1, 2, 3], "wrong-dtype"),
        ([1, 2, 3, math.nan], "not-finite"),
        ([1, 2, 3, math.inf], "not-finite"),
        ([1, 2, 3, -math.inf], "not-finite"),
    ],
)
def test_bad_tensors_are_refused(values: object, code: str) -> None:
    with pytest.raises(InputError) as error:
        as_tensor(values, TensorSpec("t", (1, 4), 2, 0))
    assert code_of(error) == code
    assert error.value.hint


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("t", (1,), 3, 0), "invalid-width"),
        (("t", (1,), 0, 0), "invalid-width"),
        (("t", (1,), 1, 128), "invalid-scale"),
        (("t", (1,), 1, -129), "invalid-scale"),
        (("t", (1, 0), 1, 0), "invalid-shape"),
    ],
)
def test_bad_specs_are_refused(arguments: tuple[str, tuple[int, ...], int, int], code: str) -> None:
    with pytest.raises(InputError) as error:
        TensorSpec(*arguments)
    assert code_of(error) == code


def test_schema_encoding_is_what_the_contract_reads() -> None:
    schema = IoSchema(
        (TensorSpec("x", (1, 8, 8), 2, 7), TensorSpec("z", (1, 70000), 16, -3)),
        (TensorSpec("y", (1, 10), 4, 14),),
    )
    assert schema.encode().hex() == "0201" + "020700000040" + "10fd00011170" + "040e0000000a"


@given(tensors())
def test_schema_encoding_has_six_bytes_per_tensor(
    case: tuple[list[list[int]], list[TensorSpec]],
) -> None:
    specs = tuple(case[1])
    encoded = IoSchema(specs, specs).encode()
    assert len(encoded) == 2 + 12 * len(specs)
    for index, spec in enumerate((*specs, *specs)):
        entry = struct.unpack_from(">BbI", encoded, 2 + 6 * index)
        assert entry == (spec.width, spec.scale_bits, spec.count)


def test_schema_needs_tensors_on_both_sides() -> None:
    spec = TensorSpec("t", (1,), 1, 0)
    for schema in (IoSchema((), (spec,)), IoSchema((spec,), ()), IoSchema((spec,) * 256, (spec,))):
        with pytest.raises(InputError) as error:
            schema.encode()
        assert code_of(error) == "invalid-schema"
