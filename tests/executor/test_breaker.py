"""What fails again and again is left alone for a while."""

from __future__ import annotations

from gateless.core.errors import ContractError, ProofError
from gateless.executor.breaker import Breaker
from gateless.executor.faults import is_breaking, is_hopeless

VERSION, OTHER = 1 << 32, 2 << 32


class Hands:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def make(failures: int = 3) -> tuple[Breaker, Hands]:
    hands = Hands()
    return Breaker(hands, failures=failures, pause_seconds=60, longest_seconds=200), hands


def test_failures_in_a_row_open_it_and_a_success_forgets_them() -> None:
    breaker, _ = make()
    assert not breaker.failed(VERSION)
    assert not breaker.failed(VERSION)
    breaker.succeeded(VERSION)
    assert not breaker.failed(VERSION)
    assert not breaker.failed(VERSION)
    assert breaker.admits(VERSION)
    assert breaker.failed(VERSION)
    assert not breaker.admits(VERSION)
    assert breaker.resting == {VERSION: 60}
    assert breaker.admits(OTHER)


def test_after_the_pause_one_attempt_decides() -> None:
    breaker, hands = make(failures=1)
    breaker.failed(VERSION)
    hands.seconds += 59.9
    assert not breaker.admits(VERSION)
    hands.seconds += 0.1
    assert breaker.admits(VERSION)
    breaker.begun(VERSION)
    assert not breaker.admits(VERSION), "one attempt at a time"
    breaker.ended(VERSION)  # it was not wanted any more: nothing is known
    assert breaker.admits(VERSION)
    breaker.begun(VERSION)
    breaker.succeeded(VERSION)
    assert breaker.admits(VERSION)
    assert breaker.resting == {}


def test_the_pause_doubles_up_to_a_limit() -> None:
    breaker, hands = make(failures=2)
    breaker.failed(VERSION)
    pauses = []
    for _ in range(4):
        assert breaker.failed(VERSION), "half open, one failure is enough"
        pauses.append(breaker.resting[VERSION])
        hands.seconds += pauses[-1]
        assert breaker.resting == {}
    assert pauses == [60, 120, 200, 200]


def test_no_limit_never_opens_it() -> None:
    breaker, _ = make(failures=0)
    assert not any(breaker.failed(VERSION) for _ in range(100))
    assert breaker.admits(VERSION)


def test_locks_that_a_rival_wins_rest_no_version() -> None:
    late = ContractError("transaction-reverted", "the lock was mined and reverted")
    assert not is_breaking(late, locking=True)
    assert is_breaking(late)
    broken = ContractError("proving-failed", "there is no proof")
    assert is_breaking(broken, locking=True)


def test_an_open_request_without_a_proof_is_decided_and_counts_against_its_version() -> None:
    """It may be the input, the version or this machine: only several of them tell."""
    failed = ProofError("proving-failed", "there is a witness, but no proof")
    assert is_hopeless(failed) and is_breaking(failed)
    breaker, _ = make(failures=3)
    assert not breaker.failed(VERSION), "one request does not have a version left alone"
