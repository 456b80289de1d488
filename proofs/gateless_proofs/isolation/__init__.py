"""Keeps a process that runs strangers' models away from everything else.

Two steps, since a process is started before it is known whose model it will run:
:func:`enter` leaves the network when the process starts, :func:`confine` leaves the rest before the
first job, in a process that has one thread still. What each mechanism guarantees is in
``docs/sandbox.md``.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from gateless.core.errors import SandboxError

from gateless_proofs.isolation.filters import install_filter
from gateless_proofs.isolation.kernel import give_up_privileges
from gateless_proofs.isolation.landlock import landlock_abi, restrict_to
from gateless_proofs.isolation.mounts import mount_view
from gateless_proofs.isolation.namespaces import enter_namespaces
from gateless_proofs.isolation.views import View, folders_of, view_of

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "Files",
    "Isolation",
    "Network",
    "View",
    "Ways",
    "confine",
    "enter",
    "folders_of",
    "view_of",
]

_SELF = Path("/proc/self")


class Network(StrEnum):
    """What keeps a process from the network."""

    NAMESPACE = "namespace"
    SECCOMP = "seccomp"
    NONE = "none"


class Files(StrEnum):
    """What keeps a process from files that are not its own."""

    LANDLOCK = "landlock"
    MOUNTS = "mounts"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Isolation:
    """What holds for processes that run models, on this machine.

    Attributes:
        network: what keeps them from the network.
        files: what keeps them from files.
        filtered: whether a filter of system calls is on as well: it keeps them from other
            processes, and from starting any.
    """

    network: Network = Network.NONE
    files: Files = Files.NONE
    filtered: bool = False

    @property
    def sufficient(self) -> bool:
        """Whether strangers' models may be run: without a network, there is nobody to tell."""
        return self.network is not Network.NONE

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Isolation:
        """What :meth:`to_dict` wrote."""
        return cls(Network(data["network"]), Files(data["files"]), bool(data["filtered"]))

    def text(self) -> str:
        """For people, in one line."""
        calls = "filtered" if self.filtered else "not filtered"
        return f"network: {self.network}, files: {self.files}, system calls: {calls}"


@dataclass(frozen=True, slots=True)
class Ways:
    """Mechanisms that may be used; each is used where the system permits it.

    Attributes:
        namespaces: to leave the network.
        seccomp: to filter system calls.
        landlock: for files.
        mounts: for files, where Landlock does not do it.
    """

    namespaces: bool = True
    seccomp: bool = True
    landlock: bool = True
    mounts: bool = True

    def text(self) -> str:
        """For a command line."""
        return ",".join(field.name for field in fields(self) if getattr(self, field.name))

    @classmethod
    def from_text(cls, text: str) -> Ways:
        """What :meth:`text` wrote."""
        named = text.split(",")
        return cls(**{field.name: field.name in named for field in fields(cls)})


EVERYTHING = Ways()
#: for jobs in which no stranger has a word
NOTHING = Ways(namespaces=False, seccomp=False, landlock=False, mounts=False)


def enter(ways: Ways) -> bool:
    """Leaves the network, if that is permitted; to be called while there is one thread."""
    return ways.namespaces and enter_namespaces()


def confine(ways: Ways, view: View, workshop: Path, *, entered: bool) -> Isolation:
    """Leaves, for good, everything but the files of a view.

    Args:
        ways: mechanisms that may be used.
        view: what the process may still read and write.
        workshop: an empty folder of its own.
        entered: what :func:`enter` said.

    Raises:
        SandboxError: ``sandbox-unavailable`` where the process has several threads already, or a
            mechanism that is there failed half-way.
    """
    if ways == NOTHING:
        return Isolation()
    if _thread_count() > 1:
        raise _failed("it has several threads")
    try:
        files = _confine_files(ways, view, workshop)
        with contextlib.suppress(OSError):  # not Linux
            give_up_privileges()
        if files is Files.LANDLOCK:
            restrict_to(view)
    except OSError as error:
        raise _failed(str(error)) from error
    filtered = False
    if ways.seccomp:
        with contextlib.suppress(OSError):  # not Linux, or not permitted
            install_filter()
            filtered = True
    network = Network.NAMESPACE if entered else Network.SECCOMP if filtered else Network.NONE
    return Isolation(network, files, filtered)


def _confine_files(ways: Ways, view: View, workshop: Path) -> Files:
    """How files are kept away. Mounts must be made now, while the process may; Landlock comes after
    that."""
    if ways.landlock and landlock_abi() > 0:
        return Files.LANDLOCK
    if not ways.mounts:
        return Files.NONE
    if not _may_mount():
        return Files.NONE
    mount_view(view, workshop)
    return Files.MOUNTS


def _may_mount() -> bool:
    """Whether this process may make mounts, and files in them: it has CAP_SYS_ADMIN in its user
    namespace, and that knows its user. Root without capabilities, as in some containers, may not
    tell it.
    """
    try:
        status = (_SELF / "status").read_text(encoding="ascii")
        is_known = bool((_SELF / "uid_map").read_text(encoding="ascii").strip())
    except OSError:
        return False
    effective = next((e for e in status.splitlines() if e.startswith("CapEff:")), "CapEff: 0")
    return is_known and bool(int(effective.split()[1], 16) >> 21 & 1)


def _thread_count() -> int:
    try:
        return len(os.listdir(_SELF / "task"))
    except OSError:
        return 1


def _failed(why: str) -> SandboxError:
    return SandboxError(
        "sandbox-unavailable",
        f"the process that was to run the model could not be confined: {why}",
        hint="see docs/sandbox.md; report it with the version of your kernel",
    )
