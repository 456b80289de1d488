"""Which proofs this executor owes, and how long they take: all that a further promise comes beside.

Requests that are locked, challenged receipts, lazy answers that are doubted or that the lot fell
on. Proofs that nobody was promised are not among them: they give way (:mod:`.trials`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from gateless.daemon.versions import ReadyVersion
from gateless.executor.admission import Debt, Forecast, Promise, demand, forecast, presses
from gateless.executor.batching import seconds_to_prove
from gateless.executor.circuits import BatchCircuits
from gateless.executor.fitting import Fitting
from gateless.executor.journal_lazy import subject_of
from gateless.executor.lazy.states import LazyWorkState
from gateless.executor.parts import Parts
from gateless.executor.states import WorkState
from gateless.executor.work import Work

#: States of work whose proof is owed, or is about to be.
UNPROVED = (WorkState.LOCKING, WorkState.LOCKED, WorkState.PROVING)

#: Seconds until some requests of a version are proven; infinite where that is not known.
_Times = Callable[[Collection[int]], float]


@dataclass(frozen=True, slots=True)
class _Promised:
    """A promise, and whether it comes first whatever its deadline."""

    promise: Promise
    is_first: bool


@dataclass(frozen=True, slots=True)
class _Books:
    """What is owed at one moment."""

    promised: tuple[_Promised, ...]
    debts: tuple[tuple[Debt, bool], ...]
    times: dict[int, _Times]

    def seconds_of(self, version_id: int, request_ids: frozenset[int]) -> float:
        return self.times[version_id](request_ids)

    def in_order(self) -> tuple[list[Promise], list[Debt]]:
        """What comes first, whatever its deadline, as if it were due already."""
        promised = [
            replace(entry.promise, due=-math.inf) if entry.is_first else entry.promise
            for entry in self.promised
        ]
        debts = [replace(debt, due=-math.inf) if first else debt for debt, first in self.debts]
        return promised, debts


class Owed:
    """The proofs that are owed.

    Args:
        parts: what to work with.

    Attributes:
        circuits: that several requests may share.
        fitting: which requests may share them.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.circuits = BatchCircuits(parts)
        self.fitting = Fitting(parts)
        self._under_way: Counter[tuple[int, float]] = Counter()

    @contextmanager
    def making(self, version_id: int, due: float) -> Iterator[None]:
        """While a proof that is owed is made: what is begun is not interrupted."""
        self._under_way[version_id, due] += 1
        try:
            yield
        finally:
            self._under_way[version_id, due] -= 1

    async def forecast(
        self, work: Work, ready: ReadyVersion, *, due: float, now: float
    ) -> Forecast:
        """What locking a request now would mean: proofs are made by earliest deadline first.

        Lots that may fall on lazy answers count as if all of them fell now: they do not queue.
        Waiting for others is not in it: that ends where the time of a lock asks for it.

        Args:
            work: the request.
            ready: its version.
            due: when its lock would end.
            now: the chain's time, seconds since 1970.
        """
        books = await self._books(ready, now)
        promised, debts = books.in_order()
        debts += await self._lots(now)
        return forecast(
            Promise(work.request_id, work.version_id, due),
            promised,
            debts,
            now=now,
            seconds_of=books.seconds_of,
            needs=self._parts.policy.needs_seconds,
        )

    async def presses(self) -> bool:
        """Whether something is owed that cannot wait for a proof that nobody was promised."""
        now = self._parts.time.now
        books = await self._books(None, now)
        return presses(
            [entry.promise for entry in books.promised],
            [debt for debt, _ in books.debts],
            now=now,
            seconds_of=books.seconds_of,
            needs=self._parts.policy.needs_seconds,
        )

    async def seconds(self, due: float, now: float) -> float:
        """Time of all proofs that are owed by then.

        Args:
            due: seconds since 1970.
            now: likewise.
        """
        books = await self._books(None, now)
        promised, debts = books.in_order()
        return demand(promised, debts, due, books.seconds_of)

    async def times(self, ready: ReadyVersion) -> _Times:
        """How long proofs of a version take: for some requests, whatever becomes of their batch."""
        measured = await self.circuits.measured(ready)
        single = await self._seconds(ready.info.version_id, ready.circuit_index)
        indices = [circuit.index for circuit in measured]

        def seconds(request_ids: Collection[int]) -> float:
            alone = sum(self.fitting.is_apart(entry) for entry in request_ids)
            sure = sum(self.fitting.fits(entry, indices) for entry in request_ids)
            return seconds_to_prove(
                len(request_ids),
                single,
                measured,
                least_fill=self._parts.config.policy.least_batch_fill,
                alone=alone,
                doubtful=len(request_ids) - alone - sure,
            )

        return seconds

    async def _books(self, ready: ReadyVersion | None, now: float) -> _Books:
        found = await self._parts.journal.find(UNPROVED)
        works = [work for work in found if not work.has_proof]
        times = {} if ready is None else {ready.info.version_id: await self.times(ready)}
        for version_id in {work.version_id for work in works} - times.keys():
            known = self._parts.versions.known(version_id)
            if known is not None:
                times[version_id] = await self.times(known)
            else:
                times[version_id] = await self._times_before(works, version_id)
        # What runs is not interrupted, and the deadline of a lock under way is not known yet: both
        # come first. And where nobody knows how long something takes, nothing may be promised
        # beside it.
        promised = tuple(
            _Promised(
                Promise(work.request_id, work.version_id, float(work.lock_deadline or -math.inf)),
                work.state is not WorkState.LOCKED
                or math.isinf(times[work.version_id](frozenset({work.request_id}))),
            )
            for work in works
        )
        return _Books(promised, await self._debts(now), times)

    async def _debts(self, now: float) -> tuple[tuple[Debt, bool], ...]:
        """Proofs that doubt about receipts and lazy answers asks for, and whether each comes first.
        What is too late is not proven any more.
        """
        journal = self._parts.journal
        owed: dict[bytes, tuple[int, float]] = {}
        for claim in await journal.open_claims():
            owed[claim.subject] = claim.version_id, float(claim.deadline)
        for lazy in await journal.list_lazy([LazyWorkState.DISPUTED]):
            if lazy.claim is not None:
                owed[subject_of(lazy.claim)] = lazy.version_id, float(lazy.dispute_deadline)
        debts = []
        for version_id, due in owed.values():
            if due < now:
                continue
            seconds = await self._seconds_known(version_id)
            is_first = self._under_way[version_id, due] > 0 or math.isinf(seconds)
            debts.append((Debt(seconds, due), is_first))
        return tuple(debts)

    async def _lots(self, now: float) -> list[Debt]:
        """Proofs that the lot may still ask for."""
        return [
            Debt(
                await self._seconds_known(work.version_id),
                now + work.request.response_window,
            )
            for work in await self._parts.journal.list_drawable(self._parts.time.height)
        ]

    async def _seconds_known(self, version_id: int) -> float:
        ready = self._parts.versions.known(version_id)
        return await self._seconds(version_id, None if ready is None else ready.circuit_index)

    async def _times_before(self, works: Collection[Work], version_id: int) -> _Times:
        """The same for a version that this run has not prepared yet, such as just after a start:
        what its proofs took before, one by one.
        """
        taken = {
            work.request_id: await self._seconds(version_id, work.circuit_index)
            for work in works
            if work.version_id == version_id
        }
        return lambda request_ids: sum(taken.get(entry, 0.0) for entry in request_ids)

    async def _seconds(self, version_id: int, circuit_index: int | None) -> float:
        """Time of a proof of a version's circuit; where it was not measured, or the circuit is not
        known, that of the version's slowest; infinite where none was measured.
        """
        journal = self._parts.journal
        if circuit_index is not None:
            found = await journal.timing(version_id, circuit_index)
            if found is not None:
                return found
        return max((await journal.timings(version_id)).values(), default=math.inf)
