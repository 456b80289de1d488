"""A local store in front of a remote one."""

from __future__ import annotations

from pathlib import Path

from gateless.adapters.storage.local import LocalStore
from gateless.adapters.storage.protocol import DEFAULT_MAX_BYTES, BlobStore, ByteProgress
from gateless.core.errors import StorageError

#: What a remote copy can heal. One that is too large may be a damaged one, to which was added.
_HEALED_BY_REMOTE = frozenset({"content-not-found", "content-tampered", "content-too-large"})


class CachingStore:
    """Reads locally, else remotely, and keeps what it read: whoever uses content also serves it.

    A damaged local copy is replaced by a good remote one. :meth:`put` writes locally only.
    """

    def __init__(self, local: LocalStore, remote: BlobStore) -> None:
        self.local = local
        self._remote = remote

    async def put(self, data: bytes | Path) -> str:
        """Stores locally."""
        return await self.local.put(data)

    async def has(self, sha256: str) -> bool:
        """Whether either store has the content."""
        return await self.local.has(sha256) or await self._remote.has(sha256)

    async def get(self, sha256: str, *, max_bytes: int = DEFAULT_MAX_BYTES) -> bytes:
        """The content as bytes, its digest checked."""
        try:
            return await self.local.get(sha256, max_bytes=max_bytes)
        except StorageError as error:
            await self._heal(sha256, error, max_bytes, None)
        return await self.local.get(sha256, max_bytes=max_bytes)

    async def fetch_to(
        self,
        sha256: str,
        dest: Path,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        progress: ByteProgress | None = None,
    ) -> None:
        """Writes the content to ``dest``."""
        try:
            await self.local.fetch_to(sha256, dest, max_bytes=max_bytes, progress=progress)
        except StorageError as error:
            await self._heal(sha256, error, max_bytes, progress)
            await self.local.fetch_to(sha256, dest, max_bytes=max_bytes)

    async def _heal(
        self, sha256: str, error: StorageError, max_bytes: int, progress: ByteProgress | None
    ) -> None:
        if error.code not in _HEALED_BY_REMOTE:
            raise error
        try:
            await self._remote.fetch_to(
                sha256, self.local.path_of(sha256), max_bytes=max_bytes, progress=progress
            )
        except StorageError as remote:
            # That a local copy is damaged must not be hidden by nobody else having one.
            if error.code != "content-not-found" and remote.code == "content-not-found":
                raise error from remote
            raise
