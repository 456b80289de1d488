"""What every content store can do, and the errors that every content store raises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from gateless.core.errors import StorageError
from gateless.core.ids import cid_of

#: Largest single file that is stored or fetched unless the caller asks for another limit.
DEFAULT_MAX_BYTES = 1 << 30

#: Called with the bytes done so far and, where known, the size of the whole.
ByteProgress = Callable[[int, int | None], None]


class BlobStore(Protocol):
    """A place where files are found by their sha256.

    No implementation ever returns bytes whose digest was not compared with the one asked for.
    """

    async def put(self, data: bytes | Path) -> str:
        """Stores bytes or a file; returns the sha256 in hex."""
        ...

    async def get(self, sha256: str, *, max_bytes: int = DEFAULT_MAX_BYTES) -> bytes:
        """The content as bytes.

        Raises:
            StorageError: ``content-not-found``, ``content-tampered``, ``content-too-large``,
                ``store-unreachable``, ``store-address-refused``.
        """
        ...

    async def fetch_to(
        self,
        sha256: str,
        dest: Path,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        progress: ByteProgress | None = None,
    ) -> None:
        """Writes the content to ``dest``, which appears complete or not at all.

        Raises:
            StorageError: as :meth:`get`.
        """
        ...

    async def has(self, sha256: str) -> bool:
        """Whether the content is there, without checking its digest."""
        ...


def not_found(sha256: str, where: str) -> StorageError:
    """``content-not-found``."""
    return StorageError(
        "content-not-found",
        f"no content {sha256} in {where}",
        hint="ask whoever published it to serve it, or add another store that holds "
        + cid_of(sha256),
        sha256=sha256,
    )


def tampered(sha256: str, found: str, where: str) -> StorageError:
    """``content-tampered``."""
    return StorageError(
        "content-tampered",
        f"content served as {sha256} by {where} has the digest {found}",
        hint="nothing was kept; fetch it from another store and tell the owner of this one",
        sha256=sha256,
        found=found,
        store=where,
    )


def too_large(max_bytes: int, where: str) -> StorageError:
    """``content-too-large``."""
    return StorageError(
        "content-too-large",
        f"content from {where} is larger than the {max_bytes} bytes allowed here",
        hint="raise the size limit if you expect a file this large",
        max_bytes=max_bytes,
        store=where,
    )


def unreachable(where: str, reason: str) -> StorageError:
    """``store-unreachable``."""
    return StorageError(
        "store-unreachable",
        f"the content store {where} cannot be reached: {reason}",
        hint="check the address and that the store is running, or name another store",
        store=where,
    )


def address_refused(where: str, reason: str) -> StorageError:
    """``store-address-refused``."""
    return StorageError(
        "store-address-refused",
        f"the content store {where} is not asked: {reason}",
        hint="a store on this machine or in its own network is asked only where the operator names"
        " it: --store URL",
        store=where,
    )
