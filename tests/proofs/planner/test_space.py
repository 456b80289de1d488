from __future__ import annotations

from gateless_proofs.planner.space import SCALES, Pair, ScaleSpace
from hypothesis import given
from hypothesis import strategies as st


def space(**changes: object) -> ScaleSpace:
    options = {"natural": None, "large": False, "wordable": False, "layers": 3.0} | changes
    return ScaleSpace(**options)  # type: ignore[arg-type]


@given(st.integers(2, 13), st.integers(2, 13), st.booleans(), st.booleans())
def test_pairs_are_accurate_and_the_smallest_integers_come_first(
    least_input: int, least_param: int, wordable: bool, large: bool
) -> None:
    asked: list[Pair] = []

    def accurate(pair: Pair) -> bool:
        asked.append(pair)
        return pair[0] >= least_input and pair[1] >= least_param

    searched = space(wordable=wordable, large=large)
    found = list(searched.accurate_pairs(accurate))
    assert found
    assert all(i >= least_input and p >= least_param for i, p in found)
    assert len(set(found)) == len(found)
    assert (max(least_input, least_param),) * 2 in found
    if wordable:
        assert all(i >= p for i, p in found)
    if not large and least_input >= least_param:
        # the corner of the accurate pairs is found where it lies near the diagonal
        assert found[0] == (least_input, least_param) or least_input > 10
    assert len(asked) <= 4 * len(SCALES)


def test_no_accurate_pair_ends_after_the_diagonal() -> None:
    asked: list[Pair] = []
    assert list(space().accurate_pairs(lambda pair: bool(asked.append(pair)))) == []
    assert asked == [(scale, scale) for scale in SCALES]


def test_whole_inputs_keep_their_scale() -> None:
    found = list(space(natural=0).accurate_pairs(lambda pair: pair[1] >= 6))
    assert found[0] == (0, 6)
