"""The subprocess: one JSON job per line on stdin, JSON lines on stdout, until stdin ends.

Libraries print to stdout as they please, so the real stdout is put aside at the start and file
descriptor 1 points to stderr. The process leaves with ``os._exit``: ezkl's coroutines sometimes
crash at interpreter exit with the work done.

It leaves the network when it starts and, before its first job, all files but those that the job is
about: nothing of a model is read before that.

Arguments: the address space that no job may exceed, what may be used to confine the process, then
modules to import ahead of the first job. These must start no thread.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from gateless.core.disks import disk_full, no_room
from gateless.core.errors import GatelessError, SandboxError, StorageError

from gateless_proofs.isolation import Isolation, View, Ways, confine, enter, view_of
from gateless_proofs.own_limits import (
    Memory,
    expect_to_be_killed_first,
    give_memory_back,
    limit_job,
    limit_process,
)

#: as in :mod:`gateless_proofs.process`, which is not imported here for what it would cost
END_OF_JOB = b"\0"

#: operation -> module and function; imported on demand, since imports cost more than small proofs
OPERATIONS = {
    "probe": ("gateless_proofs.probing", "try_to_leave"),
    "inspect": ("gateless_proofs.onnx_checks", "inspect_model"),
    "reference": ("gateless_proofs.reference", "run_reference"),
    "repeat": ("gateless_proofs.repeating", "run_again"),
    "run_raw": ("gateless_proofs.reference", "run_raw"),
    "plan": ("gateless_proofs.planner.search", "plan_single"),
    "plan_batch": ("gateless_proofs.planner.batches", "plan_batch"),
    "rebuild": ("gateless_proofs.rebuilding", "rebuild"),
    "srs": ("gateless_proofs.circuit", "make_development_srs"),
    "public_srs": ("gateless_proofs.circuit", "fetch_public_srs"),
    "setup": ("gateless_proofs.circuit", "set_up"),
    "witness": ("gateless_proofs.proving", "generate_witness"),
    "outputs": ("gateless_proofs.proving", "generate_outputs"),
    "prove": ("gateless_proofs.proving", "generate_proof"),
    "verify": ("gateless_proofs.proving", "verify_proof"),
    "commit": ("gateless_proofs.proving", "commit_input"),
}

#: operations on files of a bundle, which were there when the job was given
_ON_BUNDLES = frozenset({"reference", "run_raw", "witness", "outputs", "prove", "verify", "commit"})

Emit = Callable[[str, float], None]
_PR_SET_PDEATHSIG = 1
#: with less than this a file may have been cut off without a word
_LEAST_ROOM = 1 << 20


def main() -> None:
    """Does jobs until there are no more, then leaves without interpreter shutdown."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    die_with_parent()
    ceiling, ways = int(sys.argv[1]), Ways.from_text(sys.argv[2])
    jobs, workshop = Path.cwd() / "jobs", Path.cwd() / "root"
    memory = Memory()
    expect_to_be_killed_first()
    entered = enter(ways)
    die_with_parent()  # a change of namespaces made the kernel forget it
    limit_process(ceiling)
    for module in sys.argv[3:]:
        importlib.import_module(module)
    isolation: Isolation | None = None
    for line in sys.stdin.buffer:
        job = json.loads(line)
        if isolation is None:
            view = View.from_dict(job["view"])
            own = View(view.read, (*view.write, jobs))
            try:
                isolation = confine(ways, own, workshop, entered=entered)
            except SandboxError as error:
                _write(channel, _failure(error))
                break
        _settle_in(job["home"])
        limit_job(ceiling, int(job["memory_bytes"]), job["cpu_seconds"])
        memory.forget_peak()
        folders = (job["home"], *job["view"]["write"])
        answer = _answer(channel, job["operation"], job["request"], folders)
        del line, job
        limit_job(ceiling, ceiling, None)
        peak, _ = memory.used()
        give_memory_back()
        _, resident = memory.used()
        sys.stderr.flush()
        os.write(2, END_OF_JOB)
        counted = {"peak_bytes": peak, "resident_bytes": resident}
        _write(channel, answer | counted | {"isolation": isolation.to_dict()})
    sys.stderr.flush()
    os._exit(0)


def _failure(error: GatelessError) -> dict[str, Any]:
    """The answer of a process that does no job."""
    os.write(2, END_OF_JOB)
    unknown = {"peak_bytes": 0, "resident_bytes": 0, "isolation": Isolation().to_dict()}
    return {"error": error.to_dict(), "spent": True} | unknown


def _answer(
    channel: IO[str], operation: str, request: dict[str, Any], folders: Iterable[str]
) -> dict[str, Any]:
    def emit(stage: str, fraction: float) -> None:
        _write(channel, {"progress": [stage, round(min(max(fraction, 0.0), 1.0), 4)]})

    try:
        module, function = OPERATIONS[operation]
        work: Callable[[dict[str, Any], Emit], dict[str, Any]]
        work = getattr(importlib.import_module(module), function)
        return {"result": work(request, emit), "spent": False}
    except MemoryError as error:
        failure = SandboxError("memory-limit", f"out of memory: {error}")
        return {"error": failure.to_dict(), "spent": True}
    # pyo3's PanicException is a BaseException.
    except BaseException as error:
        full = disk_full(error) or _without_room(folders)
        if full is not None:
            # Nothing that went wrong then says anything about the model or its input.
            return {"error": full.to_dict(), "spent": True}
        lost = _lost(request) if operation in _ON_BUNDLES else None
        if lost is not None:
            return {"error": lost.to_dict(), "spent": True}
        if isinstance(error, GatelessError):
            return {"error": error.to_dict(), "spent": _follows_panic(error)}
        return {"error": describe(operation, error).to_dict(), "spent": True}


def _without_room(folders: Iterable[str]) -> StorageError | None:
    """``disk-full`` where there is hardly any room in one of the folders that a job writes to."""
    for folder in folders:
        with contextlib.suppress(OSError):
            facts = os.statvfs(folder)
            if facts.f_blocks and facts.f_bavail * facts.f_frsize < _LEAST_ROOM:
                return no_room()
    return None


def _lost(request: Mapping[str, Any]) -> StorageError | None:
    """``bundle-damaged`` where a file of a job cannot be read.

    A process may read the folders that it was given at the start: where one was replaced meanwhile,
    it is left with the old one, from which all is gone, until it is replaced itself.
    """
    for path in view_of(request).read:
        try:
            path.open("rb").close()
        except OSError:
            return StorageError(
                "bundle-damaged",
                f"{path.name} went away while it was used",
                hint="try again; leave the files of versions that are served where they are",
            )
    return None


def _follows_panic(error: BaseException) -> bool:
    """Whether a panic lies behind an error: locks may be poisoned, memory lost."""
    cause: BaseException | None = error
    while cause is not None:
        if type(cause).__name__ == "PanicException":
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def describe(operation: str, error: BaseException) -> GatelessError:
    """An unforeseen exception as an error that says what happened."""
    kind = type(error).__name__
    if kind == "PanicException":
        return SandboxError(
            "worker-crashed",
            f"ezkl panicked during {operation}: {error}",
            hint="the model or its settings are beyond what ezkl can take",
            operation=operation,
        )
    return SandboxError(
        "worker-crashed",
        f"{operation} failed with {kind}: {error}",
        hint="report this with the model",
        operation=operation,
    )


def _settle_in(home: str) -> None:
    """Makes a folder the home of the next job: nothing of the last one's files is in reach."""
    os.chdir(home)
    os.environ |= {"HOME": home, "TMPDIR": home, "EZKL_REPO_PATH": os.path.join(home, "ezkl")}
    tempfile.tempdir = None


def _write(channel: IO[str], message: dict[str, Any]) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


def die_with_parent() -> None:
    """Asks Linux to kill this process with its parent; elsewhere the end of stdin must do."""
    import ctypes  # costs a few milliseconds

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    main()
