"""``gateless watchtower``: compute answers anew, challenge the wrong ones, earn."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from gateless.cli.command import command
from gateless.cli.commands.watchtower_backup import backup, restore
from gateless.cli.commands.watchtower_run import config_of, run
from gateless.cli.context import Cli
from gateless.cli.daemons import (
    IntervalOption,
    UrlOption,
    WatchOption,
    ask_program,
    keep_showing,
)
from gateless.cli.database import DatabaseOption, database_url
from gateless.cli.inputs import read_inputs
from gateless.cli.lazy import parse_id, spell_id
from gateless.cli.output import facts, table
from gateless.cli.receipts import packed_output, read_receipt
from gateless.cli.render import Rows, amount, held_data, moment, spell_held
from gateless.cli.sandbox import sandbox_here
from gateless.cli.watchtower_view import watchtower_view
from gateless.core.amounts import Token, format_amount
from gateless.core.errors import InputError

if TYPE_CHECKING:
    from gateless.adapters.chain.client import ChainClient
    from gateless.watchtower.cases import Case

app = typer.Typer(help="Compute answers anew and challenge the wrong ones.", no_args_is_help=True)

_SHOWN_CASES = 20


command(
    app,
    "run",
    example="gateless watchtower run --inbox receipts --max-at-risk 100",
    section="watchtower",
)(run)
command(app, "backup", example="gateless watchtower backup watchtower.backup")(backup)
command(app, "restore", example="gateless watchtower restore watchtower.backup")(restore)


@command(app, "status", example="gateless watchtower status")
async def _status(
    cli: Cli,
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="Account (default: the wallet's).")
    ] = None,
    url: UrlOption = None,
    watch: WatchOption = False,
    interval: IntervalOption = 2.0,
    database: DatabaseOption = None,
) -> None:
    """Show what a watchtower judged and challenged, and what it does now if it runs."""
    from gateless.watchtower.inbox import case_data

    owner = address or cli.wallets().address_of(cli.wallet_name("watchtower"))
    async with cli.network() as gateless:
        token = gateless.chain.deployment.token
        folder = config_of(cli, owner).data_dir
        if watch and cli.output.is_live:

            async def look() -> RenderableType:
                told = await ask_program(folder, url, owner)
                if told is None:
                    return Text("no watchtower answers; looking again", style="yellow")
                return watchtower_view(told, token, time.time())

            await keep_showing(cli, look, interval)
            return
        running = await ask_program(folder, url, owner)
        counts, at_risk, cases = await _journaled(cli, gateless.chain, owner, database)
        # Of this machine: nothing is said about a stranger's.
        sandbox = None if address is not None else await sandbox_here()
        rows: Rows = [
            ("watchtower", owner),
            ("at risk", format_amount(at_risk, token)),
            ("cases", ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"),
        ]
        if sandbox is not None:
            rows.append(("sandbox", sandbox.text()))
        shown: list[Any] = [facts(rows)]
        if cases:
            shown.append("")
            shown.append(_case_table(cases, token))
        cli.output.result(
            {
                "address": owner,
                "at_risk": amount(at_risk, token),
                "counts": counts,
                "cases": [case_data(case) for case in cases],
                "sandbox": None if sandbox is None else sandbox.to_dict(),
                "running": running,
            },
            *shown,
            *([] if running is None else ["", watchtower_view(running, token, time.time())]),
        )


@command(app, "earnings", example="gateless watchtower earnings")
async def _earnings(
    cli: Cli,
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="Account (default: the wallet's).")
    ] = None,
) -> None:
    """Show what challenges brought and cost, from the chain."""
    from gateless.adapters.chain.purses import read_purses
    from gateless.watchtower.earnings import read_earnings

    owner = address or cli.wallets().address_of(cli.wallet_name("watchtower"))
    async with cli.network() as gateless:
        token = gateless.chain.deployment.token
        found = await read_earnings(gateless.chain, owner)
        purses = await read_purses(gateless.chain, owner)
        counted = ("won", "lost", "moot", "reported", "open")
        amounts = asdict(found) | {"net": found.net}
        cli.output.result(
            {"address": owner}
            | {
                name: value if name in counted else amount(value, token)
                for name, value in amounts.items()
            }
            | {"held_by": held_data(purses, token)},
            facts(
                [
                    ("account", owner),
                    ("challenges", ", ".join(f"{amounts[name]} {name}" for name in counted)),
                    ("rewards", format_amount(found.rewards, token)),
                    ("bonds lost", format_amount(found.bonds_lost, token)),
                    ("net, without gas", _signed(found.net, token)),
                    ("bonds at risk", format_amount(found.at_risk, token)),
                    ("to withdraw", spell_held(purses, token)),
                ]
            ),
        )
        if purses:
            cli.output.note("fetch it by: gateless receipt withdraw, gateless lazy withdraw")


@command(
    app,
    "hand",
    example="gateless watchtower hand receipt.json --input image.json --to http://localhost:8710",
)
async def _hand(
    cli: Cli,
    to: Annotated[
        str, typer.Option(metavar="PLACE", help="A watchtower's address, or its inbox folder.")
    ],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The receipt, as JSON.")
    ] = None,
    request: Annotated[
        str | None,
        typer.Option(metavar="ID", help="In place of a receipt: the lazy request that was asked."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--input", "-i", metavar="FILE", help="The values that were asked about."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="The packed output; needed where circuits rescale."),
    ] = None,
) -> None:
    """Hand a receipt to a watchtower, or the input of a lazy request that it cannot find."""
    from gateless.sdk.handing import hand_input

    if (file is None) == (request is None) or (request is not None and source is None):
        raise InputError(
            "usage",
            "name a receipt, or a --request with its --input",
            hint="see gateless watchtower hand --help",
        )
    if file is not None:
        case, where = await _hand_receipt(cli, file, source, output, to)
    else:
        number = parse_id(str(request))
        async with cli.network() as gateless:
            answer = await gateless.lazy_answer(number)
        packed = await _packed(cli, answer.version_label, str(source))
        case = spell_id(number)
        where = await hand_input(case, packed, to)
    cli.output.result({"case": case, "at": where}, facts([("case", case), ("handed to", where)]))


async def _hand_receipt(
    cli: Cli, file: Path, source: str | None, output: str | None, to: str
) -> tuple[str, str]:
    from gateless.core.handovers import Handover
    from gateless.sdk.handing import hand_over

    signed = read_receipt(file)
    packed = None if source is None else await _packed(cli, signed.receipt.version_id, source)
    given = Handover(signed, packed, None if output is None else packed_output(output))
    return f"0x{signed.digest.hex()}", await hand_over(given, to)


async def _packed(cli: Cli, ref: str | int, source: str) -> bytes:
    """The values of a file as a version takes them."""
    from gateless.sdk.tensors import pack_inputs

    async with cli.network() as gateless:
        with cli.progress() as progress:
            manifest = await gateless.manifest(ref, progress=progress)
            return pack_inputs(manifest, read_inputs(source))


async def _journaled(
    cli: Cli, chain: ChainClient, owner: str, database: str | None
) -> tuple[dict[str, int], int, list[Case]]:
    """Counts, bonds at risk and latest cases of this machine's watchtower, if there is one."""
    from gateless.watchtower import Journal
    from gateless.watchtower.cases import CaseState

    config = replace(config_of(cli, owner), database=database_url(database))
    if config.journal.path is not None and not config.journal.path.is_file():
        return {}, 0, []
    journal = await Journal.open(
        config.journal,
        chain_id=chain.deployment.chain_id,
        court=chain.court.address,
        account=owner,
    )
    try:
        counts = {state.value: count for state, count in sorted((await journal.counts()).items())}
        told = [state for state in CaseState if state is not CaseState.RIGHT]
        cases = sorted(await journal.find(told), key=lambda case: -case.updated_at)
        return counts, await journal.at_risk(), cases[:_SHOWN_CASES]
    finally:
        await journal.close()


def _case_table(cases: list[Case], token: Token) -> Any:
    return table(
        "case",
        "kind",
        "state",
        "why",
        "bond",
        "proof due",
        rows=[
            (
                case.name[:12],
                case.kind.value,
                case.state.value,
                case.reason or "-",
                format_amount(case.bond, token),
                moment(case.deadline),
            )
            for case in cases
        ],
    )


def _signed(units: int, token: Token) -> str:
    return f"-{format_amount(-units, token)}" if units < 0 else format_amount(units, token)
