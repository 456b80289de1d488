"""Requests that are signed instead of sent: handed to an executor, or kept in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateless.cli.context import Cli
from gateless.cli.inputs import read_inputs
from gateless.cli.lazy import spell_id
from gateless.cli.output import facts
from gateless.cli.render import amount, inference_data, inference_facts, moment
from gateless.core.amounts import Token, format_amount, parse_amount
from gateless.core.errors import InputError

if TYPE_CHECKING:
    from gateless.adapters.chain.offers import Offer
    from gateless.sdk.results import SignedOffer


def read_offer(path: Path) -> Offer:
    """The signed request in a file.

    Raises:
        InputError: ``signed-request-unreadable``, ``invalid-signed-request``.
    """
    from gateless.adapters.chain.offers import MAX_OFFER_BYTES, parse_offer

    try:
        with path.expanduser().open("rb") as file:
            return parse_offer(file.read(MAX_OFFER_BYTES + 1))
    except OSError as error:
        raise InputError(
            "signed-request-unreadable",
            f"cannot read {path}: {error.strerror or error}",
            hint="name a file that gateless infer --sign --out made",
        ) from error


def write_offer(path: Path, offer: Offer) -> None:
    """Keeps a signed request.

    Raises:
        InputError: ``signed-request-unwritable``.
    """
    try:
        path.expanduser().write_text(offer.to_json(), encoding="utf-8")
    except OSError as error:
        raise InputError(
            "signed-request-unwritable",
            f"cannot write {path}: {error.strerror or error}",
            hint="name a file in a folder that exists: --out FILE",
        ) from error


async def infer_signed(
    cli: Cli,
    ref: str,
    source: str,
    *,
    wait: bool,
    nonce: int | None,
    out: Path | None,
    options: dict[str, Any],
) -> None:
    """``gateless infer --sign``: with ``out`` the file is all that comes of it."""
    inputs = read_inputs(source)
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        amounts = ("price", "min_price", "collateral")
        terms = options | {
            name: parse_amount(options[name], token)
            for name in amounts
            if options[name] is not None
        }
        with cli.progress() as progress:
            made = await gateless.sign(ref, inputs, nonce=nonce, progress=progress, **terms)
            for warning in made.warnings:
                cli.output.warn(warning)
            takers: tuple[str, ...] = ()
            if out is None:
                takers = (await gateless.hand_over(made, progress=progress)).takers
            else:
                write_offer(out, made.offer)
        number = spell_id(made.request_id)
        if out is not None or not wait:
            _show_signed(cli, made, token, takers, out)
            return
        cli.on_interrupt(f"nothing is lost; look again: gateless request wait {number}")
        with cli.progress() as progress:
            result = await gateless.wait_signed(made, progress=progress)
        cli.output.result(inference_data(result, token), inference_facts(result, token))


def _show_signed(
    cli: Cli, made: SignedOffer, token: Token, takers: tuple[str, ...], out: Path | None
) -> None:
    params, number = made.signed.params, spell_id(made.request_id)
    rows = [
        ("signed", number),
        ("version", made.resolved.label),
        ("price", f"at most {format_amount(params.max_price, token)}, from your deposit"),
        ("nonce", str(made.signed.nonce)),
        ("until", moment(params.deadline)),
        ("kept in", str(out)) if out else ("is with", ", ".join(takers)),
    ]
    nexts = [f"hand it to an executor with: gateless request hand {out}"] if out else []
    nexts.append(f"take it back with: gateless request cancel --nonce {made.signed.nonce}")
    cli.output.result(
        {
            "request_id": number,
            "version": made.resolved.label,
            "max_price": amount(params.max_price, token),
            "nonce": str(made.signed.nonce),
            "deadline": params.deadline,
            "handed_to": list(takers),
            "file": None if out is None else str(out),
            "warnings": list(made.warnings),
        },
        facts(rows),
        "",
        *nexts,
    )
