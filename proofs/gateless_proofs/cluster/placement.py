"""Which node makes which proof: nobody's memory or cores are exceeded, and nothing starves. Pure.

Jobs are placed by earliest deadline first, as on one machine (:mod:`gateless_proofs.schedule`). One
that has to wait is promised a node: later jobs may overtake it on all the other nodes only, so it
starts at the latest when what ran there has ended.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count

from gateless_proofs.schedule import Grant, Need


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job may run, and with what."""

    node: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class Load:
    """What a node has and what of it is in use."""

    memory_bytes: int
    cores: int
    reserved_bytes: int
    busy_threads: int
    jobs: int


@dataclass(slots=True)
class _Node:
    memory_bytes: int
    cores: int
    running: dict[int, Grant] = field(default_factory=dict)
    #: circuits whose files it has
    holds: set[str] = field(default_factory=set)

    @property
    def free_bytes(self) -> int:
        return self.memory_bytes - sum(grant.memory_bytes for grant in self.running.values())

    @property
    def free_cores(self) -> int:
        return self.cores - sum(grant.threads for grant in self.running.values())


@dataclass(frozen=True, slots=True)
class _Job:
    need: Need
    what: str
    avoid: frozenset[str]


class Placement:
    """The books of a cluster's proofs."""

    def __init__(self) -> None:
        self._tickets = count()
        self._nodes: dict[str, _Node] = {}
        self._waiting: dict[int, _Job] = {}
        self._where: dict[int, str] = {}
        self._promise: tuple[int, str] | None = None

    @property
    def waiting(self) -> tuple[int, ...]:
        """Tickets of jobs that wait, the most urgent first."""
        return tuple(sorted(self._waiting, key=lambda ticket: (self._due(ticket), ticket)))

    @property
    def running(self) -> tuple[int, ...]:
        """Tickets of jobs that run."""
        return tuple(self._where)

    @property
    def loads(self) -> dict[str, Load]:
        """Every node, and what of it is in use."""
        return {
            name: Load(
                node.memory_bytes,
                node.cores,
                node.memory_bytes - node.free_bytes,
                node.cores - node.free_cores,
                len(node.running),
            )
            for name, node in self._nodes.items()
        }

    @property
    def largest_bytes(self) -> int:
        """Memory of the largest node; 0 where there is none."""
        return max((node.memory_bytes for node in self._nodes.values()), default=0)

    def join(self, node: str, memory_bytes: int, cores: int) -> None:
        """Adds a node."""
        self._nodes[node] = _Node(memory_bytes, cores)

    def leave(self, node: str) -> tuple[int, ...]:
        """Takes a node out; returns the tickets that ran there, which are forgotten."""
        gone = self._nodes.pop(node, None)
        lost = () if gone is None else tuple(gone.running)
        for ticket in lost:
            del self._where[ticket]
        return lost

    def add(self, need: Need, what: str, avoid: Collection[str] = ()) -> int:
        """Queues a job; returns its ticket.

        Args:
            need: memory and threads.
            what: the circuit: nodes that have its files are preferred.
            avoid: nodes that are taken only where no other could ever do it.
        """
        ticket = next(self._tickets)
        self._waiting[ticket] = _Job(need, what, frozenset(avoid))
        return ticket

    def release(self, ticket: int) -> None:
        """Ends a job, wherever it stands; unknown tickets are ignored."""
        self._waiting.pop(ticket, None)
        name = self._where.pop(ticket, None)
        if name is not None:
            self._nodes[name].running.pop(ticket)

    def fits(self, need: Need) -> bool:
        """Whether some node could do a job if it were empty."""
        return any(need.memory_bytes <= node.memory_bytes for node in self._nodes.values())

    def homeless(self) -> tuple[int, ...]:
        """Tickets of jobs that no node there is could ever do."""
        return tuple(ticket for ticket, job in self._waiting.items() if not self.fits(job.need))

    def start(self) -> dict[int, Place]:
        """Moves every job that can start now to the running ones; returns them by ticket."""
        started: dict[int, Place] = {}
        promised: str | None = None
        for ticket in self.waiting:
            job = self._waiting[ticket]
            place = self._best(job, promised)
            if place is not None:
                self._nodes[place.node].running[ticket] = place.grant
                self._nodes[place.node].holds.add(job.what)
                self._where[ticket] = place.node
                started[ticket] = place
                del self._waiting[ticket]
            elif promised is None:
                promised = self._promised(ticket, job)
        return started

    def _promised(self, ticket: int, job: _Job) -> str | None:
        """The node that the first one that waits will get: it stays the same while it can."""
        able = {name: self._nodes[name] for name in self._able(job)}
        if not able:
            return None
        if self._promise is None or self._promise[0] != ticket or self._promise[1] not in able:
            self._promise = (ticket, max(able, key=lambda name: able[name].free_bytes))
        return self._promise[1]

    def _able(self, job: _Job) -> list[str]:
        """Nodes that are large enough, those to avoid only where there are no others."""
        large = [
            name for name, node in self._nodes.items() if job.need.memory_bytes <= node.memory_bytes
        ]
        return [name for name in large if name not in job.avoid] or large

    def _best(self, job: _Job, promised: str | None) -> Place | None:
        places = []
        for name in self._able(job):
            node = self._nodes[name]
            threads = self._threads(node, job.need)
            if name == promised or threads > node.free_cores:
                continue
            left = node.free_bytes - job.need.memory_bytes
            if left >= 0:
                # Where its files are; with more threads; then the tightest fit, which keeps large
                # nodes free for large proofs.
                rank = (job.what in node.holds, threads, -left)
                places.append((rank, Place(name, Grant(job.need.memory_bytes, threads))))
        return max(places, key=lambda entry: entry[0])[1] if places else None

    def _threads(self, node: _Node, need: Need) -> int:
        """Threads for a job: all of a node's where it is alone, its share where others wait."""
        cores = sum(other.cores for other in self._nodes.values())
        share = cores // max(1, len(self._waiting) + len(self._where))
        least = min(need.least_threads, node.cores)
        return max(least, min(share, need.most_threads, node.free_cores), 1)

    def _due(self, ticket: int) -> float:
        return self._waiting[ticket].need.due
