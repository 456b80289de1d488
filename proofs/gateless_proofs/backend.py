"""Where proofs are made: what a prover asks for, whoever does the work.

Two implementations: processes on this machine (:mod:`gateless_proofs.pool`) and a Ray cluster
(:mod:`gateless_proofs.cluster`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from gateless_proofs.isolation import Isolation
from gateless_proofs.process import Progress


@dataclass(frozen=True, slots=True)
class Task:
    """A job for a backend.

    Attributes:
        domain: the bundle; no process ever works for two.
        operation: name in ``gateless_proofs.worker.OPERATIONS``.
        what: the circuit; what was measured for it counts for the next one.
        logrows: k of a proof; 0 for what takes a moment (witness, float outputs).
        memory_bytes: what a proof takes as far as it is known, 0 if nothing is.
        files: what the job reads, by the names of the arguments that hold their paths. A backend
            may have copies of them elsewhere.
        due: when it should be done, seconds since 1970; the most urgent one that waits comes first.
        check: raises a :class:`GatelessError` for a result that does not answer this job. A backend
            asks it about what other machines send; the prover asks it in any case.
    """

    domain: str
    operation: str
    what: str
    logrows: int = 0
    memory_bytes: int = 0
    files: Mapping[str, Path] = field(default_factory=dict)
    due: float = math.inf
    check: Callable[[Mapping[str, Any]], object] | None = None

    def arguments(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """A request with the paths of the files, as they are on this machine."""
        return {**request, **{name: str(path) for name, path in self.files.items()}}


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A machine that makes proofs, and what of it is in use.

    Attributes:
        name: for people.
        memory_bytes: for all its proofs together.
        cores: threads of all its proofs together.
        reserved_bytes: memory that running proofs were granted.
        busy_threads: threads that they were granted.
        running: jobs that run.
        done: jobs that it has finished since it is known.
        isolation: what keeps models apart there; None where that is not known.
    """

    name: str
    memory_bytes: int
    cores: int
    reserved_bytes: int
    busy_threads: int
    running: int
    done: int
    isolation: Isolation | None = None


@dataclass(frozen=True, slots=True)
class ProvingStatus:
    """Where proofs are made now.

    Attributes:
        backend: ``local`` or ``cluster``.
        nodes: machines that take work.
        waiting: jobs that wait for room.
        moved: jobs that were begun again elsewhere because a node was lost.
        problem: what keeps nodes from working; empty where nothing does.
    """

    backend: str
    nodes: tuple[NodeStatus, ...]
    waiting: int
    moved: int = 0
    problem: str = ""


class ProvingBackend(Protocol):
    """Makes witnesses, float outputs and proofs in limited processes."""

    async def run(
        self, task: Task, request: Mapping[str, Any], progress: Progress | None = None
    ) -> dict[str, Any]:
        """Runs a job as soon as there is room for it. Cancelling it frees its place at once.

        Args:
            task: what is to be done, and what it reads.
            request: the other arguments of the operation.
            progress: told how far it is.

        Returns:
            what the operation returns, with the memory that it took as ``peak_bytes``.

        Raises:
            SandboxError: ``memory-limit``, ``time-limit``, ``worker-crashed``, ``pool-closed``,
                ``cluster-has-no-room``, ``cluster-lost-job``.
            GatelessError: whatever the operation itself reports.
        """
        ...

    def status(self) -> ProvingStatus:
        """Where proofs are made now."""
        ...
