"""``gateless executor backup`` and ``restore``: the journal saved and put back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateless.cli.context import Cli
from gateless.cli.database import DatabaseOption, database_url
from gateless.cli.output import facts

if TYPE_CHECKING:
    from gateless.adapters.db import DatabaseUrl


async def backup(
    cli: Cli,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to save it.")],
    database: DatabaseOption = None,
) -> None:
    """Save the journal of this machine's executor, also while it runs."""
    from gateless.daemon.backups import back_up

    journal = _journal(cli, database)
    size = await back_up(journal, file)
    cli.output.result(
        {"journal": str(journal), "file": str(file), "bytes": size},
        facts([("journal", str(journal)), ("saved to", str(file)), ("size", f"{size:,} bytes")]),
    )
    cli.output.note("keys are not in it; save them too: see docs/operating-an-executor.md")


async def restore(
    cli: Cli,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="What was saved; left out, a database that was put back by other means is marked.",
        ),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Put a saved journal in place of one that was lost. The executor must not run anywhere."""
    from gateless import migrations
    from gateless.adapters.clock import SystemClock
    from gateless.daemon.backups import restore as put_back
    from gateless.executor.journal import OWNER

    journal = _journal(cli, database)
    await put_back(file, journal, migrations=migrations.EXECUTOR, owner=OWNER, clock=SystemClock())
    cli.output.result(
        {"journal": str(journal), "file": None if file is None else str(file)},
        facts([("journal", str(journal)), ("restored", "now")]),
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
