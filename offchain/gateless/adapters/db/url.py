"""Where a database is, as operators spell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from gateless.core.errors import ConfigError

_POSTGRESQL = ("postgresql", "postgres")
#: Parameters of a PostgreSQL URL that nobody else may see.
_SECRET = frozenset({"password", "sslpassword"})
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A database. As text it shows no password, so that it may be logged.

    Attributes:
        path: the file, where it is SQLite; None where it is PostgreSQL.
        dsn: all of the URL, passwords included; empty where it is SQLite.
        shown: what people may see.
    """

    path: Path | None
    dsn: str = field(repr=False)
    shown: str

    def __str__(self) -> str:
        return self.shown

    @classmethod
    def of_path(cls, path: Path) -> Self:
        """The SQLite file ``path``."""
        return cls(path, "", str(path))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads a path, ``sqlite:///path`` or ``postgresql://user@host/name``.

        A PostgreSQL URL is libpq's: parameters (``sslmode``, ``host`` of a socket, ...), several
        hosts, ``PGPASSWORD`` and the password file work as there.
        https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS

        Raises:
            ConfigError: ``invalid-database-url``.
        """
        scheme, separator, rest = text.partition("://")
        if not separator:
            if not text:
                raise _invalid("it is empty")
            return cls.of_path(Path(text).expanduser())
        if scheme == "sqlite":
            # One slash ends the (empty) host, as in SQLAlchemy's URLs: four make a path absolute.
            host, slash, name = rest.partition("/")
            if host or not slash or not name or name.startswith(":memory:") or "?" in name:
                raise _invalid("a SQLite database is a file without parameters")
            return cls.of_path(Path(unquote(name)))
        if scheme in _POSTGRESQL:
            try:
                return cls(None, f"postgresql://{rest}", _without_secrets(f"postgresql://{rest}"))
            except ValueError:
                raise _invalid("it is no URL") from None
        raise _invalid("it is neither SQLite nor PostgreSQL")


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    name, colon, password = user.partition(":")
    if colon and password:
        user = f"{name}:{_HIDDEN}"
    query = urlencode(
        [
            (key, _HIDDEN if key.lower() in _SECRET else value)
            for key, value in parse_qsl(parts.query, keep_blank_values=True)
        ],
        safe="/*:,",
    )
    return urlunsplit(parts._replace(netloc=f"{user}{at}{hosts}", query=query))


def _invalid(why: str) -> ConfigError:
    # The text itself may hold a password.
    return ConfigError(
        "invalid-database-url",
        f"the database's URL cannot be used: {why}",
        hint="name a file, sqlite:////absolute/path or postgresql://user@host/database",
    )
