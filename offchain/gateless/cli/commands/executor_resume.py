"""``gateless executor resume``: promise again what a loss has stopped."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated

import typer

from gateless.cli.context import Cli
from gateless.cli.database import DatabaseOption, database_url


async def resume(
    cli: Cli,
    ref: Annotated[
        str | None,
        typer.Argument(metavar="[REF]", help="Version to serve again (default: everything)."),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Serve again what was halted by a loss, when its cause is found. A running executor notices
    by itself, one that is started later goes on with it.
    """
    from gateless.executor import ExecutorConfig, Journal

    owner = cli.wallets().address_of(cli.wallet_name("executor"))
    async with cli.network() as gateless:
        chain = gateless.chain
        version_id = None if ref is None else (await gateless.resolve(ref)).version.version_id
        usual = ExecutorConfig.in_home(cli.home, chain.deployment.name, chain.market.address, owner)
        config = replace(usual, database=database_url(database))
        ended = []
        if config.journal.path is None or config.journal.path.is_file():
            journal = await Journal.open(
                config.journal,
                chain_id=chain.deployment.chain_id,
                market=chain.market.address,
                account=owner,
            )
            try:
                ended = await journal.resume(version_id)
            finally:
                await journal.close()
        lines = [
            f"version {entry.version_id} is served again after {entry.cause} ({entry.reason})"
            for entry in ended
        ]
        cli.output.result(
            {"resumed": [asdict(entry) for entry in ended]}, *(lines or ["nothing was halted"])
        )
