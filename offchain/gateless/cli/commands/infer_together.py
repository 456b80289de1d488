"""``gateless infer --mode quorum`` and ``--mode attested``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateless.cli.answers import (
    attested_data,
    attested_rows,
    hex_bytes,
    key_set,
    quorum_data,
    quorum_rows,
    spell_id,
)
from gateless.cli.block_times import warn_of_idle_chain
from gateless.cli.context import Cli
from gateless.cli.inputs import read_inputs
from gateless.cli.output import facts
from gateless.cli.render import amount, transactions
from gateless.core.amounts import parse_amount
from gateless.core.errors import InputError

if TYPE_CHECKING:
    from gateless.sdk.attesting import AttestedTerms
    from gateless.sdk.quorum_results import AttestedAsked, QuorumAsked
    from gateless.sdk.quorums import QuorumTerms


async def infer_by_quorum(
    cli: Cli, ref: str, source: str, wait: bool, options: dict[str, Any]
) -> None:
    """Asks a quorum and prints what it agrees on."""
    inputs = read_inputs(source)
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        await warn_of_idle_chain(cli, gateless)
        terms: QuorumTerms = {
            "price": None if options["price"] is None else parse_amount(options["price"], token),
            "threshold": options["threshold"],
            "callback": options["callback"],
            "callback_gas": options["callback_gas"] or 0,
            "deposit": options["deposit"],
        }
        if options["members"] is not None:
            terms["members"] = options["members"]
        if options["runtime_class"] is not None:
            terms["runtime_class"] = hex_bytes(options["runtime_class"], "runtime class", 32)
        if options["min_eligible"] is not None:
            terms["min_eligible"] = parse_amount(options["min_eligible"], token)
        if options["window"] is not None:
            terms["commit_window"] = terms["reveal_window"] = options["window"]
        with cli.progress() as progress:
            asked = await gateless.ask_quorum(ref, inputs, progress=progress, **terms)
        _warn(cli, asked)
        if not wait:
            _show_asked(cli, asked, amount(asked.request.price, token))
            return
        _look_again(cli, asked.request_id)
        with cli.progress() as progress:
            answer = await gateless.wait_quorum(asked.request_id, progress=progress)
        cli.output.result(quorum_data(answer, token), facts(quorum_rows(answer, token)))


async def infer_attested(
    cli: Cli, ref: str, source: str, wait: bool, options: dict[str, Any]
) -> None:
    """Asks for an answer that keys sign, and prints it."""
    inputs = read_inputs(source)
    keys = key_set(options["keys"], options["threshold"])
    if options["price"] is None:
        raise InputError(
            "price-needed",
            "nobody states what an attested answer costs",
            hint="say what you pay for it: --price AMOUNT",
        )
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        terms: AttestedTerms = {
            "keys": keys,
            "price": parse_amount(options["price"], token),
            "executor": options["executor"],
            "callback": options["callback"],
            "callback_gas": options["callback_gas"] or 0,
            "deposit": options["deposit"],
        }
        if options["timeout"] is not None:
            terms["timeout"] = options["timeout"]
        with cli.progress() as progress:
            asked = await gateless.ask_attested(ref, inputs, progress=progress, **terms)
        _warn(cli, asked)
        if not wait:
            _show_asked(cli, asked, amount(asked.request.max_price, token))
            return
        _look_again(cli, asked.request_id)
        with cli.progress() as progress:
            answer = await gateless.wait_attested(asked.request_id, progress=progress)
        cli.output.result(attested_data(answer, token), facts(attested_rows(answer, token)))


def _warn(cli: Cli, asked: QuorumAsked | AttestedAsked) -> None:
    for warning in asked.warnings:
        cli.output.warn(warning)


def _look_again(cli: Cli, request_id: int) -> None:
    cli.on_interrupt(f"nothing is lost; look again: gateless result show {spell_id(request_id)}")


def _show_asked(cli: Cli, asked: QuorumAsked | AttestedAsked, price: dict[str, Any]) -> None:
    number = spell_id(asked.request_id)
    cli.output.result(
        {
            "request_id": number,
            "version": asked.resolved.label,
            "price": price,
            "transactions": transactions(asked.transactions),
            "warnings": list(asked.warnings),
        },
        f"request {number} is on chain",
        f"get the output with: gateless result show {number}",
    )
