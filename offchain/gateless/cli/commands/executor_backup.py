"""``gateless executor backup`` and ``restore``: the journal saved and put back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateless.cli.backups import BackupFile, SavedFile, put_journal_back, save_journal
from gateless.cli.context import Cli
from gateless.cli.database import DatabaseOption, database_url

if TYPE_CHECKING:
    from gateless.adapters.db import DatabaseUrl


async def backup(cli: Cli, file: BackupFile, database: DatabaseOption = None) -> None:
    """Save the journal of this machine's executor, also while it runs."""
    await save_journal(cli, _journal(cli, database), file)


async def restore(cli: Cli, file: SavedFile = None, database: DatabaseOption = None) -> None:
    """Put a saved journal in place of one that was lost. The executor must not run anywhere."""
    from gateless import migrations
    from gateless.executor.journal import OWNER

    await put_journal_back(
        cli, _journal(cli, database), file, migrations=migrations.EXECUTOR, owner=OWNER
    )
    cli.output.note("receipts are signed again from the next epoch on")
    cli.output.note("go on with: gateless executor run")


def _journal(cli: Cli, database: str | None) -> DatabaseUrl:
    from gateless.executor import ExecutorConfig

    deployment = cli.deployment()
    owner = cli.wallets().address_of(cli.wallet_name("executor"))
    market = deployment.address("InferenceMarket")
    usual = ExecutorConfig.in_home(cli.home, deployment.name, market, owner)
    return replace(usual, database=database_url(database)).journal
