"""``gateless receipt ask`` and ``gateless request sign``: asking executors by HTTP."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateless.cli.context import Cli
from gateless.cli.inputs import read_inputs
from gateless.cli.output import facts
from gateless.cli.receipts import receipt_data
from gateless.cli.render import Rows, amount, moment
from gateless.core.amounts import Token, format_amount, parse_amount
from gateless.core.errors import InputError
from gateless.core.ids import spell_request

if TYPE_CHECKING:
    from gateless.sdk.calling import DirectAnswer

_Ref = Annotated[str, typer.Argument(metavar="REF", help="The version to ask.")]
_Source = Annotated[
    str, typer.Option("--input", "-i", metavar="FILE", help="The values to ask about.")
]
_Executor = Annotated[str | None, typer.Option(metavar="ADDRESS", help="The only executor to ask.")]
_SHOWN_VALUES = 12


async def ask(
    cli: Cli,
    ref: _Ref,
    source: _Source,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the receipt here: keep it.")
    ] = None,
    executor: _Executor = None,
    beneficiary: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Who must be compensated (default: the wallet)."),
    ] = None,
    max_price: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="The most to pay, out of the deposit (default: 0)."),
    ] = None,
    min_bond: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Least bond behind the receipt.")
    ] = None,
    min_life: Annotated[
        int,
        typer.Option(metavar="SECONDS", min=0, help="For how long it must be open to a challenge."),
    ] = 3600,
) -> None:
    """Ask an executor directly: an answer at once, with a receipt that its bond stands for."""
    inputs = read_inputs(source)
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            answer = await gateless.ask_directly(
                ref,
                inputs,
                executor=executor,
                beneficiary=beneficiary,
                max_price=0 if max_price is None else parse_amount(max_price, token),
                min_bond=0 if min_bond is None else parse_amount(min_bond, token),
                min_life=min_life,
                progress=progress,
            )
        if save is not None:
            _write(save, answer.receipt.to_json())
        kept = [] if save is None else [("receipt in", str(save))]
        cli.output.result(
            _data(answer, token) | {"file": None if save is None else str(save)},
            facts(_facts(answer, token) + kept),
        )
        if save is None:
            cli.output.note("the receipt was not kept, so nobody can be held to it: --save FILE")
            return
        given = f"--input {shlex.quote(source)}"
        file, version = shlex.quote(str(save)), answer.resolved.label
        output = f"0x{answer.packed_output.hex()}"
        cli.output.note("look at what stands behind it:")
        cli.output.note(f"  gateless receipt check {file} {version} {given} --output {output}")
        cli.output.note("if you doubt it, have it proven (a right answer costs you the bond):")
        cli.output.note(f"  gateless receipt challenge {file} {given}")


async def sign(
    cli: Cli,
    ref: _Ref,
    source: _Source,
    price: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="What to pay (default: the cheapest price asked)."),
    ] = None,
    min_price: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Let the price rise from here.")
    ] = None,
    executor: _Executor = None,
    life: Annotated[
        int | None,
        typer.Option("--timeout", metavar="SECONDS", min=1, help="How long it may be locked."),
    ] = None,
) -> None:
    """Sign a request and hand it to executors: no gas, the price comes out of the deposit."""
    inputs = read_inputs(source)
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            offer = await gateless.sign(
                ref,
                inputs,
                price=None if price is None else parse_amount(price, token),
                min_price=None if min_price is None else parse_amount(min_price, token),
                executor=executor,
                timeout=life,
                progress=progress,
            )
            handed = await gateless.hand_over(offer, executor=executor, progress=progress)
        params, number = offer.signed.params, spell_request(offer.request_id)
        cli.output.result(
            {
                "request_id": number,
                "version": offer.resolved.label,
                "price": amount(params.max_price, token),
                "nonce": str(offer.signed.nonce),
                "deadline": params.deadline,
                "takers": list(handed.takers),
                "refusals": handed.refusals,
                "warnings": list(offer.warnings),
            },
            facts(
                [
                    ("request", number),
                    ("version", offer.resolved.label),
                    ("price", format_amount(params.max_price, token)),
                    ("nonce", str(offer.signed.nonce)),
                    ("taken by", ", ".join(handed.takers)),
                ]
            ),
        )
        cli.output.note(f"see the answer: gateless request wait {number}")
        cli.output.note(f"take it back: gateless request cancel --nonce {offer.signed.nonce}")


def _write(path: Path, text: str) -> None:
    try:
        path.expanduser().write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            "receipt-unwritable",
            f"cannot write {path}: {error.strerror or error}",
            hint="ask again, and name a file that can be written",
        ) from error


def _data(answer: DirectAnswer, token: Token) -> dict[str, Any]:
    return {
        "prediction": answer.label,
        "outputs": {name: values.tolist() for name, values in answer.outputs.items()},
        "version": answer.resolved.label,
        "executor": answer.executor,
        "price": amount(answer.price, token),
        "packed_input": f"0x{answer.packed_input.hex()}",
        "packed_output": f"0x{answer.packed_output.hex()}",
        "proven": answer.checked.proven,
        "receipt": receipt_data(answer.receipt.receipt, token),
        "warnings": list(answer.warnings),
    }


def _facts(answer: DirectAnswer, token: Token) -> Rows:
    rows: Rows = []
    if answer.label is not None:
        rows.append(("prediction", answer.label))
    for name, values in answer.outputs.items():
        flat = values.reshape(-1).tolist()
        shown = " ".join(f"{value:.4g}" for value in flat[:_SHOWN_VALUES])
        rows.append(("output", f"{name}: {shown}{' …' if len(flat) > _SHOWN_VALUES else ''}"))
    receipt = answer.receipt.receipt
    return [
        *rows,
        ("packed output", f"0x{answer.packed_output.hex()}"),
        ("version", answer.resolved.label),
        ("executor", answer.executor),
        ("bond", f"{format_amount(receipt.bond, token)} stand for it, in slot {receipt.slot}"),
        ("can be doubted until", moment(receipt.expires)),
        ("paid", format_amount(answer.price, token)),
    ]
