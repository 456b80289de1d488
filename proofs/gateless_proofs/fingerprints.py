"""Digests of files that are asked for again and again, computed once as long as a file stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from gateless_proofs.bundle import sha256_of

#: device, inode, size, times of last change of content and of the inode, in nanoseconds
_Mark = tuple[int, int, int, int, int]


class Fingerprints:
    """Remembers sha256 digests by what the file system says about a file.

    A file that was replaced has another inode, one that was written to has other times. The time of
    the inode's last change cannot be set by its owner, so a tool that restores the other one is
    seen through as well.

    Args:
        digest: reads a file and returns its sha256.
    """

    def __init__(self, digest: Callable[[Path], str] = sha256_of) -> None:
        self._digest = digest
        self._known: dict[Path, tuple[_Mark, str]] = {}

    async def sha256(self, path: Path) -> str:
        """sha256 of a file, hex."""
        mark = _mark(path)
        known = self._known.get(path)
        if known is not None and known[0] == mark:
            return known[1]
        found = await asyncio.to_thread(self._digest, path)
        # Marked before it was read: a change meanwhile gives another mark the next time.
        self._known[path] = (mark, found)
        return found

    def forget(self, path: Path) -> None:
        """Has a file read the next time, whatever the file system says: disks rot in silence."""
        self._known.pop(path, None)


def _mark(path: Path) -> _Mark:
    facts = path.stat()
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns
