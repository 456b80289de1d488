"""When a trial overrules the prediction."""

from __future__ import annotations

import pytest
from gateless.core.manifest import Goal
from gateless_proofs.keys import CircuitKeys
from gateless_proofs.planner.trials import Trial, choose

SCORES = [1.0, 1.1]


def trials(*measured: tuple[float, int], keys: CircuitKeys | None = None) -> list[Trial]:
    return [Trial(keys, seconds, memory, 1952) for seconds, memory in measured]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        (4.0, 1.9, 1),
        (4.0, 2.1, 0),  # not half
        (0.78, 0.28, 0),  # not a second: noise
        (1.9, 0.8, 1),
    ],
)
def test_seconds_contradict_by_a_factor_and_by_more_than_noise(
    first: float, second: float, winner: int
) -> None:
    place, why = choose(SCORES, trials((first, 1), (second, 1)), Goal.PROVER)
    assert place == winner
    assert ("contradicted the predicted order" in why) == (winner == 1)


def test_memory_is_measured_without_noise() -> None:
    measured = trials((1.0, 100 << 20), (1.0, 40 << 20))
    assert choose(SCORES, measured, Goal.MEMORY)[0] == 1


def test_gas_needs_no_trial() -> None:
    assert choose(SCORES, trials((9.0, 1), (1.0, 1)), Goal.GAS)[0] == 0
