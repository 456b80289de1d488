"""The subprocess: one operation per process, JSON request on stdin, JSON lines on stdout.

Libraries print to stdout as they please, so the real stdout is put aside at the start and file
descriptor 1 points to stderr. The process leaves with ``os._exit``: ezkl's coroutines sometimes
crash at interpreter exit with the work done.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import IO, Any

from gateless.core.errors import GatelessError, SandboxError

#: operation -> module and function; imported on demand, since imports cost more than small proofs
OPERATIONS = {
    "inspect": ("gateless_proofs.onnx_checks", "inspect_model"),
    "reference": ("gateless_proofs.reference", "run_reference"),
    "search": ("gateless_proofs.search", "search_circuit"),
    "rebuild": ("gateless_proofs.circuit", "rebuild"),
    "srs": ("gateless_proofs.circuit", "make_development_srs"),
    "public_srs": ("gateless_proofs.circuit", "fetch_public_srs"),
    "setup": ("gateless_proofs.circuit", "set_up"),
    "witness": ("gateless_proofs.proving", "generate_witness"),
    "outputs": ("gateless_proofs.proving", "generate_outputs"),
    "prove": ("gateless_proofs.proving", "generate_proof"),
    "verify": ("gateless_proofs.proving", "verify_proof"),
    "commit": ("gateless_proofs.proving", "commit_input"),
}

Emit = Callable[[str, float], None]
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Reads the request, does it, answers and leaves without interpreter shutdown."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _die_with_parent()
    payload = json.load(sys.stdin)
    memory = int(payload["memory_bytes"])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _write(channel, _answer(channel, payload["operation"], payload["request"]))
    sys.stderr.flush()
    os._exit(0)


def _answer(channel: IO[str], operation: str, request: dict[str, Any]) -> dict[str, Any]:
    def emit(stage: str, fraction: float) -> None:
        _write(channel, {"progress": [stage, round(min(max(fraction, 0.0), 1.0), 4)]})

    try:
        module, function = OPERATIONS[operation]
        work: Callable[[dict[str, Any], Emit], dict[str, Any]]
        work = getattr(importlib.import_module(module), function)
        return {"result": work(request, emit)}
    except GatelessError as error:
        return {"error": error.to_dict()}
    except MemoryError as error:
        return {"error": SandboxError("memory-limit", f"out of memory: {error}").to_dict()}
    # pyo3's PanicException is a BaseException; the process ends right after in any case.
    except BaseException as error:
        return {"error": describe(operation, error).to_dict()}


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


def _write(channel: IO[str], message: dict[str, Any]) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


def _die_with_parent() -> None:
    """Asks Linux to kill this process with its parent; elsewhere the time limit must do."""
    import ctypes  # costs a few milliseconds, needed nowhere else

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    main()
