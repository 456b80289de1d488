"""When a disk is full: told apart from everything else that may go wrong with files."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from gateless.core.errors import StorageError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
#: as the system says it, and libraries repeat it in errors of their own
_SAID = "No space left on device"


def disk_full(error: BaseException) -> StorageError | None:
    """``disk-full`` where that is what an error, or one of those behind it, comes from."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, StorageError) and cause.code == "disk-full":
            return cause
        if (isinstance(cause, OSError) and cause.errno in _FULL) or _SAID in str(cause):
            return no_room()
        cause = cause.__cause__ or cause.__context__
    return None


def no_room() -> StorageError:
    """``disk-full``. Which path is full is nobody else's business: strangers read statuses."""
    return StorageError(
        "disk-full",
        "there is no room left on a disk that files are written to",
        hint="make room where the home folder and temporary files (TMPDIR) are; work goes on by"
        " itself",
    )


@contextmanager
def needs_room() -> Iterator[None]:
    """Has whatever is written in it raise ``disk-full`` where there is no room.

    Raises:
        StorageError: ``disk-full``.
    """
    try:
        yield
    except OSError as error:
        full = disk_full(error)
        if full is None:
            raise
        raise full from error
