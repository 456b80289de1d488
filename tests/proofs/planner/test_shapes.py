from __future__ import annotations

from dataclasses import replace

import pytest
from gateless.core.manifest import Goal
from gateless_proofs.circuit import CircuitParameters
from gateless_proofs.planner.cost import Cost, predict
from gateless_proofs.planner.layout import Layout
from gateless_proofs.planner.shapes import Budget, Shape, best, shapes
from hypothesis import given
from hypothesis import strategies as st

START = CircuitParameters(
    input_scale=7, param_scale=7, multiplier=10, base=4, legs=2, logrows=20, inputs="public"
)
PLENTY = Budget(20, 1 << 40, None)


def laid_out(parameters: CircuitParameters) -> Layout:
    """200 activations that are decomposed, and 500 products."""
    return Layout(
        logrows=parameters.logrows,
        columns=parameters.columns,
        base=parameters.base,
        assignments=500 + 200 * (3 * parameters.legs + 11),
        constants=100,
        dynamic_cells=0,
        dynamic_inputs=0,
        dynamic_kinds=0,
        instances=20,
        committed=(),
        checks=((-1, 1), (0, parameters.base - 1)),
        lookups=0,
        lookup_range=(0, 0),
    )


def found(
    bits: int, budget: Budget = PLENTY, lookups: tuple[int, int] = (0, 0), **options: bool
) -> list[Shape]:
    return list(shapes(START, bits, lookups, budget, laid_out, **options))


@given(st.integers(2, 120), st.booleans())
def test_every_shape_covers_the_values(bits: int, power_of_two: bool) -> None:
    for shape in found(bits, power_of_two=power_of_two):
        parameters = shape.parameters
        assert parameters.base**parameters.legs >= 1 << bits
        # the table of digits has room beside the blinding rows
        assert parameters.base + 9 <= 1 << parameters.logrows
        assert parameters.base ** (parameters.legs - 1) < 1 << 126
        if power_of_two:
            assert parameters.base.bit_count() == 1


def test_budgets_are_kept() -> None:
    everything = found(40)
    assert {shape.parameters.columns for shape in everything} == {1, 2, 4}
    gas = sorted(shape.cost.gas for shape in everything)[len(everything) // 2]
    memory = sorted(shape.cost.memory_bytes for shape in everything)[len(everything) // 2]
    allowed = found(40, Budget(12, memory, gas))
    assert 0 < len(allowed) < len(everything)
    for shape in allowed:
        assert shape.parameters.logrows <= 12
        assert shape.cost.gas <= gas
        assert shape.cost.memory_bytes <= memory


def test_tables_and_public_values_set_the_least_size() -> None:
    layout = replace(laid_out(START), lookups=1)
    assert layout.moved(logrows=12, lookup_range=(-2000, 2000)).fits
    assert not layout.moved(logrows=12, lookup_range=(-2000, 2100)).fits
    assert replace(layout, instances=55).moved(logrows=6).fits
    assert not replace(layout, instances=56).moved(logrows=6).fits
    assert not laid_out(START).moved(base=56, logrows=6).fits


def test_goals_rank_differently() -> None:
    everything = found(60)
    winners = {goal: best(everything, goal, 1)[0] for goal in Goal}
    assert winners[Goal.GAS].cost.gas == min(shape.cost.gas for shape in everything)
    assert winners[Goal.MEMORY].cost.memory_bytes <= winners[Goal.GAS].cost.memory_bytes
    assert winners[Goal.PROVER].cost.seconds <= winners[Goal.GAS].cost.seconds
    assert winners[Goal.BALANCED].cost.gas <= winners[Goal.PROVER].cost.gas


def test_cost_grows_with_rows_and_columns() -> None:
    small, large = (predict(laid_out(START).moved(logrows=k)) for k in (13, 14))
    assert 1.8 < (large.seconds - 0.02) / (small.seconds - 0.02) < 2.2
    assert large.gas == small.gas
    narrow = predict(replace(laid_out(START), columns=1, logrows=14))
    wide = predict(replace(laid_out(START), columns=4, logrows=14))
    assert wide.gas > narrow.gas
    assert wide.seconds > narrow.seconds


@pytest.mark.parametrize("goal", list(Goal))
def test_scores_prefer_less_of_everything(goal: Goal) -> None:
    base = Cost(1.0, 1 << 28, 500_000)
    assert base.score(goal) < Cost(2.0, 1 << 29, 600_000).score(goal)
