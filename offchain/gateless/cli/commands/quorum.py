"""``gateless quorum``: what anybody may do for quorums, and what they paid."""

from __future__ import annotations

from typing import Annotated

import typer

from gateless.cli.answers import parse_id, quorum_data, quorum_rows
from gateless.cli.command import command
from gateless.cli.context import Cli
from gateless.cli.lazy import id_argument
from gateless.cli.output import facts
from gateless.cli.render import amount, transactions, with_transactions
from gateless.core.amounts import format_amount

app = typer.Typer(help="Quorums: move them on, withdraw what they paid.", no_args_is_help=True)


@command(app, "advance", example="gateless quorum advance 0x1f…")
async def _advance(cli: Cli, request_id: Annotated[str, id_argument()]) -> None:
    """Draw, settle or refund, whichever is due. Members do it; anyone may."""
    number = parse_id(request_id)
    async with cli.network("user") as gateless:
        with cli.progress() as progress:
            sent = await gateless.advance_quorum(number, progress=progress)
            answer = await gateless.quorum_answer(number, progress=progress)
        token = gateless.chain.deployment.token
        cli.output.result(
            quorum_data(answer, token) | {"transactions": transactions(sent)},
            facts(quorum_rows(answer, token)),
            *with_transactions(sent),
        )


@command(app, "leave", example="gateless quorum leave digits")
async def _leave(
    cli: Cli,
    ref: Annotated[str, typer.Argument(metavar="REF", help="Version whose quorums to leave.")],
) -> None:
    """Leave a version's quorums; the stake behind them can be taken out then."""
    async with cli.network("executor") as gateless:
        with cli.progress() as progress:
            sent = await gateless.leave_quorums(ref, progress=progress)
        cli.output.result(
            {"transactions": transactions(sent)},
            f"left the quorums of {ref}",
            *with_transactions(sent),
        )
        cli.output.note("take the stake out: gateless executor unstake --behind quorums")


@command(app, "withdraw", example="gateless quorum withdraw")
async def _withdraw(
    cli: Cli,
    to: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Recipient (default: the wallet).")
    ] = None,
) -> None:
    """Withdraw what the markets of quorums and of attested answers hold for the wallet."""
    async with cli.network("executor") as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            moved = await gateless.withdraw_answers(to=to, progress=progress)
        total = sum(entry.amount for entry in moved)
        sent = [entry.transaction for entry in moved]
        cli.output.result(
            {"amount": amount(total, token), "transactions": transactions(sent)},
            f"{format_amount(total, token)} were withdrawn",
            *with_transactions(sent),
        )
