"""What strangers are told of errors by HTTP."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gateless.adapters.db import DatabaseUrl
from gateless.adapters.db.faults import damaged, describe
from gateless.core.errors import FundsError
from gateless.daemon.statuses import public, status_of


def test_a_programs_own_database_is_nobody_elses_business() -> None:
    path = Path("/var/lib/secret-place/journal.db")
    url = DatabaseUrl.of_path(path)
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    away = describe(ConnectionRefusedError("10.1.2.3"), url)
    for error in (damaged(url, "malformed"), describe(full, url), away):
        assert error is not None
        assert "secret-place" in error.message
        told = public(error)
        assert told["code"] == error.code
        assert "secret-place" not in str(told)
        assert "10.1.2.3" not in str(told)
        assert status_of(error) == 503


def test_everything_else_is_told_whole() -> None:
    error = FundsError("no-receipt-slot", "all 5 slots are used", hint="wait", epoch=7)
    assert public(error) == error.to_dict()
