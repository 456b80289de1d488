"""Which proofs run now: cores and memory are used, never exceeded, the most urgent first. Pure.

Jobs start by earliest due date, which keeps all deadlines of jobs that are there wherever any order
could (J. R. Jackson, "Scheduling a production line to minimize maximum tardiness", 1955, for one
machine). Those of equal dates, and those without one, which come last, start in the order in which
they came. Where the first one has to wait for room, later ones may overtake it only as far as they
leave it the room that it needs: it starts as soon as those have ended that ran before it became the
first.
"""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True, slots=True)
class Need:
    """What a job takes.

    Attributes:
        memory_bytes: reserved for it while it runs; more than there is means all there is.
        least_threads: threads without which it is not worth starting.
        most_threads: threads beyond which it gains nothing.
        light: takes a moment: runs beside the proofs, one core at most.
        due: when it should be done, in seconds of any one clock; infinity for no deadline.
    """

    memory_bytes: int
    least_threads: int = 1
    most_threads: int = 1
    light: bool = False
    due: float = math.inf


@dataclass(frozen=True, slots=True)
class Grant:
    """What a job got; given back by :meth:`Schedule.release`."""

    memory_bytes: int
    threads: int


@dataclass(slots=True)
class _Running:
    grant: Grant
    need: Need


class Schedule:
    """The books of one machine's proofs.

    Args:
        memory_bytes: for all jobs together.
        cores: threads of all proofs together.
        light_lanes: light jobs that may run at once, beside the proofs.
    """

    def __init__(self, *, memory_bytes: int, cores: int, light_lanes: int = 1) -> None:
        self.memory_bytes = memory_bytes
        self.cores = cores
        self._light_lanes = light_lanes
        self._tickets = count()
        self._waiting: dict[int, Need] = {}
        self._queue: list[tuple[float, int]] = []  # due, ticket
        self._running: dict[int, _Running] = {}

    @property
    def waiting(self) -> tuple[int, ...]:
        """Tickets of jobs that wait, the most urgent first."""
        return tuple(ticket for _, ticket in self._queue)

    @property
    def running(self) -> tuple[int, ...]:
        """Tickets of jobs that run."""
        return tuple(self._running)

    @property
    def reserved_bytes(self) -> int:
        """Memory that is granted now."""
        return sum(job.grant.memory_bytes for job in self._running.values())

    @property
    def busy_threads(self) -> int:
        """Threads that are granted to proofs now."""
        return sum(job.grant.threads for job in self._running.values() if not job.need.light)

    def add(self, need: Need) -> int:
        """Queues a job; returns its ticket."""
        ticket = next(self._tickets)
        self._waiting[ticket] = Need(
            min(need.memory_bytes, self.memory_bytes),
            min(need.least_threads, self.cores),
            max(1, min(need.most_threads, self.cores)),
            need.light,
            need.due,
        )
        insort(self._queue, (need.due, ticket))
        return ticket

    def release(self, ticket: int) -> None:
        """Ends a job, wherever it stands; unknown tickets are ignored."""
        self._take(ticket)
        self._running.pop(ticket, None)

    def start(self) -> dict[int, Grant]:
        """Moves every job that can start now to the running ones; returns them by ticket."""
        started: dict[int, Grant] = {}
        blocked: int | None = None
        for ticket in self.waiting:
            need = self._waiting[ticket]
            grant = Grant(need.memory_bytes, 1 if need.light else self._threads(need))
            if self._fits(need, grant) and (
                blocked is None or self._leaves_room(blocked, need, grant)
            ):
                self._running[ticket] = _Running(grant, need)
                started[ticket] = grant
                self._take(ticket)
            elif blocked is None:
                blocked = ticket
        return started

    def _take(self, ticket: int) -> None:
        need = self._waiting.pop(ticket, None)
        if need is not None:
            self._queue.remove((need.due, ticket))

    def _threads(self, need: Need) -> int:
        """Threads for a job: all cores where it is alone, its share where others wait or run."""
        proofs = sum(not other.light for other in self._waiting.values())
        proofs += sum(not job.need.light for job in self._running.values())
        share = self.cores // max(1, proofs)
        free = self.cores - self.busy_threads
        return max(need.least_threads, min(share, need.most_threads, free), 1)

    def _fits(self, need: Need, grant: Grant) -> bool:
        if grant.memory_bytes > self.memory_bytes - self.reserved_bytes:
            return False
        if need.light:
            return sum(job.need.light for job in self._running.values()) < self._light_lanes
        return grant.threads <= self.cores - self.busy_threads

    def _leaves_room(self, first: int, need: Need, grant: Grant) -> bool:
        """Whether a job may overtake the first one that waits.

        Those that run and come after it have overtaken it already. Once all the others have ended,
        it must fit beside them and beside this one.
        """
        wanted = self._waiting[first]
        place = (wanted.due, first)
        overtakers = [
            job for ticket, job in self._running.items() if (job.need.due, ticket) > place
        ]
        memory = sum(job.grant.memory_bytes for job in overtakers) + grant.memory_bytes
        if memory + wanted.memory_bytes > self.memory_bytes:
            return False
        if need.light != wanted.light:
            return True  # they use different lanes
        if need.light:
            return False
        threads = sum(job.grant.threads for job in overtakers if not job.need.light) + grant.threads
        return threads + wanted.least_threads <= self.cores
