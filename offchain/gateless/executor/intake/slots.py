"""Who may wait here, when more would than may: a share for each, and what can be done goes first.

A signed request costs nothing until it is locked, so one account could fill every place with
requests that nobody can lock yet. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from gateless.core.errors import StorageError

#: One requester has at most one of so many places.
_SHARES = 4


class Waiting(Protocol):
    """A signed request that waits, of either market."""

    @property
    def reason(self) -> str:
        """Why it cannot be locked now; empty where nothing is known to keep it."""
        ...


class Terms(Protocol):
    """What a request is paid when."""

    @property
    def ramp_start(self) -> int:
        """The second from which on its price rises."""
        ...

    @property
    def ramp_length(self) -> int:
        """For how many seconds it does."""
        ...

    def price_at(self, time: int) -> int:
        """What a lock at this second is paid."""
        ...


_Waiting = TypeVar("_Waiting", bound=Waiting)


class Slots(Generic[_Waiting]):
    """The places for signed requests of one market that wait.

    Args:
        most: how many there are.
        terms: of one that waits.
    """

    def __init__(self, most: int, terms: Callable[[_Waiting], Terms]) -> None:
        self._most = most
        self._terms = terms

    def require_share(self, own: int) -> None:
        """Refuses a requester who has his share of the places.

        Args:
            own: how many of his requests wait.

        Raises:
            StorageError: ``intake-full``.
        """
        share = max(1, self._most // _SHARES)
        if own >= min(share, self._most):
            raise _full(f"{own} requests of this requester wait here already")

    def place(self, waiting: Sequence[_Waiting], *, now: int, at_once: bool) -> _Waiting | None:
        """What gives way to a request; None where there is room.

        Only what cannot be done now gives way, and only to what can: first what pays least now, of
        that what takes longest to pay more.

        Args:
            waiting: what waits.
            now: the chain's time.
            at_once: whether the new one can be done now.

        Raises:
            StorageError: ``intake-full``.
        """
        if len(waiting) < self._most:
            return None
        idle = [work for work in waiting if work.reason]
        if not (at_once and idle):
            raise _full(f"{self._most} signed requests wait here already")

        def worth(work: _Waiting) -> tuple[int, int]:
            terms = self._terms(work)
            return terms.price_at(now), -(terms.ramp_start + terms.ramp_length)

        return min(idle, key=worth)


def _full(text: str) -> StorageError:
    return StorageError("intake-full", text, hint="try again later, or hand it to another executor")
