"""A view of the file system by Landlock, https://docs.kernel.org/userspace-api/landlock.html.

Linux has it since 5.13, and any process may use it. It holds for the thread that asks and for all
that it starts: so the process must have one thread.
"""

from __future__ import annotations

import ctypes
import os
import stat
from pathlib import Path

from gateless_proofs.isolation.kernel import everywhere, syscall
from gateless_proofs.isolation.views import View, device_files, runtime_files

_CREATE_RULESET = everywhere(444)
_ADD_RULE = everywhere(445)
_RESTRICT_SELF = everywhere(446)
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1

# Rights to files, https://docs.kernel.org/userspace-api/landlock.html#filesystem-flags
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_MAKE_CHAR = 1 << 6
_MAKE_SOCK = 1 << 9
_MAKE_BLOCK = 1 << 11
_TRUNCATE = 1 << 14
_OF_FILES = _WRITE_FILE | _READ_FILE | _TRUNCATE
_READING = _READ_FILE | _READ_DIR
#: how many of the rights a version of Landlock knows; what it does not know it does not refuse
_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15}
_ALL_RIGHTS = 16
_TCP_RIGHTS = 0b11
_SCOPES = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def landlock_abi() -> int:
    """The version of Landlock that this kernel has; 0 where there is none."""
    try:
        return syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict_to(view: View) -> None:
    """Leaves this thread, for good, no files but those of a view and of the libraries; also no TCP
    port, and no signal to or abstract socket of a process outside, where the kernel can do that.

    Raises:
        OSError: the kernel has no Landlock, or it is switched off.
    """
    abi = landlock_abi()
    handled = (1 << _RIGHTS_BY_ABI.get(abi, _ALL_RIGHTS)) - 1
    rules = _Ruleset(handled, _TCP_RIGHTS if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    descriptor = syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.sizeof(rules), 0)
    try:
        for path in (*runtime_files(), *view.read):
            _allow(descriptor, path, handled & _READING)
        for path in device_files():
            _allow(descriptor, path, handled & (_READ_FILE | _WRITE_FILE))
        for path in view.write:
            _allow(descriptor, path, handled & ~(_MAKE_CHAR | _MAKE_BLOCK | _MAKE_SOCK))
        syscall(_RESTRICT_SELF, descriptor, 0)
    finally:
        os.close(descriptor)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no right; the operation says so
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        rule = _PathBeneath(rights, place)
        syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(place)
