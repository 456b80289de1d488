"""One worker process: started, given jobs line by line, killed with everything it started.

What its answers mean is decided elsewhere; here are pipes, signals and folders.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateless_proofs.isolation import EVERYTHING, Isolation, View, Ways, view_of

Progress = Callable[[str, float], None]

_STDERR_TAIL = 4096
#: what a worker writes to stderr when a job is done: all that the job wrote came before it
END_OF_JOB = b"\0"
_MAX_LINE = 256 << 20
_ORPHAN_POLL_SECONDS = 0.2
#: folders in a worker's home: homes of jobs are in the first, the second may become a root
_JOBS = "jobs"
_WORKSHOP = "root"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker said to a job.

    Attributes:
        result: of the operation; None where it failed.
        error: what the operation reported, as ``GatelessError.to_dict`` writes it.
        spent: whether the process must not be given another job.
        peak_bytes: most memory that the process held during the job.
        resident_bytes: what it still holds after it.
        stderr: end of what it wrote there during the job.
        isolation: what kept the process from everything else.
    """

    result: dict[str, Any] | None
    error: Mapping[str, Any] | None
    spent: bool
    peak_bytes: int
    resident_bytes: int
    stderr: str
    isolation: Isolation


class WorkerDied(Exception):
    """The process ended without an answer. ``status`` is its exit status."""

    def __init__(self, status: int | None, stderr: str) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.stderr = stderr


class WorkerProcess:
    """A process that does one job at a time. Made by :meth:`start`, ended by :meth:`kill`."""

    def __init__(self, process: asyncio.subprocess.Process, home: Path) -> None:
        self._process = process
        self._home = home
        self._view: View | None = None
        self._jobs = 0
        self._killed = False
        self._tail = bytearray()
        self._logged = asyncio.Event()
        self._watchers = [
            asyncio.ensure_future(self._keep_tail()),
            asyncio.ensure_future(self._end_orphans()),
        ]

    @classmethod
    async def start(
        cls,
        *,
        ceiling_bytes: int,
        threads: int,
        preload: Sequence[str] = (),
        own_keys: bool = False,
        ways: Ways = EVERYTHING,
    ) -> WorkerProcess:
        """Starts a process in a home of its own, without a network, with an environment without
        secrets.

        Args:
            ceiling_bytes: address space that no job of it may be allowed to exceed.
            threads: threads of ezkl's prover.
            preload: modules to import before the first job comes.
            own_keys: whether all keys it will read were made on this machine: then ezkl need not
                check each of their points again.
            ways: what may be used to confine it.
        """
        home = Path(tempfile.mkdtemp(prefix="gateless-worker-"))
        try:
            for name in (_JOBS, _WORKSHOP):
                (home / name).mkdir()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "gateless_proofs.worker"),
                *(str(ceiling_bytes), ways.text(), *preload),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=home,
                env=_environment(home, threads, own_keys=own_keys),
                start_new_session=True,
                limit=_MAX_LINE,
            )
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        return cls(process, home)

    @property
    def pid(self) -> int:
        """The process, and its process group."""
        return self._process.pid

    @property
    def jobs(self) -> int:
        """Jobs that it was given so far."""
        return self._jobs

    @property
    def view(self) -> View:
        """What it may read and write: what its first job needed."""
        return self._view or View()

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet. Asks the system, which knows before the event loop does."""
        if self._process.returncode is not None:
            return False
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8")
        except OSError:  # gone; or a system without /proc, which must wait for the event loop
            return not Path("/proc/self/stat").exists()
        return stat.rpartition(")")[2].split()[0] not in ("Z", "X")

    async def do(
        self,
        operation: str,
        request: Mapping[str, Any],
        *,
        memory_bytes: int,
        cpu_seconds: float | None = None,
        progress: Progress | None = None,
        view: View | None = None,
    ) -> Answer:
        """Gives it a job, in a fresh folder that is its home meanwhile.

        Whoever is cancelled here must :meth:`kill` the process: it goes on with the job.

        Args:
            operation: name in ``gateless_proofs.worker.OPERATIONS``.
            request: its arguments.
            memory_bytes: address space for this job.
            cpu_seconds: processor time for it, of all threads; None for no limit.
            progress: told how far it is.
            view: what this job and all later ones may read and write; counts with the first job
                only. By default the files that the request names.

        Raises:
            WorkerDied: it ended without an answer.
        """
        self._jobs += 1
        home = self._home / _JOBS / f"job-{self._jobs}"
        home.mkdir(parents=True)
        if self._view is None:
            self._view = view_of(request) if view is None else view
            for folder in self._view.write:
                # It is the job's to write into, but what lies above it is out of its reach.
                folder.mkdir(parents=True, exist_ok=True)
        self._tail.clear()
        self._logged.clear()
        payload = {
            "operation": operation,
            "memory_bytes": memory_bytes,
            "cpu_seconds": cpu_seconds,
            "home": str(home),
            "view": self._view.to_dict(),
            "request": request,
        }
        try:
            answer, _ = await asyncio.gather(
                self._read_answer(progress), self._send(json.dumps(payload).encode() + b"\n")
            )
            await self._logged.wait()
            if answer is None:
                status = await self._process.wait()
                raise WorkerDied(status, self._stderr())
            return Answer(
                result=answer.get("result"),
                error=answer.get("error"),
                spent=bool(answer["spent"]),
                peak_bytes=int(answer["peak_bytes"]),
                resident_bytes=int(answer["resident_bytes"]),
                stderr=self._stderr(),
                isolation=Isolation.from_dict(answer["isolation"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # No line of ours: whatever runs in there is not the worker any more.
            raise WorkerDied(None, f"{error!r} {self._stderr()}") from error
        finally:
            await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)

    async def kill(self) -> None:
        """Kills the whole process group where it still runs, reaps it and removes its home."""
        if not self._killed:  # its number may be another process's afterwards
            self._killed = True
            self._kill_group()
        if self._process.returncode is None:
            waiting = asyncio.ensure_future(self._process.wait())
            while not waiting.done():
                # A second cancellation must not leave the child unreaped.
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.shield(waiting)
        for watcher in self._watchers:
            watcher.cancel()
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _send(self, payload: bytes) -> None:
        stdin = self._process.stdin
        if stdin is None:
            return
        # A worker that dies early closes the pipe; its exit status tells the story.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            stdin.write(payload)
            await stdin.drain()

    async def _read_answer(self, progress: Progress | None) -> dict[str, Any] | None:
        if self._process.stdout is None:
            return None
        while line := await self._process.stdout.readline():
            if not line.endswith(b"\n"):
                break  # the worker died in the middle of a line
            message: dict[str, Any] = json.loads(line)
            if "progress" not in message:
                return message
            if progress is not None:
                stage, fraction = message["progress"]
                progress(stage, fraction)
        return None

    async def _keep_tail(self) -> None:
        if self._process.stderr is None:
            return
        while chunk := await self._process.stderr.read(65536):
            if END_OF_JOB in chunk:
                chunk = chunk.replace(END_OF_JOB, b"")
                self._logged.set()
            self._tail += chunk
            del self._tail[:-_STDERR_TAIL]
        self._logged.set()

    async def _end_orphans(self) -> None:
        """Ends what a worker that died left running: its children hold the pipes open."""
        # Polled: on some versions of Python wait() returns only when the pipes are closed too.
        while self._process.returncode is None:  # noqa: ASYNC110
            await asyncio.sleep(_ORPHAN_POLL_SECONDS)
        self._kill_group()

    def _stderr(self) -> str:
        return bytes(self._tail).decode("utf-8", "replace").strip()


def _environment(home: Path, threads: int, *, own_keys: bool) -> dict[str, str]:
    environment = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "RUST_BACKTRACE": "0",
        "HOME": str(home),
        "TMPDIR": str(home),
        "EZKL_REPO_PATH": str(home / "ezkl"),
        "RAYON_NUM_THREADS": str(threads),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    if own_keys:
        environment["EZKL_KEY_FORMAT"] = "raw-bytes-unchecked"
    if "PYTHONPATH" in os.environ:
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    return environment
