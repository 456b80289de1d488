"""A network without interfaces, and System V queues of one's own."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from gateless_proofs.isolation.kernel import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWUSER,
    unshare,
)

_SELF = Path("/proc/self")


def enter_namespaces() -> bool:
    """Leaves the machine's network: whether that was permitted.

    In a user namespace, which most systems let anybody make; else, where the process may, without.
    The process must have one thread. It is root in its own namespace until it gives that up.
    """
    user, group = os.geteuid(), os.getegid()
    try:
        unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC)
    except OSError:
        try:
            unshare(CLONE_NEWNET | CLONE_NEWIPC)
        except OSError:
            return False
        return True
    # Files keep their owners either way; with these lines the process also sees who they are.
    with contextlib.suppress(OSError):
        (_SELF / "setgroups").write_text("deny", encoding="ascii")
        (_SELF / "uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        (_SELF / "gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    return True
