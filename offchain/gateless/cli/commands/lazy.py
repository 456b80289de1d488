"""``gateless lazy``: answers without a proof: follow, doubt, prove, finish, back with stake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateless.cli.command import command
from gateless.cli.context import Cli
from gateless.cli.inputs import read_inputs
from gateless.cli.lazy import (
    amounts_data,
    answer_data,
    answer_rows,
    id_argument,
    parse_id,
    spell_id,
)
from gateless.cli.output import facts, table
from gateless.cli.render import amount, moment, transactions, with_transactions
from gateless.core.amounts import Token, format_amount, parse_amount

if TYPE_CHECKING:
    from gateless.sdk.lazy_asking import LazyTerms
    from gateless.sdk.lazy_results import LazyAnswer, LazyAsked, LazyEnd

app = typer.Typer(
    help="Answers that are proven only when somebody doubts them.", no_args_is_help=True
)

_Id = Annotated[str, id_argument()]


@command(app, "result", example="gateless lazy result 0x1f… --wait")
async def _result(
    cli: Cli,
    request_id: _Id,
    wait: Annotated[bool, typer.Option(help="Wait until it is final.")] = False,
) -> None:
    """Show an answer, how it became final, and what stands behind it."""
    number = parse_id(request_id)
    async with cli.network() as gateless:
        with cli.progress() as progress:
            if wait:
                answer = await gateless.wait_lazily(number, final=True, progress=progress)
            else:
                answer = await gateless.lazy_answer(number, progress=progress)
        show_answer(cli, answer, gateless.chain.deployment.token)


@command(app, "challenge", example="gateless lazy challenge 0x1f…")
async def _challenge(cli: Cli, request_id: _Id) -> None:
    """Demand a proof of an answer. If it is right, this costs the challenge's bond."""
    number = parse_id(request_id)
    async with cli.network("user") as gateless:
        with cli.progress() as progress:
            done = await gateless.challenge_lazily(number, progress=progress)
        _show_end(cli, done, gateless.chain.deployment.token)
        cli.output.note(f"see what becomes of it: gateless lazy result {spell_id(number)}")


@command(app, "draw", example="gateless lazy draw 0x1f…")
async def _draw(cli: Cli, request_id: _Id) -> None:
    """Show that the lot fell on an answer: its executor must prove it."""
    number = parse_id(request_id)
    async with cli.network("user") as gateless:
        with cli.progress() as progress:
            done = await gateless.draw_lot(number, progress=progress)
            answer = await gateless.lazy_answer(number, progress=progress)
        _show_end(cli, done, gateless.chain.deployment.token)
        until = "" if answer.dispute is None else f" until {moment(answer.dispute.deadline)}"
        cli.output.note(f"its executor has to prove the answer{until}, or is slashed")
        cli.output.note(f"see what becomes of it: gateless lazy result {spell_id(number)}")


@command(app, "prove", example="gateless lazy prove 0x1f… --input image.json")
async def _prove(
    cli: Cli,
    request_id: _Id,
    source: Annotated[
        str,
        typer.Option("--input", "-i", metavar="FILE", help="The values that were asked about."),
    ],
) -> None:
    """Prove an answer, doubted or not: it is final at once. Anyone may."""
    from gateless.sdk.tensors import pack_inputs

    number = parse_id(request_id)
    async with cli.network("executor") as gateless:
        with cli.progress() as progress:
            answer = await gateless.lazy_answer(number, progress=progress)
            manifest = await gateless.manifest(answer.version_label, progress=progress)
            packed = pack_inputs(manifest, read_inputs(source))
            done = await gateless.prove_lazily(number, packed, progress=progress)
        _show_end(cli, done, gateless.chain.deployment.token)


@command(app, "slash", example="gateless lazy slash 0x1f…")
async def _slash(cli: Cli, request_id: _Id) -> None:
    """End a doubted answer that nobody proved in time. Anyone may."""
    async with cli.network("user") as gateless:
        with cli.progress() as progress:
            done = await gateless.slash_lazily(parse_id(request_id), progress=progress)
        _show_end(cli, done, gateless.chain.deployment.token)
        cli.output.note("compensations and rewards are had by: gateless receipt withdraw")


@command(app, "finalize", example="gateless lazy finalize 0x1f…")
async def _finalize(
    cli: Cli,
    request_ids: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Requests, as infer prints their ids.")
    ],
) -> None:
    """Make answers final that nobody doubted in time: their executors are paid. Anyone may.

    Several at once cost less each, and leave out those that are not due or have a callback. Their
    results are not kept for other contracts: see keep.
    """
    numbers = [parse_id(entry) for entry in request_ids]
    async with cli.network("executor") as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            if len(numbers) == 1:
                _show_end(cli, await gateless.finalize_lazily(numbers[0], progress=progress), token)
                return
            ends = await gateless.finalize_many_lazily(numbers, progress=progress)
        _show_ends(cli, ends, token)
        cli.output.note("for contracts that read a result: gateless lazy keep ID")


@command(app, "keep", example="gateless lazy keep 0x1f…")
async def _keep(cli: Cli, request_id: _Id) -> None:
    """Keep the result of an answer that became final among many: contracts can read it then."""
    async with cli.network("user") as gateless:
        with cli.progress() as progress:
            done = await gateless.keep_lazily(parse_id(request_id), progress=progress)
        _show_end(cli, done, gateless.chain.deployment.token)


@command(app, "refund", example="gateless lazy refund 0x1f…")
async def _refund(cli: Cli, request_id: _Id) -> None:
    """Return the price of a request that nobody answered in time. Anyone may."""
    async with cli.network("user") as gateless:
        with cli.progress() as progress:
            done = await gateless.refund_lazily(parse_id(request_id), progress=progress)
        _show_end(cli, done, gateless.chain.deployment.token)


@command(app, "cancel", example="gateless lazy cancel 0x1f…")
async def _cancel(cli: Cli, request_id: _Id) -> None:
    """Take back a request that was sent, that nobody locked and that names no executor."""
    async with cli.network("user") as gateless:
        with cli.progress() as progress:
            done = await gateless.cancel_lazily(parse_id(request_id), progress=progress)
        _show_end(cli, done, gateless.chain.deployment.token)


@command(app, "deposit", example="gateless lazy deposit 5")
async def _deposit(
    cli: Cli, value: Annotated[str, typer.Argument(metavar="AMOUNT", help="How much.")]
) -> None:
    """Deposit at the lazy market, from which lazy requests are paid."""
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            sent = await gateless.deposit_lazily(parse_amount(value, token), progress=progress)
        held = await gateless.lazy.balance_of(gateless.signer.address)
        cli.output.result(
            {"balance": amount(held, token), "transactions": transactions([sent])},
            f"{format_amount(held, token)} are deposited at the lazy market",
            *with_transactions([sent]),
        )


@command(app, "withdraw", example="gateless lazy withdraw")
async def _withdraw(
    cli: Cli,
    to: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Where to (default: the wallet).")
    ] = None,
) -> None:
    """Fetch all that the account has at the lazy market and its court."""
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            moved = await gateless.withdraw_lazily(to=to, progress=progress)
        total = sum(entry.amount for entry in moved)
        sent = [entry.transaction for entry in moved]
        cli.output.result(
            {
                "amount": amount(total, token),
                "to": moved[0].to,
                "transactions": transactions(sent),
            },
            f"{format_amount(total, token)} are at {moved[0].to}",
            *with_transactions(sent),
        )


@command(app, "back", example="gateless lazy back 100")
async def _back(
    cli: Cli, value: Annotated[str, typer.Argument(metavar="AMOUNT", help="How much more.")]
) -> None:
    """Put stake behind lazy answers. For executors."""
    async with cli.network("executor") as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            sent = await gateless.back_lazily(parse_amount(value, token), progress=progress)
        await _show_backing(cli, gateless, sent)


@command(app, "unback", example="gateless lazy unback 40")
async def _unback(
    cli: Cli,
    value: Annotated[
        str | None, typer.Argument(metavar="[AMOUNT]", help="How much (default: all).")
    ] = None,
) -> None:
    """Take back stake that no unfinished answer uses. For executors."""
    async with cli.network("executor") as gateless:
        token = gateless.chain.deployment.token
        units = None if value is None else parse_amount(value, token)
        with cli.progress() as progress:
            sent = await gateless.unback_lazily(units, progress=progress)
        await _show_backing(cli, gateless, sent)


async def infer_lazily(
    cli: Cli, ref: str, source: str, wait: bool, options: dict[str, Any]
) -> None:
    """``gateless infer --mode lazy``."""
    inputs = read_inputs(source)
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        terms: LazyTerms = {
            **options,  # type: ignore[typeddict-item]
            **{
                name: parse_amount(options[name], token)
                for name in ("price", "min_price", "collateral")
                if options[name] is not None
            },
        }
        with cli.progress() as progress:
            asked = await gateless.ask_lazily(ref, inputs, progress=progress, **terms)
        for warning in asked.warnings:
            cli.output.warn(warning)
        if not wait:
            _show_asked(cli, asked, token)
            return
        cli.on_interrupt(
            f"nothing is lost; look again: gateless lazy result {spell_id(asked.request_id)}"
        )
        with cli.progress() as progress:
            answer = await gateless.wait_lazily(asked.request_id, progress=progress)
        show_answer(cli, answer, token)


def show_answer(cli: Cli, answer: LazyAnswer, token: Token) -> None:
    """Prints an answer."""
    cli.output.result(answer_data(answer, token), facts(answer_rows(answer, token)))


def _show_asked(cli: Cli, asked: LazyAsked, token: Token) -> None:
    number = spell_id(asked.request_id)
    where = "is on chain" if asked.handed_to is None else f"is with {asked.handed_to}"
    cli.output.result(
        {
            "request_id": number,
            "version": asked.resolved.label,
            "max_price": amount(asked.request.max_price, token),
            "handed_to": asked.handed_to,
            "signature": f"0x{asked.signature.hex()}",
            "transactions": transactions(asked.transactions),
            "warnings": list(asked.warnings),
        },
        f"request {number} {where}",
        f"get the output with: gateless lazy result {number}",
    )


def _show_end(cli: Cli, done: LazyEnd, token: Token) -> None:
    cli.output.result(
        {
            "request_id": spell_id(done.request_id),
            "state": done.state.name,
            "amounts": amounts_data(done.amounts, token),
            "transactions": transactions(done.transactions),
        },
        facts(
            [
                ("request", spell_id(done.request_id)),
                ("state", done.state.name.lower()),
                *((name, format_amount(units, token)) for name, units in done.amounts.items()),
            ]
        ),
        *with_transactions(done.transactions),
    )


def _show_ends(cli: Cli, ends: Sequence[LazyEnd], token: Token) -> None:
    """Several requests that one transaction was about."""
    cli.output.result(
        {
            "ends": [
                {
                    "request_id": spell_id(end.request_id),
                    "state": end.state.name,
                    "amounts": amounts_data(end.amounts, token),
                }
                for end in ends
            ],
            "transactions": transactions(ends[0].transactions),
        },
        table(
            "request",
            "state",
            "fee",
            rows=[
                (
                    spell_id(end.request_id),
                    end.state.name.lower(),
                    format_amount(end.amounts.get("fee", 0), token),
                )
                for end in ends
            ],
        ),
        *with_transactions(ends[0].transactions),
    )


async def _show_backing(cli: Cli, gateless: Any, sent: Any) -> None:
    token = gateless.chain.deployment.token
    backing = await gateless.lazy.backing(gateless.signer.address)
    cli.output.result(
        {
            "total": amount(backing.total, token),
            "used": amount(backing.used, token),
            "transactions": transactions(sent),
        },
        facts(
            [
                ("behind lazy answers", format_amount(backing.total, token)),
                ("used by unfinished ones", format_amount(backing.used, token)),
            ]
        ),
        *with_transactions(sent),
    )
