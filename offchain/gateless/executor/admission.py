"""What may be promised beside what is promised already: earliest deadline first. Pure.

Proofs are made in the order of their deadlines, so a new promise is late where those that come
before it take too long, and makes others late where it comes before them. Neither may be: the
processor-demand test (S. Baruah, L. Rosier and R. Howell, "Algorithms and complexity concerning
the preemptive scheduling of periodic, real-time tasks on one processor", 1990) asks, for each
deadline, whether all that is due by then can be done by then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

#: Seconds that the proofs for some requests of a version take: version id, request ids.
SecondsOf = Callable[[int, frozenset[int]], float]

#: Work that nobody was promised gives way when less than so many times the planned time is left.
_RESERVE = 2.0


@dataclass(frozen=True, slots=True)
class Promise:
    """A request whose proof is owed.

    Attributes:
        request_id: the request.
        version_id: its version; requests of one version may share a proof.
        due: when the proof must be on chain, seconds since 1970.
    """

    request_id: int
    version_id: int
    due: float


@dataclass(frozen=True, slots=True)
class Debt:
    """A proof that doubt or the lot asks for: how long it takes and until when there is time."""

    seconds: float
    due: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a further promise would mean.

    Attributes:
        before: seconds of the proofs that come before its own; infinite where that is not known.
        own: seconds that it adds to them.
        endangered: how many seconds late what was promised before would become at worst, if it
            became late at all; 0 otherwise.
    """

    before: float
    own: float
    endangered: float

    @property
    def seconds(self) -> float:
        """From now until its proof is there."""
        return self.before + self.own


def forecast(
    new: Promise,
    promised: Iterable[Promise],
    debts: Sequence[Debt],
    *,
    now: float,
    seconds_of: SecondsOf,
    needs: Callable[[float], float],
) -> Forecast:
    """What promising one more would mean for it and for the others.

    Args:
        new: what might be promised.
        promised: what is promised and not proven yet.
        debts: proofs that are owed for other reasons.
        now: seconds since 1970.
        seconds_of: how long proofs take.
        needs: seconds to plan for where proofs take so many by measurement.
    """
    others = [entry for entry in promised if entry.request_id != new.request_id]

    def demanded(due: float, *, with_new: bool) -> float:
        entries = (*others, new) if with_new else others
        return demand(entries, debts, due, seconds_of)

    before = demanded(new.due, with_new=False)
    own = max(0.0, demanded(new.due, with_new=True) - before)
    dues = {entry.due for entry in others} | {debt.due for debt in debts}
    later = {due for due in dues if due > new.due}
    # What would be late anyway cannot be endangered: it is not the new one's fault.
    endangered = [
        lateness
        for due in later
        if (lateness := needs(demanded(due, with_new=True)) - (due - now)) > 0
        and needs(demanded(due, with_new=False)) <= due - now
    ]
    return Forecast(before, own, max(endangered, default=0.0))


def presses(
    promised: Iterable[Promise],
    debts: Iterable[Debt],
    *,
    now: float,
    seconds_of: SecondsOf,
    needs: Callable[[float], float],
) -> bool:
    """Whether what is owed can wait no longer for work that nobody was promised.

    Such work may go on while, for each deadline, twice the time is left that is planned for all
    that is due by then. So whatever holds the machine, there is time to take it back.

    Args:
        promised: what is promised and not proven yet.
        debts: proofs that are owed for other reasons.
        now: seconds since 1970.
        seconds_of: how long proofs take.
        needs: seconds to plan for where proofs take so many by measurement.
    """
    entries, owed = list(promised), list(debts)
    dues = {entry.due for entry in entries} | {debt.due for debt in owed}
    # What is late is not helped any more, and a lock that is under way has no deadline yet.
    return any(
        due - now <= _RESERVE * needs(demand(entries, owed, due, seconds_of))
        for due in dues
        if due >= now
    )


def demand(
    promised: Iterable[Promise], debts: Iterable[Debt], due: float, seconds_of: SecondsOf
) -> float:
    """Seconds of all that is due by then; requests of a version may share proofs.

    Args:
        promised: what is promised and not proven yet.
        debts: proofs that are owed for other reasons.
        due: seconds since 1970.
        seconds_of: how long proofs take.
    """
    by_version: dict[int, set[int]] = defaultdict(set)
    for entry in promised:
        if entry.due <= due:
            by_version[entry.version_id].add(entry.request_id)
    proofs = sum(seconds_of(version, frozenset(ids)) for version, ids in by_version.items())
    return proofs + sum(debt.seconds for debt in debts if debt.due <= due)
