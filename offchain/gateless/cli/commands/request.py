"""``gateless request``: look at requests, wait for them, take them back."""

from __future__ import annotations

from typing import Annotated

import typer

from gateless.cli.command import command
from gateless.cli.commands.asking import sign
from gateless.cli.context import Cli
from gateless.cli.output import table
from gateless.cli.render import (
    amount,
    inference_data,
    inference_facts,
    moment,
    request_data,
    request_facts,
    request_state,
    transactions,
)
from gateless.core.amounts import format_amount
from gateless.core.types import RequestState

app = typer.Typer(help="Look at requests, wait for them, take them back.", no_args_is_help=True)

_Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="Number of the request.")]


command(app, "sign", example="gateless request sign digits --input image.json")(sign)


@command(app, "show", example="gateless request show 7")
async def _show(cli: Cli, request_id: _Id) -> None:
    """Show a request; of a paid one also the output."""
    async with cli.network() as gateless:
        token = gateless.chain.deployment.token
        info = await gateless.request(request_id)
        label = (await gateless.resolve(info.version_id)).label
        data = request_data(info, token) | {"version": label}
        if info.state is not RequestState.PAID:
            cli.output.result(data, request_facts(info, label, token))
            if info.refundable:
                cli.output.note(f"get the price back with: gateless request refund {request_id}")
            return
        result = await gateless.wait(request_id)
        cli.output.result(
            data | {"result": inference_data(result, token)},
            request_facts(info, label, token),
            "",
            inference_facts(result, token),
        )


@command(app, "list", example="gateless request list --limit 5")
async def _list(
    cli: Cli,
    requester: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Whose requests (default: the wallet's)."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
) -> None:
    """List the requests of an account, newest first."""
    owner = requester or cli.wallets().address_of(cli.wallet_name("user"))
    async with cli.network() as gateless:
        token = gateless.chain.deployment.token
        found = await gateless.requests(owner, limit=limit)
        cli.output.result(
            [
                request_data(entry.info, token)
                | {"version": entry.version_label, "request_tx": entry.request_tx}
                for entry in found
            ],
            table(
                "id",
                "state",
                "version",
                "price",
                "deadline",
                rows=[
                    (
                        str(entry.info.request_id),
                        request_state(entry.info),
                        entry.version_label,
                        format_amount(entry.info.price, token),
                        moment(entry.info.deadline),
                    )
                    for entry in found
                ],
                right=["id", "price"],
            )
            if found
            else f"{owner} has made no requests yet: gateless infer --help",
        )


@command(app, "wait", example="gateless request wait 7")
async def _wait(
    cli: Cli,
    request_id: _Id,
    patience: Annotated[
        float | None,
        typer.Option(
            "--timeout", metavar="SECONDS", help="Stop waiting after this long (default: never)."
        ),
    ] = None,
) -> None:
    """Wait for a request's output and print it."""
    async with cli.network() as gateless:
        with cli.progress() as progress:
            result = await gateless.wait(request_id, patience=patience, progress=progress)
        token = gateless.chain.deployment.token
        for warning in result.warnings:
            cli.output.warn(warning)
        cli.output.result(inference_data(result, token), inference_facts(result, token))


@command(app, "cancel", example="gateless request cancel 7")
async def _cancel(cli: Cli, request_id: _Id) -> None:
    """Take your open request back before an executor takes it."""
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            refund = await gateless.cancel(request_id, progress=progress)
        cli.output.result(
            {
                "request_id": request_id,
                "refunded": amount(refund.amount, token),
                "transactions": transactions([refund.transaction]),
            },
            f"request {request_id} is cancelled, {format_amount(refund.amount, token)} are back"
            " in your deposit",
        )


@command(app, "refund", example="gateless request refund 7")
async def _refund(cli: Cli, request_id: _Id) -> None:
    """Return the price of an expired request to its requester. Anyone may do this for anyone."""
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            refund = await gateless.refund(request_id, progress=progress)
        lines = [
            f"{format_amount(refund.amount, token)} are back in the deposit of {refund.requester}"
        ]
        if refund.slashed:
            lines.append(
                f"the executor missed its deadline and lost {format_amount(refund.slashed, token)}"
            )
        cli.output.result(
            {
                "request_id": request_id,
                "requester": refund.requester,
                "refunded": amount(refund.amount, token),
                "slashed": amount(refund.slashed, token),
                "transactions": transactions([refund.transaction]),
            },
            *lines,
        )
