"""What is promised can be kept: for one prover that works by earliest deadline first."""

from __future__ import annotations

import math

from gateless.executor.admission import Debt, Forecast, Promise, forecast
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_000.0


def each(seconds: float) -> dict[int, float]:
    """Seconds of a proof by version; requests of version 1 take that each."""
    return {1: seconds}


def look(
    new: Promise,
    promised: list[Promise],
    debts: list[Debt] | None = None,
    *,
    seconds: dict[int, float] | None = None,
    margin: float = 0.0,
) -> Forecast:
    times = seconds or each(10.0)
    return forecast(
        new,
        promised,
        debts or [],
        now=NOW,
        seconds_of=lambda version, ids: times[version] * len(ids),
        needs=lambda taken: taken + margin,
    )


def promise(number: int, due: float, version: int = 1) -> Promise:
    return Promise(number, version, NOW + due)


def test_what_is_due_before_comes_before() -> None:
    assert look(promise(1, 60), []) == Forecast(0.0, 10.0, 0.0)
    earlier, later = promise(2, 50), promise(3, 100)
    found = look(promise(1, 60), [earlier, later])
    assert found == Forecast(10.0, 10.0, 0.0)
    assert found.seconds == 20.0
    assert look(promise(1, 60), [earlier], [Debt(7.0, NOW + 30), Debt(9.0, NOW + 90)]) == Forecast(
        17.0, 10.0, 0.0
    )


def test_one_that_comes_before_others_may_not_make_them_late() -> None:
    tight = promise(2, 25)
    assert look(promise(1, 15), [tight]).endangered == 0.0
    assert look(promise(1, 15), [tight, promise(3, 25)]).endangered == 5.0
    assert look(promise(1, 15), [tight], margin=6.0).endangered == 1.0
    assert look(promise(1, 15), [], [Debt(20.0, NOW + 25)]).endangered == 5.0


def test_what_is_late_anyway_holds_nothing_up() -> None:
    hopeless = promise(2, 5)
    assert look(promise(1, 4), [hopeless]).endangered == 0.0


def test_those_that_share_a_proof_add_what_they_add() -> None:
    shared = forecast(
        promise(1, 60),
        [promise(2, 60)],
        [],
        now=NOW,
        seconds_of=lambda version, ids: 10.0 + len(ids),
        needs=lambda seconds: seconds,
    )
    assert shared == Forecast(11.0, 1.0, 0.0)


def test_it_is_not_counted_twice() -> None:
    new = promise(1, 60)
    assert look(new, [new]) == Forecast(0.0, 10.0, 0.0)


@given(
    work=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 60), st.integers(0, 9)), max_size=15)
)
def test_what_was_admitted_is_kept(work: list[tuple[int, int, int]]) -> None:
    """Promises come while one machine makes the most urgent proof, and none is interrupted."""
    seconds = {1: 2.0, 2: 5.0, 3: 9.0}
    waiting: list[Promise] = []
    clock, free_at = NOW, NOW

    def prove_until(time: float) -> None:
        nonlocal free_at
        while waiting and free_at <= time:
            first = min(waiting, key=lambda entry: entry.due)
            waiting.remove(first)
            free_at += seconds[first.version_id]
            assert free_at <= first.due

    for number, (version, time, pause) in enumerate(work):
        free_at = max(free_at, clock)
        new = Promise(number, version, clock + time)
        # What runs comes first, whatever its deadline; here with what is left of it.
        debts = [Debt(free_at - clock, -math.inf)]
        found = forecast(
            new,
            waiting,
            debts,
            now=clock,
            seconds_of=lambda v, ids: seconds[v] * len(ids),
            needs=lambda demand: demand,
        )
        if found.seconds <= time and found.endangered == 0.0:
            waiting.append(new)
            prove_until(clock)
        clock += pause
        prove_until(clock)
    prove_until(math.inf)
    assert not waiting
