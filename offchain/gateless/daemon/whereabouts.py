"""Where a running program serves: written into its folder, for commands on this machine.

What is written may be out of date after a crash: whoever reads it asks the address, and believes
only an answer for the right account.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FILE = "serving.json"


@contextmanager
def announced(folder: Path, url: str) -> Iterator[None]:
    """Writes an address down for the length of the block; nothing where nothing is served."""
    if not url:
        yield
        return
    path = folder / _FILE
    written = path.with_suffix(".new")
    written.write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
    written.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def find_announced(folder: Path) -> str | None:
    """The address that was written last; None where none was, or its program ended in order."""
    try:
        told = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return str(told["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
