"""What a job will need, by what was measured of it before."""

from __future__ import annotations

from pathlib import Path

from gateless_proofs.backend import Task
from gateless_proofs.schedule import Need
from gateless_proofs.warm import IDLE_BYTES

#: Up to this k two proofs of one thread each are done sooner than one after the other with two
#: (docs/proving.md has the figures); above it memory is what is scarce.
SINGLE_THREAD_LOGROWS = 15
#: Threads of one large proof that still pay.
_LARGE_PROOF_THREADS = 4
#: A reservation is a limit on address space: measured memory, room to differ, and what Python,
#: ezkl and thread stacks map and never touch.
_ROOM = 1.25
_UNTOUCHED_BYTES = 640 << 20
_LIGHT_BYTES = 1 << 30
#: Memory of a proof by the size of its key, where nothing was measured (docs/proving.md).
_BYTES_PER_KEY_BYTE = 2.6
_BASE_BYTES = 64 << 20


def idle_workers(cores: int) -> int:
    """Idle worker processes that a machine keeps."""
    return 2 * cores


def beside_idle(memory_bytes: int, cores: int) -> int:
    """Memory for jobs, where idle processes have their share put aside."""
    return max(memory_bytes - idle_workers(cores) * IDLE_BYTES, memory_bytes // 2)


class Needs:
    """Remembers the memory that jobs took, by bundle, operation and circuit."""

    def __init__(self) -> None:
        self._peaks: dict[tuple[str, str, str], int] = {}

    def measured(self, task: Task, peak_bytes: int) -> None:
        """Takes note of the most memory that a job held."""
        self._peaks[_key(task)] = max(self._peaks.get(_key(task), 0), peak_bytes)

    def memory_bytes(self, task: Task) -> int:
        """Address space to reserve for a job."""
        peak = self._peaks.get(_key(task))
        if task.logrows == 0:
            return _LIGHT_BYTES if peak is None else _reservation(peak)
        return _reservation(
            peak or max(task.memory_bytes, _expected(task.files.get("proving_key")))
        )

    def of(self, task: Task, *, cores: int) -> Need:
        """Memory and threads for a job, on machines of so many cores."""
        memory = self.memory_bytes(task)
        if task.logrows == 0:
            return Need(memory, light=True, due=task.due)
        if task.logrows <= SINGLE_THREAD_LOGROWS:
            return Need(memory, 1, cores, due=task.due)
        return Need(memory, min(cores, _LARGE_PROOF_THREADS), cores, due=task.due)


def _key(task: Task) -> tuple[str, str, str]:
    return task.domain, task.operation, task.what


def _expected(proving_key: Path | None) -> int:
    size = 0 if proving_key is None else proving_key.stat().st_size
    return _BASE_BYTES + int(size * _BYTES_PER_KEY_BYTE)


def _reservation(memory_bytes: int) -> int:
    return int(memory_bytes * _ROOM) + _UNTOUCHED_BYTES
