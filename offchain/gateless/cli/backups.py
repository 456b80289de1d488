"""Journals saved and put back: what the commands of all programs that keep one share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateless.cli.context import Cli
from gateless.cli.output import facts

if TYPE_CHECKING:
    from gateless.adapters.db import DatabaseUrl

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="Where to save it.")]
SavedFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE]",
        help="What was saved; left out, a database that was put back by other means is marked.",
    ),
]


async def save_journal(cli: Cli, journal: DatabaseUrl, file: Path) -> None:
    """Saves a journal, also while it is in use, and says where."""
    from gateless.daemon.backups import back_up

    size = await back_up(journal, file)
    cli.output.result(
        {"journal": str(journal), "file": str(file), "bytes": size},
        facts([("journal", str(journal)), ("saved to", str(file)), ("size", f"{size:,} bytes")]),
    )
    cli.output.note("keys are not in it; save them too: see docs/databases.md")


async def put_journal_back(
    cli: Cli, journal: DatabaseUrl, file: Path | None, *, migrations: Path, owner: str
) -> None:
    """Puts a saved journal in place, or marks one that is there, and says so.

    Args:
        cli: the command's context.
        journal: where it goes.
        file: what was saved; None marks only.
        migrations: of the journal.
        owner: what uses it alone: it must not run.
    """
    from gateless.adapters.clock import SystemClock
    from gateless.daemon.backups import restore

    await restore(file, journal, migrations=migrations, owner=owner, clock=SystemClock())
    cli.output.result(
        {"journal": str(journal), "file": None if file is None else str(file)},
        facts([("journal", str(journal)), ("restored", "now")]),
    )
