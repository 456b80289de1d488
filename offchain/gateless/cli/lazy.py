"""How lazy requests look: as JSON-ready mappings and as text for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from gateless.cli.render import Rows, amount, moment
from gateless.core.amounts import Token, format_amount
from gateless.core.errors import InputError
from gateless.core.lazy import Finality, LazyState

if TYPE_CHECKING:
    from gateless.sdk.lazy_results import LazyAnswer

_WORDS = {
    LazyState.NONE: "unknown to the market",
    LazyState.FINAL: "final",
    LazyState.OPEN: "open: nobody has taken it",
    LazyState.LOCKED: "locked: its executor computes",
    LazyState.ANSWERED: "answered; final unless somebody doubts it in time",
    LazyState.DISPUTED: "doubted: a proof is due",
    LazyState.SLASHED: "slashed: doubted and never proven",
    LazyState.REFUNDED: "refunded",
}
_HOW = {
    Finality.NONE: "-",
    Finality.PROVEN: "proven",
    Finality.UNCHALLENGED: "nobody doubted it in time",
}


def parse_id(text: str) -> int:
    """A request's id: 0x and 64 hex digits, or a decimal number.

    Raises:
        InputError: ``invalid-request-id``.
    """
    if re.fullmatch(r"0x[0-9a-fA-F]{1,64}", text):
        return int(text, 16)
    if re.fullmatch(r"[0-9]{1,78}", text) and int(text) < 1 << 256:
        return int(text)
    raise InputError(
        "invalid-request-id",
        f"{text[:80]!r} is no id of a request",
        hint="give the number, or 0x and 64 hex digits, as gateless infer prints it",
    )


def spell_id(request_id: int) -> str:
    """An id as people and machines see it."""
    return f"0x{request_id:064x}"


def answer_data(answer: LazyAnswer, token: Token) -> dict[str, Any]:
    """An answer for machines."""
    claim, dispute, result = answer.claim, answer.dispute, answer.result
    return {
        "request_id": spell_id(answer.request_id),
        "mode": "LAZY_ZK",
        "state": answer.state.name,
        "final": answer.state is LazyState.FINAL,
        "how": result.how.name,
        "final_at": result.final_at,
        "bond": amount(result.bond or (0 if claim is None else claim.collateral), token),
        "version": answer.version_label,
        "label": answer.label,
        "outputs": {name: values.tolist() for name, values in answer.outputs.items()},
        "integers": {name: list(values) for name, values in answer.integers.items()},
        "packed_output": "0x" + answer.packed_output.hex(),
        "executor": None if claim is None else claim.executor,
        "price": None if claim is None else amount(claim.price, token),
        "challenge_until": None if claim is None else claim.challenge_deadline,
        "dispute": None
        if dispute is None
        else {
            "challenger": dispute.challenger,
            "bond": amount(dispute.bond, token),
            "proof_until": dispute.deadline,
        },
    }


def answer_rows(answer: LazyAnswer, token: Token) -> Rows:
    """An answer for people."""
    claim, dispute, result = answer.claim, answer.dispute, answer.result
    rows: Rows = [
        ("request", spell_id(answer.request_id)),
        ("version", answer.version_label),
        ("state", _WORDS[answer.state]),
    ]
    if answer.label is not None:
        rows.append(("label", answer.label))
    rows += [
        (name, ", ".join(f"{value:.6g}" for value in values.reshape(-1)[:16]))
        for name, values in answer.outputs.items()
    ]
    if claim is not None:
        rows += [
            ("executor", claim.executor),
            ("price", format_amount(claim.price, token)),
            ("bond behind it", format_amount(claim.collateral, token)),
            ("can be doubted until", moment(claim.challenge_deadline)),
        ]
    if dispute is not None:
        rows += [("doubted by", dispute.challenger), ("proof due until", moment(dispute.deadline))]
    if result.how is not Finality.NONE:
        rows += [("final since", moment(result.final_at)), ("how", _HOW[result.how])]
    elif answer.state is LazyState.FINAL:
        rows.append(("how", _HOW[Finality.UNCHALLENGED]))
        rows.append(("for contracts", "not kept yet: gateless lazy keep ID"))
    return rows


def amounts_data(amounts: Mapping[str, int], token: Token) -> dict[str, Any]:
    """What a step moved, for machines."""
    return {name: amount(units, token) for name, units in amounts.items()}


def id_argument() -> Any:
    """The argument of commands about one request."""
    return typer.Argument(metavar="ID", help="Id of the request: 0x and 64 hex digits.")
