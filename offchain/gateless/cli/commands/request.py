"""``gateless request``: look at requests, wait for them, take them back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from gateless.cli.command import command
from gateless.cli.commands.asking import sign
from gateless.cli.context import Cli
from gateless.cli.lazy import parse_id, spell_id
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
from gateless.cli.signed import read_offer
from gateless.core.amounts import format_amount
from gateless.core.errors import InputError
from gateless.core.ids import spell_request
from gateless.core.types import RequestState


def _request_id(text: str) -> int:
    """A count, or the digest of a signed request.

    Raises:
        typer.BadParameter: it is neither.
    """
    try:
        return parse_id(text)
    except InputError as error:
        raise typer.BadParameter(error.message) from error


app = typer.Typer(help="Look at requests, wait for them, take them back.", no_args_is_help=True)

_Id = Annotated[
    int,
    typer.Argument(
        metavar="ID", parser=_request_id, help="Number of the request; 0x… of a signed one."
    ),
]


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
                        spell_request(entry.info.request_id),
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


@command(app, "hand", example="gateless request hand signed.json")
async def _hand(
    cli: Cli,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What gateless infer --sign --out made.")
    ],
    executor: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Only to this one (default: to all that serve it)."),
    ] = None,
) -> None:
    """Hand a signed request to executors. Several may have it; one takes it."""
    offer = read_offer(file)
    async with cli.network() as gateless:
        with cli.progress() as progress:
            given = await gateless.hand_over(offer, executor=executor, progress=progress)
        number = spell_id(offer.request_id)
        cli.output.result(
            {
                "request_id": number,
                "handed_to": list(given.takers),
                "refused": given.refusals,
            },
            f"request {number} is with {', '.join(given.takers)}",
            f"get the output with: gateless request wait {number}",
        )


@command(app, "cancel", example="gateless request cancel 7")
async def _cancel(
    cli: Cli,
    request_id: Annotated[
        int | None,
        typer.Argument(
            metavar="[ID]", parser=_request_id, help="Number of a request that is on chain."
        ),
    ] = None,
    nonces: Annotated[
        list[str] | None,
        typer.Option(
            "--nonce",
            metavar="NUMBER",
            help="Nonce of a signed request that nobody has taken; may be given several times.",
        ),
    ] = None,
) -> None:
    """Take your request back before an executor takes it: one on chain, or signed ones."""
    if (request_id is None) == (not nonces):
        raise InputError(
            "nothing-to-cancel",
            "give the number of a request, or the nonces of signed ones",
            hint="gateless request cancel 7, or: gateless request cancel --nonce 12 --nonce 13",
        )
    if request_id is None:
        await _cancel_signed(cli, [_nonce(text) for text in nonces or ()])
        return
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


async def _cancel_signed(cli: Cli, nonces: list[int]) -> None:
    async with cli.network("user") as gateless:
        with cli.progress() as progress:
            sent = await gateless.cancel_signed(nonces, progress=progress)
        spelled = [str(nonce) for nonce in nonces]
        cli.output.result(
            {"nonces": spelled, "transactions": transactions(sent)},
            f"no request that was signed with nonce {', '.join(spelled)} can be taken any more",
        )


def _nonce(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,78}", text) or int(text) >> 256:
        raise InputError(
            "invalid-nonce",
            f"{text!r} is no nonce",
            hint="give the number that gateless infer --sign showed",
        )
    return int(text)
