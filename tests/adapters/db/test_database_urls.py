"""How databases are named, and that no password is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from gateless.adapters.db import DatabaseUrl
from gateless.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("journal.db", Path("journal.db")),
        ("/var/lib/gateless/journal.db", Path("/var/lib/gateless/journal.db")),
        ("sqlite:///journal.db", Path("journal.db")),
        ("sqlite:////var/lib/a%20b.db", Path("/var/lib/a b.db")),
    ],
)
def test_sqlite_is_a_file(text: str, path: Path) -> None:
    url = DatabaseUrl.parse(text)
    assert (url.path, str(url)) == (path, str(path))


def test_a_home_folder_is_found() -> None:
    assert DatabaseUrl.parse("~/j.db").path == Path.home() / "j.db"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://db/gateless", "postgresql://db/gateless"),
        ("postgres://me@db:5433/gateless", "postgresql://me@db:5433/gateless"),
        ("postgresql://me:s3cret@db/g", "postgresql://me:***@db/g"),
        ("postgresql://me:p%40:s3cret@a,b/g", "postgresql://me:***@a,b/g"),
        (
            "postgresql://me:@/g?host=/run/pg&password=s3cret",
            "postgresql://me:@/g?host=/run/pg&password=***",
        ),
        (
            "postgresql://me@db/g?sslmode=verify-full&SSLpassword=s3cret",
            "postgresql://me@db/g?sslmode=verify-full&SSLpassword=***",
        ),
    ],
)
def test_passwords_are_not_shown(text: str, shown: str) -> None:
    url = DatabaseUrl.parse(text)
    assert url.path is None
    assert str(url) == url.shown == shown
    assert "s3cret" not in f"{url!r} {url}"
    assert url.dsn.partition("://")[2] == text.partition("://")[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sqlite://",
        "sqlite://host/journal.db",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///j.db?mode=ro",
        "mysql://me:s3cret@db/g",
        "postgresql://me:s3cret@[db/g",
    ],
)
def test_what_names_no_database_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DatabaseUrl.parse(text)
    assert caught.value.code == "invalid-database-url"
    assert "s3cret" not in str(caught.value.to_dict())
