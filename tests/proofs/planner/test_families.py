"""Which families are worth a look, and what is said of a model that is too large."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gateless.core.errors import ProofError
from gateless_proofs.circuit import CircuitParameters
from gateless_proofs.planner.cost import predict
from gateless_proofs.planner.families import Family, affordable
from gateless_proofs.planner.layout import Layout
from gateless_proofs.planner.shapes import Budget, Shape
from gateless_proofs.planner.space import LARGE_CELLS

LAYOUT = Layout(
    logrows=20,
    columns=1,
    base=1024,
    assignments=1_000_000,
    constants=100,
    dynamic_cells=0,
    dynamic_inputs=0,
    dynamic_kinds=0,
    instances=20,
    committed=(),
    checks=((-1, 1), (0, 1023)),
    lookups=0,
    lookup_range=(0, 0),
)
PARAMETERS = CircuitParameters(
    input_scale=7, param_scale=7, multiplier=1, base=1024, legs=1, logrows=20, inputs="public"
)


def family(cells: int) -> Family:
    return Family((), 1, False, cells, iter(()))


def shape(logrows: int = 20, columns: int = 1) -> Shape:
    layout = replace(LAYOUT, logrows=logrows, columns=columns)
    parameters = replace(PARAMETERS, logrows=logrows, columns=columns)
    return Shape(parameters, layout, predict(layout))


def test_small_families_are_asked_about_gas_only() -> None:
    def never(_: Family) -> list[Shape]:
        raise AssertionError("its shapes were asked for")

    found = [family(10), family(LARGE_CELLS)]
    assert affordable(found, Budget(4, 1, None), never) == found
    enough = shape().cost.gas
    assert affordable(found, Budget(20, 1 << 40, enough), lambda _: [shape()]) == found
    with pytest.raises(ProofError, match="no-circuit-found"):
        affordable(found, Budget(20, 1 << 40, enough - 1), lambda _: [shape()])


def test_large_families_stay_where_one_of_their_shapes_fits() -> None:
    cost = shape().cost
    small, large, larger = family(10), family(LARGE_CELLS + 1), family(LARGE_CELLS + 2)
    shapes = {id(large): [shape(columns=4), shape()], id(larger): [shape(columns=4)]}
    budget = Budget(20, cost.memory_bytes, None)
    kept = affordable([small, large, larger], budget, lambda asked: shapes[id(asked)])
    assert kept == [small, large]


@pytest.mark.parametrize(("gas", "limits"), [(None, ""), (300_000, " and 300,000 gas")])
def test_a_model_too_large_is_refused_with_what_it_takes(gas: int | None, limits: str) -> None:
    least = shape()
    budget = Budget(20, 3 << 29, gas)
    assert not budget.allows(least.layout, least.cost)
    with pytest.raises(ProofError) as caught:
        affordable(
            [family(LARGE_CELLS + 1), family(10**7)],
            budget,
            lambda _: [shape(columns=4), least],
        )
    assert caught.value.code == "no-circuit-found"
    gigabytes = least.cost.memory_bytes / 2**30
    assert gigabytes > 1.5
    assert caught.value.message == (
        "no circuit of the model is within the limits: the smallest takes 1,000,000 cells, and to"
        f" prove it some {gigabytes:.1f} GiB of memory and {least.cost.gas:,} gas;"
        f" the limits are 1.5 GiB{limits}"
    )
    assert "split the model" in caught.value.hint


def test_a_model_that_no_size_holds_is_refused_with_its_cells() -> None:
    with pytest.raises(ProofError) as caught:
        affordable([family(40_000_000)], Budget(20, 8 << 30, None), lambda _: [])
    assert caught.value.message == (
        "no circuit of the model is within the limits: the smallest takes 40,000,000 cells,"
        " more than 2^20 rows can hold"
    )


def test_what_little_memory_is_missing_is_stated_in_mebibytes() -> None:
    least = shape()
    with pytest.raises(ProofError) as caught:
        affordable([family(400)], Budget(20, 10 << 20, 100), lambda _: [with_memory(least)])
    assert "some 12 MiB of memory" in caught.value.message
    assert "the limits are 10 MiB and 100 gas" in caught.value.message


def with_memory(least: Shape) -> Shape:
    return replace(least, cost=replace(least.cost, memory_bytes=12 << 20))
