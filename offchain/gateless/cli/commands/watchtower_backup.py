"""``gateless watchtower backup`` and ``restore``: the journal saved and put back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateless.cli.backups import BackupFile, SavedFile, put_journal_back, save_journal
from gateless.cli.commands.watchtower_run import config_of
from gateless.cli.context import Cli
from gateless.cli.database import DatabaseOption, database_url

if TYPE_CHECKING:
    from gateless.adapters.db import DatabaseUrl


async def backup(cli: Cli, file: BackupFile, database: DatabaseOption = None) -> None:
    """Save the journal of this machine's watchtower, also while it runs."""
    await save_journal(cli, _journal(cli, database), file)


async def restore(cli: Cli, file: SavedFile = None, database: DatabaseOption = None) -> None:
    """Put a saved journal in place of one that was lost. The watchtower must not run anywhere."""
    from gateless import migrations
    from gateless.watchtower.journal import OWNER

    await put_journal_back(
        cli, _journal(cli, database), file, migrations=migrations.WATCHTOWER, owner=OWNER
    )
    cli.output.note("what was announced since the backup: see docs/watchtower.md")
    cli.output.note("go on with: gateless watchtower run")


def _journal(cli: Cli, database: str | None) -> DatabaseUrl:
    owner = cli.wallets().address_of(cli.wallet_name("watchtower"))
    return replace(config_of(cli, owner), database=database_url(database)).journal
