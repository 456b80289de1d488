"""What is promised can be kept: for one prover that works by earliest deadline first."""

from __future__ import annotations

import math

from gateless.executor.admission import Debt, Forecast, Promise, forecast, presses
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


def pressing(promised: list[Promise], debts: list[Debt] | None = None) -> bool:
    return presses(
        promised,
        debts or [],
        now=NOW,
        seconds_of=lambda _, ids: 10.0 * len(ids),
        needs=lambda taken: taken + 5.0,
    )


def test_what_is_owed_presses_while_there_is_time_for_it_twice_over() -> None:
    assert not pressing([])
    assert not pressing([promise(1, 31)])
    assert pressing([promise(1, 30)])
    assert pressing([promise(1, 31), promise(2, 50)]), "together they take longer"
    assert not pressing([promise(1, 31), promise(2, 51)])
    assert pressing([], [Debt(10.0, NOW + 30)])
    assert pressing([promise(1, 500)], [Debt(math.inf, NOW + 400)]), "nobody knows how long"


def test_what_is_late_presses_no_more() -> None:
    assert not pressing([promise(1, -1)])
    assert not pressing([], [Debt(10.0, NOW - 1)])
    assert not pressing([Promise(1, 1, -math.inf)]), "a lock under way has no deadline yet"


@given(
    work=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 90), st.integers(0, 9)), max_size=12),
    trials=st.lists(st.integers(1, 60), max_size=5),
)
def test_trials_cost_no_promise_its_time(
    work: list[tuple[int, int, int]], trials: list[int]
) -> None:
    """One machine, second by second: what nobody was promised runs where it finds it idle, however
    long it takes, and is put off, to be begun again, as soon as what is owed presses.
    """
    seconds = {1: 2.0, 2: 5.0, 3: 9.0}
    arrivals: dict[int, list[tuple[int, int]]] = {}
    second = 0
    for version, time, pause in work:
        second += pause
        arrivals.setdefault(second, []).append((version, time))
    waiting: list[Promise] = []
    left, trial_left = 0.0, 0
    queue = list(trials)
    number = 0
    for moment in range(second + 400):
        clock = NOW + moment

        def of(version: int, ids: frozenset[int]) -> float:
            return seconds[version] * len(ids)

        for version, time in arrivals.get(moment, []):
            number += 1
            new = Promise(number, version, clock + time)
            found = forecast(
                new,
                waiting,
                [Debt(left, -math.inf)],
                now=clock,
                seconds_of=of,
                needs=lambda demand: demand,
            )
            if found.seconds <= time and found.endangered == 0.0:
                waiting.append(new)
        running = [Debt(left, clock + left)] if left else []
        owed = presses(waiting, running, now=clock, seconds_of=of, needs=lambda demand: demand)
        if trial_left and owed:
            queue.append(trial_left)  # from the start, when there is time again
            trial_left = 0
        if not left and not trial_left and waiting:
            first = min(waiting, key=lambda entry: entry.due)
            waiting.remove(first)
            left = seconds[first.version_id]
            assert clock + left <= first.due
        if not left and not trial_left and queue and not owed:
            trial_left = queue.pop(0)
        left, trial_left = max(0.0, left - 1), max(0, trial_left - 1)
    assert not waiting
