"""A defence is tried again ever later, and never not at all."""

from __future__ import annotations

from gateless.executor.claimed_proofs import Retries
from manual_clock import ManualClock


def pause_of(retries: Retries, clock: ManualClock, *, spent: float = 0.0) -> float:
    retries.failed("claim", spent)
    started = clock.monotonic()
    while not retries.is_due("claim"):
        clock.time += 1.0
    return clock.monotonic() - started


def test_pauses_grow_to_an_end() -> None:
    clock = ManualClock()
    retries = Retries(clock)
    assert retries.is_due("claim")
    assert [pause_of(retries, clock) for _ in range(6)] == [2, 4, 8, 16, 20, 20]
    assert retries.is_due("another")


def test_what_takes_long_leaves_the_machine_to_others() -> None:
    clock = ManualClock()
    retries = Retries(clock)
    assert pause_of(retries, clock, spent=30.0) == 30
    assert pause_of(retries, clock, spent=3600.0) == 60


def test_what_is_over_starts_anew() -> None:
    clock = ManualClock()
    retries = Retries(clock)
    for _ in range(4):
        pause_of(retries, clock)
    retries.forget("claim")
    assert pause_of(retries, clock) == 2


def test_what_is_no_failure_is_tried_in_a_moment() -> None:
    clock = ManualClock()
    retries = Retries(clock)
    for _ in range(9):
        retries.later("claim")
        clock.time += 2.0
        assert retries.is_due("claim")
