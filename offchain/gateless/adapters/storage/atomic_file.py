"""Files that appear under their name only when complete and of the expected digest."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from gateless.adapters.storage.protocol import tampered, too_large
from gateless.core.disks import needs_room

CHUNK_BYTES = 1 << 20
_PART = ".part"


class DigestingFile:
    """A temporary file that hashes what is written to it; :meth:`commit` renames it into place.

    Leaving the ``with`` block without a commit removes the temporary file, so that a broken
    transfer leaves nothing that could be taken for content. (A killed process may leave a
    ``.part`` file behind: nothing ever reads those; :func:`remove_leftovers` removes them.)

    Args:
        directory: where the temporary file lives; on the file system of the destination.
        where: name of the source, for error messages.
        max_bytes: largest accepted length.
        expected: sha256 that the content must have, where it is known beforehand.
    """

    def __init__(
        self, directory: Path, *, where: str, max_bytes: int, expected: str | None = None
    ) -> None:
        self._directory = directory
        self._where = where
        self._max_bytes = max_bytes
        self._expected = expected
        self._hash = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> Self:
        with needs_room():
            self._directory.mkdir(parents=True, exist_ok=True)
            self._path = self._directory / f".{secrets.token_hex(12)}{_PART}"
            self._file = self._path.open("xb")
        return self

    def write(self, chunk: bytes) -> None:
        """Appends a chunk.

        Raises:
            StorageError: ``content-too-large``, before the chunk that exceeds the limit is written;
                ``disk-full``.
        """
        self.size += len(chunk)
        if self.size > self._max_bytes:
            raise too_large(self._max_bytes, self._where)
        self._hash.update(chunk)
        with needs_room():
            self._file.write(chunk)

    def digest(self) -> str:
        """sha256 of what was written so far, hex."""
        return self._hash.hexdigest()

    def commit(self, dest: Path) -> str:
        """Checks the digest, makes the content durable and gives it its name; returns the digest.

        Raises:
            StorageError: ``content-tampered``, ``disk-full``.
        """
        digest = self.digest()
        if self._expected is not None and digest != self._expected:
            raise tampered(self._expected, digest, self._where)
        with needs_room():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            dest.parent.mkdir(parents=True, exist_ok=True)
            self._path.replace(dest)
            sync_directory(dest.parent)
        return digest

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # what is buffered yet finds no room either, and is not wanted
            self._file.close()
        self._path.unlink(missing_ok=True)


def remove_leftovers(directory: Path, older_than: float = 0.0) -> int:
    """Removes what killed processes left of files in the making; returns how many there were.

    Args:
        directory: where temporary files live.
        older_than: seconds since the last write, below which somebody may still be writing.
    """
    removed = 0
    for path in directory.glob(f".*{_PART}"):
        with contextlib.suppress(FileNotFoundError):  # it was just completed
            if time.time() - path.stat().st_mtime >= older_than:
                path.unlink()
                removed += 1
    return removed


def sync_directory(directory: Path) -> None:
    """Makes a rename in ``directory`` durable: without it the name may be lost in a power cut."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
