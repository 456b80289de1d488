"""Scratch folders beside the target of a build. They end with the build, or, where its process was
killed, with the next build of the same target."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """A new folder, locked while it is in use; what killed builds of the target left is removed."""
    parent = target.parent.resolve()
    parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.name}-"
    with _locked(parent):  # nobody looks between the making of a folder and its lock
        for left in sorted(parent.glob(f"{prefix}*")):
            _remove_if_free(left)
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _remove_if_free(folder: Path) -> None:
    with suppress(OSError):  # still in use, or gone meanwhile
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
