"""``gateless executor``: stake, run, earn, leave."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from gateless.cli.command import command
from gateless.cli.commands.executor_backup import backup, restore
from gateless.cli.commands.executor_resume import resume
from gateless.cli.commands.executor_run import key, run
from gateless.cli.context import Cli
from gateless.cli.daemons import (
    IntervalOption,
    UrlOption,
    WatchOption,
    ask_program,
    keep_showing,
)
from gateless.cli.database import DatabaseOption, database_url
from gateless.cli.executor_view import executor_view
from gateless.cli.output import facts
from gateless.cli.render import (
    amount,
    held_data,
    moment,
    spell_held,
    transactions,
    with_transactions,
)
from gateless.cli.sandbox import sandbox_here
from gateless.cli.sending import ExecutorSignerAddress, ExecutorSignerUrl, signing
from gateless.cli.urls import http_url
from gateless.core.amounts import Token, format_amount, parse_amount

if TYPE_CHECKING:
    from gateless.adapters.chain.client import ChainClient
    from gateless.core.types import AllocationInfo
    from gateless.executor.status import Batches
    from gateless.sdk.results import ExecutorState

app = typer.Typer(help="Run models for others and earn.", no_args_is_help=True)


@command(app, "stake", example="gateless executor stake 50 --serve digits --min-price 0.10")
async def _stake(
    cli: Cli,
    value: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="Stake to add; 0 changes the rest only.")
    ],
    serve: Annotated[
        list[str] | None,
        typer.Option(metavar="REF", help="Version to enrol for; may be given several times."),
    ] = None,
    min_price: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Lowest price to work for.")
    ] = None,
    capacity: Annotated[
        int | None, typer.Option(min=1, help="Requests to work on at once (default 1).")
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where clients reach it, as http://HOST:PORT."),
    ] = None,
    free: Annotated[
        bool,
        typer.Option("--free", help="Leave it free: for quorums, lazy answers and receipts."),
    ] = False,
    signer_url: ExecutorSignerUrl = None,
    signer_address: ExecutorSignerAddress = None,
) -> None:
    """Stake, let the market lock the stake, state prices and enrol for versions."""
    async with signing(cli, "executor", signer_url, signer_address) as gateless:
        token = gateless.chain.deployment.token
        units = parse_amount(value, token)
        cli.on_interrupt(
            "steps already mined stay; finish the rest without staking again:"
            " gateless executor stake 0 …"
        )
        with cli.progress() as progress:
            done = await gateless.stake(
                units,
                serve=serve or (),
                endpoint=http_url(endpoint, "--endpoint") if endpoint else endpoint,
                min_price=None if min_price is None else parse_amount(min_price, token),
                capacity=capacity,
                keep_free=free,
                progress=progress,
            )
        cli.output.result(
            _state_data(done.state, token) | {"transactions": transactions(done.transactions)},
            _state_facts(done.state, token),
            *with_transactions(done.transactions),
        )
        port = " --port PORT" if done.state.executor.endpoint else ""
        cli.output.note(f"start working with: gateless executor run{port}")


command(
    app,
    "run",
    example="gateless executor run --port 8700 --receipt-bond 10",
    section="executor",
)(run)
command(app, "key", example="gateless executor key")(key)
command(app, "backup", example="gateless executor backup journal.backup")(backup)
command(app, "restore", example="gateless executor restore journal.backup")(restore)
command(app, "resume", example="gateless executor resume digits@0")(resume)


@command(app, "status", example="gateless executor status")
async def _status(
    cli: Cli,
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="Executor (default: the wallet's).")
    ] = None,
    url: UrlOption = None,
    watch: WatchOption = False,
    interval: IntervalOption = 2.0,
    database: DatabaseOption = None,
) -> None:
    """Show an executor's stake, prices and versions, and what it does now if it runs."""
    owner = address or cli.wallets().address_of(cli.wallet_name("executor"))
    async with cli.network() as gateless:
        token = gateless.chain.deployment.token
        folder = _folder(cli, gateless.chain, owner)
        if watch and cli.output.is_live:

            async def look() -> RenderableType:
                told = await ask_program(folder, url, owner)
                if told is not None:
                    return executor_view(told, token, time.time())
                return Group(
                    Text("no executor answers; this is what the chain says", style="yellow"),
                    _state_facts(await gateless.executor(owner), token),
                )

            await keep_showing(cli, look, interval)
            return
        running = await ask_program(folder, url, owner)
        state = await gateless.executor(owner)
        work, batches = await _journaled(cli, gateless.chain, owner, database)
        # Of this machine: nothing is said about a stranger's.
        sandbox = None if address is not None else await sandbox_here()
        cli.output.result(
            _state_data(state, token)
            | {
                "work": work,
                "batches": asdict(batches),
                "sandbox": None if sandbox is None else sandbox.to_dict(),
                "running": running,
            },
            _state_facts(state, token, work, batches),
            *([] if sandbox is None else [facts([("sandbox", sandbox.text())])]),
            *([] if running is None else ["", executor_view(running, token, time.time())]),
        )


@command(app, "leave", example="gateless executor leave digits@0")
async def _leave(
    cli: Cli,
    refs: Annotated[list[str], typer.Argument(metavar="REF...", help="Versions to stop serving.")],
    signer_url: ExecutorSignerUrl = None,
    signer_address: ExecutorSignerAddress = None,
) -> None:
    """Stop serving versions."""
    async with signing(cli, "executor", signer_url, signer_address) as gateless:
        with cli.progress() as progress:
            sent = await gateless.leave(refs, progress=progress)
        cli.output.result(
            {"transactions": transactions(sent)},
            f"left {len(sent)} version{'' if len(sent) == 1 else 's'}",
        )


@command(app, "unstake", example="gateless executor unstake")
async def _unstake(
    cli: Cli,
    value: Annotated[
        str | None, typer.Argument(metavar="[AMOUNT]", help="How much is to leave (default: all).")
    ] = None,
    behind: Annotated[
        str,
        typer.Option(metavar="WHAT", help="What it is behind: proofs, lazy, receipts or quorums."),
    ] = "proofs",
    cancel: Annotated[bool, typer.Option("--cancel", help="Stop an exit instead.")] = False,
    signer_url: ExecutorSignerUrl = None,
    signer_address: ExecutorSignerAddress = None,
) -> None:
    """Take stake out: the first run asks for the exit, a run after the delay returns the money."""
    async with signing(cli, "executor", signer_url, signer_address) as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            if cancel:
                sent = await gateless.cancel_unstake(behind=behind, progress=progress)
                cli.output.result(
                    {"transactions": transactions([sent])}, "the exit is cancelled; stake works on"
                )
                return
            units = None if value is None else parse_amount(value, token)
            done = await gateless.unstake(units, behind=behind, progress=progress)
        lines = []
        if done.returned:
            lines.append(f"{format_amount(done.returned, token)} are back in the wallet")
        if done.exiting:
            lines.append(
                f"{format_amount(done.exiting, token)} can leave from"
                f" {moment(done.exit_ready_at)}: run this command again then"
            )
        cli.output.result(
            {
                "returned": amount(done.returned, token),
                "exiting": amount(done.exiting, token),
                "exit_ready_at": done.exit_ready_at,
                "transactions": transactions(done.transactions),
            },
            *lines,
        )


@command(app, "withdraw", example="gateless executor withdraw --to 0x…")
async def _withdraw(
    cli: Cli,
    value: Annotated[
        str | None, typer.Argument(metavar="[AMOUNT]", help="How much (default: all).")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="ADDRESS", help="Who gets it (default: the executor)."),
    ] = None,
    signer_url: ExecutorSignerUrl = None,
    signer_address: ExecutorSignerAddress = None,
) -> None:
    """Withdraw what the executor has earned."""
    async with signing(cli, "executor", signer_url, signer_address) as gateless:
        token = gateless.chain.deployment.token
        units = None if value is None else parse_amount(value, token)
        with cli.progress() as progress:
            moved = await gateless.withdraw(units, to=to, progress=progress)
        cli.output.result(
            {
                "withdrawn": amount(moved.amount, token),
                "to": moved.to,
                "transactions": transactions([moved.transaction]),
            },
            f"withdrew {format_amount(moved.amount, token)} to {moved.to}",
        )


def _folder(cli: Cli, chain: ChainClient, owner: str) -> Path:
    """Where the journal of this machine's executor is."""
    from gateless.executor import ExecutorConfig

    return ExecutorConfig.in_home(
        cli.home, chain.deployment.name, chain.market.address, owner
    ).data_dir


async def _journaled(
    cli: Cli, chain: ChainClient, owner: str, database: str | None
) -> tuple[dict[str, int], Batches]:
    """Requests by state and shared proofs in the journal of this machine's executor, if any."""
    from gateless.executor import ExecutorConfig, Journal
    from gateless.executor.status import Batches

    usual = ExecutorConfig.in_home(cli.home, chain.deployment.name, chain.market.address, owner)
    config = replace(usual, database=database_url(database))
    if config.journal.path is not None and not config.journal.path.is_file():
        return {}, Batches(0, 0)
    journal = await Journal.open(
        config.journal,
        chain_id=chain.deployment.chain_id,
        market=chain.market.address,
        account=owner,
    )
    try:
        counts = sorted((await journal.counts()).items())
        batches = Batches(*await journal.batch_counts())
        return {state.value: count for state, count in counts}, batches
    finally:
        await journal.close()


def _state_data(state: ExecutorState, token: Token) -> dict[str, Any]:
    return {
        "address": state.executor.address,
        "stake": amount(state.executor.total, token),
        "free": amount(state.executor.free, token),
        "allocated": amount(state.allocation.allocated, token),
        "locked": amount(state.allocation.locked, token),
        "available": amount(state.allocation.available, token),
        "exiting": amount(state.allocation.exiting, token),
        "exit_ready_at": state.allocation.exit_ready_at,
        "behind": {
            what: {
                "allocated": amount(found.allocated, token),
                "locked": amount(found.locked, token),
                "exiting": amount(found.exiting, token),
                "exit_ready_at": found.exit_ready_at,
            }
            for what, found in state.behind.items()
        },
        "earnings": amount(state.earnings, token),
        "compensations": amount(state.compensations, token),
        "held_by": held_data(state.purses, token),
        "endpoint": state.executor.endpoint,
        "receipt_key": state.executor.receipt_key,
        "min_price": amount(state.executor.min_price, token),
        "capacity": state.executor.capacity,
        "versions": list(state.versions),
    }


def _behind(behind: Mapping[str, AllocationInfo], token: Token) -> Iterator[tuple[str, str]]:
    """What stake is behind, how much of it is in use, and what is about to leave."""
    for what, found in behind.items():
        text = (
            f"{format_amount(found.allocated, token)} ({format_amount(found.locked, token)} in use)"
        )
        if found.exiting:
            text += (
                f"; {format_amount(found.exiting, token)} can leave from"
                f" {moment(found.exit_ready_at)}"
            )
        yield f"behind {what}", text


def _state_facts(
    state: ExecutorState,
    token: Token,
    work: Mapping[str, int] | None = None,
    batches: Batches | None = None,
) -> RenderableType:
    rows = [
        ("executor", state.executor.address),
        ("stake", format_amount(state.executor.total, token)),
        ("free", format_amount(state.executor.free, token)),
        *_behind(state.behind, token),
    ]
    rows += [
        ("earned", f"{format_amount(state.earnings, token)} (gateless executor withdraw)"),
        ("lowest price", format_amount(state.executor.min_price, token)),
        ("capacity", str(state.executor.capacity)),
        ("serves", ", ".join(state.versions) or "nothing yet"),
        ("reached at", state.executor.endpoint or "-"),
    ]
    if state.purses:
        rows.insert(-4, ("elsewhere", spell_held(state.purses, token)))
    if work:
        rows.append(("requests", ", ".join(f"{count} {name}" for name, count in work.items())))
    if batches is not None and batches.proofs:
        rows.append(("shared proofs", f"{batches.proofs:,} for {batches.requests:,} requests"))
    return facts(rows)
