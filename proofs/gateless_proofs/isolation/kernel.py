"""System calls that Python does not offer, by ctypes: nothing has to be compiled to be safe."""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any

X86_64 = "x86_64"
AARCH64 = "aarch64"

CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522


def machine() -> str:
    """The processor's architecture as Linux spells it; empty on other systems."""
    return platform.machine() if platform.system() == "Linux" else ""


def syscall(numbers: dict[str, int], *arguments: Any) -> int:
    """Calls the kernel.

    Args:
        numbers: the call's number by architecture.
        arguments: integers, bytes, None, or what ctypes passes by reference.

    Raises:
        OSError: what the kernel says; ``ENOSYS`` on other systems.
    """
    number = numbers.get(machine())
    if number is None:
        raise OSError(38, "no such system call here")
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    library = ctypes.CDLL(None, use_errno=True)
    result = int(library.syscall(ctypes.c_long(number), *passed))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def everywhere(number: int) -> dict[str, int]:
    """A call that came so late that it has one number on all architectures."""
    return {X86_64: number, AARCH64: number}


def unshare(flags: int) -> None:
    """Puts this process into new namespaces.

    Raises:
        OSError: it is not permitted.
    """
    syscall({X86_64: 272, AARCH64: 97}, flags)


def give_up_privileges() -> None:
    """Gives up every capability and the way to get one back: programs with more rights than this
    process would be started without them.

    Raises:
        OSError: the kernel is no Linux.
    """
    prctl = {X86_64: 157, AARCH64: 167}
    syscall(prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    syscall({X86_64: 126, AARCH64: 91}, ctypes.byref(header), ctypes.byref(nothing))
