"""Limits that a worker process sets itself before it runs a job, and what memory it uses."""

from __future__ import annotations

import contextlib
import math
import resource
from pathlib import Path

#: more than ezkl and onnxruntime open at once
_OPEN_FILES = 256
#: of 1000: the kernel ends a worker before it ends the program that could start another
_OOM_SCORE = 500
_CPU_MARGIN_SECONDS = 2
_OWN = Path("/proc/self")


def limit_process(ceiling_bytes: int) -> None:
    """Limits for good: address space, open files, no core dumps."""
    resource.setrlimit(resource.RLIMIT_AS, (ceiling_bytes, ceiling_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _least(_OPEN_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def limit_job(ceiling_bytes: int, memory_bytes: int, cpu_seconds: float | None) -> None:
    """Limits for what comes next.

    Args:
        ceiling_bytes: address space that cannot be exceeded.
        memory_bytes: address space; no file may grow larger either.
        cpu_seconds: processor time from here on; None for no limit.
    """
    memory = min(memory_bytes, ceiling_bytes)
    resource.setrlimit(resource.RLIMIT_AS, (memory, ceiling_bytes))
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_least(memory, most), most))
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    seconds = most
    if cpu_seconds is not None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        used = usage.ru_utime + usage.ru_stime
        seconds = _least(math.ceil(used + cpu_seconds) + _CPU_MARGIN_SECONDS, most)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, most))


def _least(wanted: int, most: int) -> int:
    return wanted if most == resource.RLIM_INFINITY else min(wanted, most)


def expect_to_be_killed_first() -> None:
    """Where the machine runs out of memory, this process goes, not whoever started it."""
    with contextlib.suppress(OSError):
        (_OWN / "oom_score_adj").write_text(str(_OOM_SCORE), encoding="ascii")


class Memory:
    """What this process uses. Opened before the process is confined, since /proc is out of reach
    afterwards."""

    def __init__(self) -> None:
        self._status = self._peak = None
        with contextlib.suppress(OSError):
            self._status = (_OWN / "status").open("rb", buffering=0)
            self._peak = (_OWN / "clear_refs").open("wb", buffering=0)

    def forget_peak(self) -> None:
        """Lets Linux count the highest use from here on."""
        if self._peak is not None:
            with contextlib.suppress(OSError):
                self._peak.write(b"5")

    def used(self) -> tuple[int, int]:
        """Highest use since :meth:`forget_peak`, and present use, in bytes."""
        found = {b"VmHWM": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10, b"VmRSS": 0}
        if self._status is not None:
            with contextlib.suppress(OSError):
                self._status.seek(0)
                for line in self._status.read().splitlines():
                    name, _, rest = line.partition(b":")
                    if name in found:
                        found[name] = int(rest.split()[0]) << 10
        return found[b"VmHWM"], found[b"VmRSS"]


def give_memory_back() -> None:
    """Returns freed memory to the system, so that an idle process is a small one."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
