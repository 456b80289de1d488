"""A content store in a local folder."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from gateless.adapters.storage.atomic_file import CHUNK_BYTES, DigestingFile, remove_leftovers
from gateless.adapters.storage.protocol import (
    DEFAULT_MAX_BYTES,
    ByteProgress,
    not_found,
    tampered,
    too_large,
)
from gateless.core.errors import InputError
from gateless.core.ids import parse_digest

#: What nobody wrote to for so long, nobody is writing.
_LEFT_SECONDS = 86_400.0


class LocalStore:
    """Files under ``<root>/<first two hex digits>/<sha256>``, written through ``<root>/incoming``.

    The folder is not trusted: a file whose bytes no longer match its name is reported as tampered,
    never returned.

    Args:
        root: folder of the store; created when first written to.
        max_bytes: largest file that :meth:`put` takes.
    """

    def __init__(self, root: Path, *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.root = root
        self.max_bytes = max_bytes

    def path_of(self, sha256: str) -> Path:
        """Where content of this digest lies (whether it is there or not)."""
        digest = parse_digest(sha256)
        return self.root / digest[:2] / digest

    async def put(self, data: bytes | Path) -> str:
        """Stores bytes or a file; storing the same content again repairs a damaged copy."""
        return await asyncio.to_thread(self._put, data)

    async def get(self, sha256: str, *, max_bytes: int = DEFAULT_MAX_BYTES) -> bytes:
        """The content as bytes, its digest checked."""

        def read() -> bytes:
            return b"".join(self._checked_chunks(parse_digest(sha256), max_bytes))

        return await asyncio.to_thread(read)

    async def fetch_to(
        self,
        sha256: str,
        dest: Path,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        progress: ByteProgress | None = None,
    ) -> None:
        """Copies the content to ``dest``, its digest checked on the way."""
        digest = parse_digest(sha256)

        def copy() -> None:
            with DigestingFile(
                dest.parent, where=str(self.root), max_bytes=max_bytes, expected=digest
            ) as file:
                for chunk in self._checked_chunks(digest, max_bytes):
                    file.write(chunk)
                    if progress is not None:
                        progress(file.size, None)
                file.commit(dest)

        await asyncio.to_thread(copy)

    async def has(self, sha256: str) -> bool:
        """Whether a file of this name is there."""
        return await asyncio.to_thread(self.path_of(sha256).is_file)

    def open_verified(self, sha256: str) -> tuple[BufferedReader, int]:
        """Opens content and checks its digest on the open file; returns the file and its size.

        Blocking; for servers that must know that content is right before they send a header.
        """
        digest = parse_digest(sha256)
        file = self._open(digest)
        try:
            self._check(file, digest)
            file.seek(0)
            return file, os.fstat(file.fileno()).st_size
        except BaseException:
            file.close()
            raise

    def incoming(self, expected: str, *, max_bytes: int, where: str) -> DigestingFile:
        """A file to stream content of a known digest into; commit it to :meth:`path_of`."""
        return DigestingFile(
            self.root / "incoming",
            where=where,
            max_bytes=min(max_bytes, self.max_bytes),
            expected=expected,
        )

    def remove_leftovers(self) -> int:
        """Removes what killed processes left of files in the making; returns how many there were.

        Others may be writing to the store: what was touched within a day is left. Blocking.
        """
        return remove_leftovers(self.root / "incoming", _LEFT_SECONDS)

    def _put(self, data: bytes | Path) -> str:
        source = str(data) if isinstance(data, Path) else "the caller"
        with DigestingFile(self.root / "incoming", where=source, max_bytes=self.max_bytes) as file:
            for chunk in _chunks_of(data):
                file.write(chunk)
            return file.commit(self.path_of(file.digest()))

    def _check(self, file: BufferedReader, digest: str) -> None:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            raise tampered(digest, found, str(self.root))

    def _open(self, digest: str) -> BufferedReader:
        try:
            return self.path_of(digest).open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise not_found(digest, str(self.root)) from None

    def _checked_chunks(self, digest: str, max_bytes: int) -> Iterator[bytes]:
        """The content in chunks; raises after the last one where the digest is wrong."""
        seen = hashlib.sha256()
        size = 0
        with self._open(digest) as file:
            while chunk := file.read(CHUNK_BYTES):
                size += len(chunk)
                if size > max_bytes:
                    raise too_large(max_bytes, str(self.root))
                seen.update(chunk)
                yield chunk
        if seen.hexdigest() != digest:
            raise tampered(digest, seen.hexdigest(), str(self.root))


def _chunks_of(data: bytes | Path) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield data
        return
    try:
        with data.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InputError(
            "file-not-found", f"there is no file {data}", hint="check the path"
        ) from error
