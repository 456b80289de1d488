"""A view of the file system by mounts: a new root in memory, in which the files of the view appear.

For kernels without Landlock. The process needs a user namespace of its own, or to be root.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from gateless_proofs.isolation.kernel import (
    AARCH64,
    CLONE_NEWNS,
    X86_64,
    everywhere,
    syscall,
    unshare,
)
from gateless_proofs.isolation.views import View, device_files, runtime_files

_MOUNT = {X86_64: 165, AARCH64: 40}
_UNMOUNT = {X86_64: 166, AARCH64: 39}
_PIVOT_ROOT = {X86_64: 155, AARCH64: 41}
_MOUNT_SETATTR = everywhere(442)

_MS_NOSUID = 2
_MS_NODEV = 4
_MS_BIND = 4096
_MS_REC = 16384
_MS_PRIVATE = 1 << 18
_MNT_DETACH = 2
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_ATTR_RDONLY = 1
_ATTR_NOSUID = 2
_OLD_ROOT = ".old"


class _MountAttributes(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def mount_view(view: View, workshop: Path) -> None:
    """Leaves this process, for good, no files but those of a view and of the libraries.

    Args:
        view: files that stay, under their names.
        workshop: an empty folder to build the new root in.

    Raises:
        OSError: it is not permitted, or the kernel is older than 5.12. The process must end then:
            it may stand between two roots.
    """
    here = Path.cwd()
    unshare(CLONE_NEWNS)
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    root = str(workshop)
    _mount("tmpfs", root, "tmpfs", _MS_NOSUID | _MS_NODEV)
    for path in (*runtime_files(), *view.read):
        _show(path, root, read_only=True)
    for path in (*device_files(), *view.write):
        _show(path, root, read_only=False)
    old = os.path.join(root, _OLD_ROOT)
    os.mkdir(old)
    syscall(_PIVOT_ROOT, root.encode(), old.encode())
    os.chdir("/")
    syscall(_UNMOUNT, f"/{_OLD_ROOT}".encode(), _MNT_DETACH)
    os.rmdir(f"/{_OLD_ROOT}")
    _set_attributes("/", _ATTR_RDONLY, recursive=False)
    os.chdir(here)


def _show(path: Path, root: str, *, read_only: bool) -> None:
    """Binds a path to its own name under the new root, and to the name that links lead to."""
    for name in dict.fromkeys((path, path.resolve())):
        if not os.path.exists(path):  # also where it may not be seen
            return  # what is not there cannot be shown; the operation says so
        target = root + str(name)
        if path.is_dir():
            os.makedirs(target, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if not os.path.exists(target):
                os.close(os.open(target, os.O_CREAT | os.O_CLOEXEC, 0o600))
        _mount(str(path), target, None, _MS_BIND | _MS_REC)
        _set_attributes(target, (_ATTR_RDONLY if read_only else 0) | _ATTR_NOSUID, recursive=True)


def _mount(source: str | None, target: str, kind: str | None, flags: int) -> None:
    syscall(_MOUNT, _bytes(source), _bytes(target), _bytes(kind), flags, None)


def _set_attributes(target: str, attributes: int, *, recursive: bool) -> None:
    change = _MountAttributes(attributes, 0, 0, 0)
    syscall(
        _MOUNT_SETATTR,
        _AT_FDCWD,
        target.encode(),
        _AT_RECURSIVE if recursive else 0,
        ctypes.byref(change),
        ctypes.sizeof(change),
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
