"""The measured process: one operation, its answer in a file; :mod:`benchmarks.measuring` starts it.

    python -m benchmarks.child OPERATION FOLDER ADDRESS_SPACE_BYTES

It leaves by ``os._exit``: ezkl's coroutines sometimes crash at interpreter exit with the work done.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateless.core.errors import GatelessError
from gateless_proofs.worker import die_with_parent

OPERATIONS = {
    "reference": ("benchmarks.reference", "reference_outputs"),
    "default-settings": ("benchmarks.default_steps", "settle"),
    "default-setup": ("benchmarks.default_steps", "set_up"),
    "default-prove": ("benchmarks.default_steps", "prove"),
    "default-outputs": ("benchmarks.default_steps", "outputs"),
    "default-verifier": ("benchmarks.default_steps", "write_verifier"),
    "ours-build": ("benchmarks.our_steps", "build"),
    "ours-setup": ("benchmarks.our_steps", "set_up"),
    "ours-prove": ("benchmarks.our_steps", "prove"),
    "ours-outputs": ("benchmarks.our_steps", "outputs"),
}
_MAX_REASON = 600


def main() -> None:
    """Does what it is told and writes ``answer.json`` into its folder."""
    die_with_parent()
    operation, folder = sys.argv[1], Path(sys.argv[2])
    address_space = int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    answer = _answer(operation, request)
    # Kilobytes on Linux, where these figures are made.
    highest = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    answer["peak_bytes"] = highest << 10
    temporary = folder / "answer.part"
    temporary.write_text(json.dumps(answer), encoding="utf-8")
    temporary.rename(folder / "answer.json")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _answer(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    module, function = OPERATIONS[operation]
    work: Callable[[dict[str, Any]], dict[str, Any]]
    work = getattr(importlib.import_module(module), function)
    try:
        return {"result": work(request)}
    except GatelessError as error:
        reason = error.context.get("reason", "")
        return {"error": f"{error}{f': {reason}' if reason else ''}"[:_MAX_REASON]}
    # pyo3's PanicException is a BaseException; the process ends right after in any case.
    except BaseException as error:
        return {"error": f"{type(error).__name__}: {error}"[:_MAX_REASON]}


if __name__ == "__main__":
    main()
