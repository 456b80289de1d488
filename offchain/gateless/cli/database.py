"""Which database a command works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateless.adapters.db import DatabaseUrl

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="The journal's database: a file, or postgresql://USER@HOST/NAME (default: a file in"
        " the home folder).",
    ),
]


def database_url(text: str | None) -> DatabaseUrl | None:
    """The database that was named; None for the usual one.

    Raises:
        ConfigError: ``invalid-database-url``.
    """
    from gateless.adapters.db import DatabaseUrl

    return None if text is None else DatabaseUrl.parse(text)
