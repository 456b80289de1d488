"""A node's files by content: received in pieces, checked, kept until their room is needed."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from gateless.core.errors import StorageError

from gateless_proofs.bundle import sha256_of
from gateless_proofs.fingerprints import Fingerprints

_PART = ".part"


class NodeFiles:
    """Files named by their sha256, in a folder for each bundle; agents of a machine may share them.

    A folder for each bundle, since a worker is shown the folders of the files that its job names:
    so it sees nothing of other bundles.

    Args:
        root: created on first use.
        max_bytes: the files that were used least recently go when there are more.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self.root = root
        self._max_bytes = max_bytes
        self._fingerprints = Fingerprints()
        self._parts: dict[Path, tuple[Path, int]] = {}
        #: not in the files' own times: a change of those would have them read again
        self._used: dict[Path, float] = {}

    def path_of(self, domain: str, digest: str) -> Path:
        """Where a file of a bundle is, or would be."""
        return self.root / domain / digest

    async def has(self, path: Path) -> bool:
        """Whether a file is here and is what its name says. A damaged one is removed."""
        try:
            found = await self._fingerprints.sha256(path)
        except OSError:
            return False
        if found != path.name:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            return False
        self._used[path] = time.time()
        return True

    async def receive(self, path: Path, offset: int, piece: bytes, *, last: bool) -> None:
        """Takes the next piece of a file; with the last one it is checked and gets its name.

        Raises:
            StorageError: ``content-tampered`` where it is not the file that its name says.
        """
        if offset == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._drop(path)
            self._parts[path] = path.with_name(f"{secrets.token_hex(8)}{_PART}"), 0
        part, written = self._parts.get(path, (path, -1))
        if offset != written:
            raise _damaged(path.name, f"a piece at {offset} where {written} was next")
        await asyncio.to_thread(_append, part, piece)
        self._parts[path] = part, written + len(piece)
        if last:
            del self._parts[path]
            await asyncio.to_thread(_finish, part, path)

    async def make_room(self, keep: Collection[Path]) -> None:
        """Removes what was used least recently, as far as there is too much.

        Args:
            keep: what is in use, and stays.
        """
        await asyncio.to_thread(self._make_room, frozenset(keep))

    def _drop(self, path: Path) -> None:
        part, _ = self._parts.pop(path, (None, 0))
        if part is not None:
            part.unlink(missing_ok=True)

    def _make_room(self, keep: frozenset[Path]) -> None:
        entries = []
        for path in self.root.glob("*/*"):
            with suppress(OSError):
                facts = path.stat()
                entries.append((self._used.get(path, facts.st_mtime), facts.st_size, path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self._max_bytes:
                return
            if path in keep or path.suffix == _PART:
                continue
            with suppress(OSError):
                path.unlink()
                total -= size


def _finish(part: Path, path: Path) -> None:
    try:
        found = sha256_of(part)
        if found != path.name:
            raise _damaged(path.name, f"its sha256 is {found}")
        part.chmod(0o400)
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def _append(path: Path, piece: bytes) -> None:
    with path.open("ab") as stream:
        stream.write(piece)


def _damaged(digest: str, how: str) -> StorageError:
    return StorageError(
        "content-tampered",
        f"file {digest} did not arrive whole: {how}",
        hint="it is sent again; if that does not help, look at the network and the node's disk",
    )
