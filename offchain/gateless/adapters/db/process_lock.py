"""One process at a time: a lock that the operating system takes back when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from gateless.core.errors import ConfigError


class ProcessLock:
    """Holds ``path`` locked for the life of the ``with`` block, or from take to release.

    The file stays; only the lock on it counts, so a process killed with it locks nobody out.
    """

    def __init__(self, path: Path, *, what: str) -> None:
        self._path = path
        self._what = what

    def __enter__(self) -> Self:
        """As :meth:`take`."""
        self.take()
        return self

    def take(self) -> None:
        """Takes the lock.

        Raises:
            ConfigError: ``already-running`` where another process holds it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise ConfigError(
                "already-running",
                f"another process ({holder or 'unknown'}) uses {self._what} at {self._path.parent}",
                hint="stop that process, or give this one a data folder of its own",
                pid=holder,
            ) from None
        os.truncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Gives the lock back."""
        os.close(self._descriptor)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
