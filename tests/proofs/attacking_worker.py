"""What code of a hostile model could try, once it has taken over the process that runs it.

Preloaded into real worker processes by the tests: it adds an operation to those that they know.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)


def attack(request: dict[str, Any], _emit: object) -> dict[str, Any]:
    """Tries one thing; says what came of it, or what kept it from coming."""
    try:
        return {"did": ATTACKS[request["attack"]](request["target"])}
    except OSError as error:
        return {"refused": errno.errorcode.get(error.errno or 0, repr(error))}


def _called(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def connect(address: Any) -> str:
    with socket.create_connection(tuple(address), timeout=10) as there:
        return there.recv(100).decode()


def io_uring(_target: Any) -> int:
    """A way to open sockets that filters of the usual calls do not see."""
    parameters = ctypes.create_string_buffer(120)
    return _called(_LIBC.syscall(425, 4, ctypes.byref(parameters)))


def unix_socket(path: Any) -> str:
    with socket.socket(socket.AF_UNIX) as there:
        there.connect(path)
        return there.recv(100).decode()


def read(path: Any) -> str:
    return Path(path).read_text(encoding="utf-8")


def write(path: Any) -> str:
    Path(path).write_text("changed", encoding="utf-8")
    return "written"


def remove(path: Any) -> str:
    Path(path).unlink()
    return "removed"


def list_folder(path: Any) -> list[str]:
    return sorted(os.listdir(path))


def environment(pid: Any) -> str:
    return Path(f"/proc/{pid}/environ").read_text(encoding="utf-8")


def own_environment(_target: Any) -> dict[str, str]:
    return dict(os.environ)


def stop(pid: Any) -> str:
    os.kill(pid, signal.SIGUSR1)
    return "sent"


def trace(pid: Any) -> int:
    """PTRACE_SEIZE."""
    return _called(_LIBC.ptrace(0x4206, pid, 0, 0))


def memory_of(pid: Any) -> int:
    """process_vm_readv of nothing: refused or not, nothing is read."""
    return _called(_LIBC.process_vm_readv(pid, None, 0, None, 0, 0))


def limits_of(pid: Any) -> str:
    resource.prlimit(pid, resource.RLIMIT_NOFILE, resource.prlimit(pid, resource.RLIMIT_NOFILE))
    return "set"


def program(_target: Any) -> str:
    return subprocess.run(
        [sys.executable, "-c", "print('ran')"], capture_output=True
    ).stdout.decode()


def fork(_target: Any) -> str:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "forked"


def thread(_target: Any) -> str:
    """What must go on to work."""
    ran: list[str] = []
    other = threading.Thread(target=lambda: ran.append("ran"))
    other.start()
    other.join()
    return ran[0]


def namespace(_target: Any) -> int:
    return _called(_LIBC.unshare(0x10000000))


def queue(_target: Any) -> int:
    """A System V queue, which other processes could listen to."""
    return _called(_LIBC.msgget(0, 0o1600))


def capabilities(_target: Any) -> str:
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines()
    return next(line.split()[1] for line in lines if line.startswith("CapEff:"))


def files(_target: Any) -> list[int]:
    """Open files, by number."""
    found = []
    for number in range(256):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found


def memory(amount: Any) -> int:
    return len(bytearray(amount))


def big_file(size: Any) -> str:
    with open("big", "wb") as file:
        file.truncate(size)
    return "made"


def spin(_target: Any) -> str:
    while True:
        pass


ATTACKS: dict[str, Callable[[Any], Any]] = {
    action.__name__: action
    for action in (
        *(connect, io_uring, unix_socket, read, write, remove, list_folder, environment),
        *(own_environment, stop, trace, memory_of, limits_of, program, fork, thread, namespace),
        *(queue, capabilities, files, memory, big_file, spin),
    )
}

_worker = sys.modules["__main__"]
if hasattr(_worker, "OPERATIONS"):
    _worker.OPERATIONS["attack"] = ("attacking_worker", "attack")
