"""``gateless infer``: ask for a verified inference."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateless.cli.command import command
from gateless.cli.commands.infer_together import infer_attested, infer_by_quorum
from gateless.cli.commands.lazy import infer_lazily
from gateless.cli.context import Cli
from gateless.cli.inputs import read_inputs
from gateless.cli.render import amount, inference_data, inference_facts, transactions
from gateless.cli.signed import infer_signed
from gateless.core.amounts import format_amount, parse_amount
from gateless.core.errors import InputError

if TYPE_CHECKING:
    from gateless.sdk.terms import RequestTerms


_TOGETHER = "Quorums and keys"


class Mode(StrEnum):
    """How an output becomes final."""

    ZK = "zk"
    LAZY = "lazy"
    QUORUM = "quorum"
    ATTESTED = "attested"


def register(app: typer.Typer) -> None:
    """Adds the command to the root group."""
    command(app, "infer", example="gateless infer digits --input image.json --price 0.50")(_infer)


async def _infer(
    cli: Cli,
    ref: Annotated[
        str,
        typer.Argument(metavar="REF", help="name, name@alias, name@index or a version id."),
    ],
    source: Annotated[
        str,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="Values: .json, .npy or .npz file; '-' reads JSON or .npy from stdin.",
        ),
    ],
    price: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="What to pay (default: the cheapest price asked)."),
    ] = None,
    min_price: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            help="Start here and let the price rise to --price until an executor takes it.",
        ),
    ] = None,
    ramp: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", help="How long it rises (default: half of --timeout)."),
    ] = None,
    seconds: Annotated[
        int | None,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            help="After this long the price can be refunded (default 600).",
        ),
    ] = None,
    collateral: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="Stake the executor risks (default: the minimum)."),
    ] = None,
    executor: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Only this executor may answer.")
    ] = None,
    callback: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Contract that receives the output.")
    ] = None,
    callback_gas: Annotated[
        int | None, typer.Option(metavar="GAS", help="Gas for the callback (default: the maximum).")
    ] = None,
    input_store: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address of your content store ('gateless store serve'), for inputs too long for"
            " a transaction.",
        ),
    ] = None,
    deposit: Annotated[
        bool, typer.Option(help="Top up the deposit from the wallet when it is too low.")
    ] = True,
    mode: Annotated[
        Mode,
        typer.Option(
            help="Proven at once; (lazy) answered now, proven when doubted; agreed on by a quorum;"
            " signed by keys."
        ),
    ] = Mode.ZK,
    sign: Annotated[
        bool,
        typer.Option(
            help="Sign the request and hand it to an executor: no gas, paid from the deposit.",
            show_default=False,
        ),
    ] = False,
    nonce: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER",
            min=0,
            max=2**256 - 1,
            help="With --sign: of requests with one nonce only one is taken (default: a new one).",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With --sign: keep it there as JSON instead of handing it out."
        ),
    ] = None,
    send: Annotated[
        bool,
        typer.Option(
            help="Lazy: send the request to the chain instead of signing it.", show_default=False
        ),
    ] = False,
    challenge_window: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", help="Lazy: time to doubt the answer (default 600)."),
    ] = None,
    response_window: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", help="Lazy: time for the proof then (default 600)."),
    ] = None,
    audit: Annotated[
        float,
        typer.Option(
            metavar="PERCENT", min=0, max=100, help="Lazy: how often a lot demands a proof anyway."
        ),
    ] = 0,
    members: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, rich_help_panel=_TOGETHER, help="Members to draw (default 3)."
        ),
    ] = None,
    threshold: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            rich_help_panel=_TOGETHER,
            help="How many must agree (default: most) or sign (default: all).",
        ),
    ] = None,
    runtime_class: Annotated[
        str | None,
        typer.Option(
            metavar="HEX",
            rich_help_panel=_TOGETHER,
            help="Who may be drawn (default: the manifest's class).",
        ),
    ] = None,
    min_eligible: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", rich_help_panel=_TOGETHER, help="Least stake to draw from."),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            rich_help_panel=_TOGETHER,
            help="Time to commit, and to reveal (default 120).",
        ),
    ] = None,
    signer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            rich_help_panel=_TOGETHER,
            help="Whose signature you believe; several.",
        ),
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the output.")] = True,
) -> None:
    """Ask for a verified inference, pay for it and print the proven output."""
    options: dict[str, Any] = {
        "price": price,
        "min_price": min_price,
        "ramp": ramp,
        "collateral": collateral,
        "timeout": seconds,
        "executor": executor,
        "callback": callback,
        "callback_gas": callback_gas,
        "input_store": input_store,
        "deposit": deposit,
    }
    if mode is Mode.LAZY:
        options |= {
            "send": send,
            "challenge_window": challenge_window,
            "response_window": response_window,
            "audit_bps": round(100 * audit),
        }
        await infer_lazily(cli, ref, source, wait, options)
        return
    if mode is not Mode.ZK:
        together = {
            "price": price,
            "timeout": seconds,
            "executor": executor,
            "callback": callback,
            "callback_gas": callback_gas,
            "deposit": deposit,
            "members": members,
            "threshold": threshold,
            "runtime_class": runtime_class,
            "min_eligible": min_eligible,
            "window": window,
            "keys": signer,
        }
        ask = infer_by_quorum if mode is Mode.QUORUM else infer_attested
        await ask(cli, ref, source, wait, together)
        return
    if sign:
        await infer_signed(cli, ref, source, wait=wait, nonce=nonce, out=out, options=options)
        return
    if nonce is not None or out is not None:
        raise InputError(
            "not-signed",
            "--nonce and --out are for requests that are signed",
            hint="add --sign, or leave them out",
        )
    inputs = read_inputs(source)
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        terms: RequestTerms = {
            "price": None if price is None else parse_amount(price, token),
            "min_price": None if min_price is None else parse_amount(min_price, token),
            "ramp": ramp,
            "collateral": None if collateral is None else parse_amount(collateral, token),
            "timeout": seconds,
            "executor": executor,
            "callback": callback,
            "callback_gas": callback_gas,
            "input_store": input_store,
            "deposit": deposit,
        }
        with cli.progress() as progress:
            submitted = await gateless.submit(ref, inputs, progress=progress, **terms)
        for warning in submitted.warnings:
            cli.output.warn(warning)
        if not wait:
            data = {
                "request_id": submitted.request_id,
                "version": submitted.resolved.label,
                "price": amount(submitted.price, token),
                "deadline": submitted.deadline,
                "transactions": transactions([submitted.transaction]),
                "warnings": list(submitted.warnings),
            }
            cli.output.result(
                data,
                f"request {submitted.request_id} is on chain,"
                f" {format_amount(submitted.price, token)} are in escrow",
                f"get the output with: gateless request wait {submitted.request_id}",
            )
            return
        with cli.progress() as progress:
            result = await gateless.wait(submitted, progress=progress)
        cli.output.result(inference_data(result, token), inference_facts(result, token))
