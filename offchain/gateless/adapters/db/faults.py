"""What goes wrong with databases, in words and with what to do about it."""

from __future__ import annotations

import sqlite3

from sqlalchemy import exc

from gateless.adapters.db.url import DatabaseUrl
from gateless.core.errors import ConfigError, DatabaseError, GatelessError

_FULL = {sqlite3.SQLITE_FULL}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_TOO_LONG = {sqlite3.SQLITE_INTERRUPT}
_AWAY = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}

# Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html
_PG_FULL = ("53100",)
_PG_BUSY = ("53200", "53300", "40", "55P03")
_PG_TOO_LONG = ("57014",)
_PG_REFUSED = ("28", "3D", "42501")
_PG_AWAY = ("08", "57P", "58", "25006")
_PG_DAMAGED = ("XX001", "XX002")


def describe(error: BaseException, url: DatabaseUrl) -> GatelessError | None:
    """The error for users that a database's error amounts to; None for a defect of ours.

    Args:
        error: as SQLAlchemy or the driver raised it.
        url: of the database.
    """
    if isinstance(error, GatelessError):
        return None
    if isinstance(error, exc.TimeoutError):
        return _busy(url, "all connections are in use")
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _sqlite(cause, url)
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return _postgresql(str(state), str(cause), url)
    if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
        return _away(url, "the connection was lost")
    if isinstance(cause, OSError | TimeoutError) or _is_asyncpg(cause):
        return _away(url, str(cause) or type(cause).__name__)
    return None


def _is_asyncpg(error: BaseException | None) -> bool:
    """Whether the PostgreSQL driver raised it; known by name, as it is loaded only where used."""
    return type(error).__module__.partition(".")[0] == "asyncpg"


def _sqlite(error: sqlite3.Error, url: DatabaseUrl) -> GatelessError | None:
    # The low byte is the primary code: https://www.sqlite.org/rescode.html
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _FULL:
        return _full(url)
    if code in _DAMAGED:
        return damaged(url, str(error))
    if code in _BUSY:
        return _busy(url, str(error))
    if code in _TOO_LONG:
        return _too_long(url)
    if code in _AWAY:
        return _away(url, str(error))
    return None


def _postgresql(state: str, text: str, url: DatabaseUrl) -> GatelessError | None:
    if state.startswith(_PG_FULL):
        return _full(url)
    if state.startswith(_PG_BUSY):
        return _busy(url, text)
    if state.startswith(_PG_TOO_LONG):
        return _too_long(url)
    if state.startswith(_PG_REFUSED):
        return ConfigError(
            "database-refused",
            f"{url} lets this program not in: {text}",
            hint="make the database and its user, and give the password by PGPASSWORD or a"
            " password file",
        )
    if state.startswith(_PG_DAMAGED):
        return damaged(url, text)
    if state.startswith(_PG_AWAY):
        return _away(url, text)
    return None


def damaged(url: DatabaseUrl, text: str) -> ConfigError:
    """A database that cannot be read."""
    return ConfigError(
        "journal-unreadable",
        f"{url} cannot be read: {text}",
        hint="restore it from a backup; without it, start with another data folder",
    )


def _full(url: DatabaseUrl) -> DatabaseError:
    return DatabaseError(
        "database-full",
        f"there is no room left to write to {url}; what was to be written was not done either",
        hint="make room on its disk; work goes on by itself",
    )


def _busy(url: DatabaseUrl, text: str) -> DatabaseError:
    return DatabaseError(
        "database-busy",
        f"{url} is in use: {text}",
        hint="see what else works on that database; this program tries again",
    )


def _too_long(url: DatabaseUrl) -> DatabaseError:
    return DatabaseError(
        "database-too-slow",
        f"{url} takes longer for this than it may",
        hint="ask for less: one version, one executor or one account at a time",
    )


def _away(url: DatabaseUrl, text: str) -> DatabaseError:
    return DatabaseError(
        "database-unreachable",
        f"{url} cannot be reached: {text}",
        hint="see to its disk or server; work goes on by itself once it is back",
    )
