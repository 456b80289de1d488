"""Embedded databases and the lock that keeps a folder to one process."""

from __future__ import annotations

from gateless.adapters.db.engine import open_sqlite
from gateless.adapters.db.process_lock import ProcessLock

__all__ = ["ProcessLock", "open_sqlite"]
