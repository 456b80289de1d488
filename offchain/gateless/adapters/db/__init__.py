"""Databases by URL, their migrations, and locks that keep what is there to one process."""

from __future__ import annotations

from gateless.adapters.db.columns import RequestId, RowId, Words
from gateless.adapters.db.engine import Database, open_database
from gateless.adapters.db.migrating import migrate
from gateless.adapters.db.process_lock import ProcessLock
from gateless.adapters.db.upsert import upsert
from gateless.adapters.db.url import DatabaseUrl

__all__ = [
    "Database",
    "DatabaseUrl",
    "ProcessLock",
    "RequestId",
    "RowId",
    "Words",
    "migrate",
    "open_database",
    "upsert",
]
