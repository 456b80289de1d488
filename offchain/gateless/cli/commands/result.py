"""``gateless result``: what became final, and what others asked already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gateless.cli.answers import (
    Signers,
    Threshold,
    attested_data,
    attested_rows,
    hex_bytes,
    key_set,
    known_data,
    known_rows,
    parse_id,
    quorum_data,
    quorum_rows,
    spell_id,
)
from gateless.cli.bundles import trust_modes
from gateless.cli.command import command
from gateless.cli.context import Cli
from gateless.cli.inputs import read_inputs
from gateless.cli.lazy import answer_data, answer_rows, id_argument
from gateless.cli.output import facts
from gateless.cli.render import request_data, request_facts, transactions, with_transactions
from gateless.core.amounts import parse_amount
from gateless.core.errors import NotFoundError
from gateless.core.types import TrustMode

if TYPE_CHECKING:
    from gateless.sdk.board import Believed


class _Results(TyperGroup):
    """A request's id by itself means ``show``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments mean."""
        if args and args[0] not in self.commands:
            args = ["show", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Results,
    help="What became final, however; and what others asked already.",
    no_args_is_help=True,
)

_Id = Annotated[str, id_argument()]


@command(app, "show", example="gateless result show 0x1f…")
async def _show(
    cli: Cli,
    request_id: _Id,
    wait: Annotated[bool, typer.Option(help="Wait until it is final.")] = False,
) -> None:
    """Show what became of a request of any mode, and how it became final."""
    number = parse_id(request_id)
    async with cli.network() as gateless:
        token = gateless.chain.deployment.token
        mode = await gateless.market_of(number)
        with cli.progress() as progress:
            if mode is TrustMode.QUORUM:
                look = gateless.wait_quorum if wait else gateless.quorum_answer
                found = await look(number, progress=progress)
                data, rows = quorum_data(found, token), quorum_rows(found, token)
            elif mode is TrustMode.ATTESTED:
                ask = gateless.wait_attested if wait else gateless.attested_answer
                attested = await ask(number, progress=progress)
                data, rows = attested_data(attested, token), attested_rows(attested, token)
            elif mode is TrustMode.LAZY_ZK:
                if wait:
                    lazy = await gateless.wait_lazily(number, final=True, progress=progress)
                else:
                    lazy = await gateless.lazy_answer(number, progress=progress)
                data, rows = answer_data(lazy, token), answer_rows(lazy, token)
            else:
                info = await gateless.request(number)
                label = (await gateless.resolve(info.version_id)).label
                cli.output.result(
                    request_data(info, token) | {"version": label},
                    request_facts(info, label, token),
                )
                cli.output.note(f"its output: gateless request show {number}")
                return
        cli.output.result(data, facts(rows))


@command(app, "latest", example="gateless result latest digits --input image.json")
async def _latest(
    cli: Cli,
    ref: Annotated[
        str, typer.Argument(metavar="REF", help="name, name@alias, name@index or a version id.")
    ],
    source: Annotated[
        str, typer.Option("--input", "-i", metavar="FILE", help="Values: .json, .npy or .npz.")
    ],
    mode: Annotated[
        str,
        typer.Option(metavar="MODE,MODE,…", help="Modes: zk, lazy_zk, quorum, attested."),
    ] = "zk,lazy_zk",
    min_bond: Annotated[
        str, typer.Option(metavar="AMOUNT", help="Least stake behind what was not proven.")
    ] = "0",
    runtime_class: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="Whose quorums count (default: the manifest's class)."),
    ] = None,
    signers: Signers = None,
    threshold: Threshold = None,
) -> None:
    """Show the newest verified answer for an input, whoever asked. Costs nothing."""
    inputs = read_inputs(source)
    async with cli.network() as gateless:
        token = gateless.chain.deployment.token
        believed: Believed = {
            "modes": trust_modes(mode) or (TrustMode.ZK, TrustMode.LAZY_ZK),
            "min_bond": parse_amount(min_bond, token),
        }
        if runtime_class is not None:
            believed["runtime_class"] = hex_bytes(runtime_class, "runtime class", 32)
        if signers:
            believed["keys"] = key_set(signers, threshold)
        with cli.progress() as progress:
            known = await gateless.latest_result(ref, inputs, progress=progress, **believed)
        if known is None:
            raise NotFoundError(
                "no-result",
                f"nobody has shown a result of {ref} for this input that you believe",
                hint="ask yourself: gateless infer; or accept more modes, or less of a bond",
            )
        cli.output.result(known_data(known, token), facts(known_rows(known, token)))


@command(app, "publish", example="gateless result publish 0x1f…")
async def _publish(cli: Cli, request_id: _Id) -> None:
    """Show a final result on the board, for whoever can reuse it. Anyone may."""
    number = parse_id(request_id)
    async with cli.network("user") as gateless:
        with cli.progress() as progress:
            sent = await gateless.publish_result(number, progress=progress)
        cli.output.result(
            {"request_id": spell_id(number), "transactions": transactions([sent])},
            f"the result of {spell_id(number)} is on the board",
            *with_transactions([sent]),
        )
