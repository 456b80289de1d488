"""How answers of quorums and keys, and results on the board, look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateless.cli.lazy import parse_id, spell_id
from gateless.cli.render import Rows, amount, moment
from gateless.core.amounts import Token, format_amount
from gateless.core.attested import AttestedState, KeySet
from gateless.core.errors import InputError
from gateless.core.lazy import Finality, FinalResult
from gateless.core.quorums import QuorumState
from gateless.core.results_board import PROVEN_BOND

if TYPE_CHECKING:
    from gateless.sdk.quorum_results import (
        AttestedAnswerInfo,
        KnownResult,
        Outputs,
        QuorumAnswer,
    )

__all__ = ["parse_id", "spell_id"]

Signers = Annotated[
    list[str] | None,
    typer.Option("--signer", metavar="ADDRESS", help="Whose signature counts; several."),
]
Threshold = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="How many must agree or sign.")
]

_QUORUM = {
    QuorumState.NONE: "unknown to the market",
    QuorumState.FINAL: "final",
    QuorumState.OPEN: "open: its members are not drawn yet",
    QuorumState.DRAWN: "drawn: its members compute",
    QuorumState.REFUNDED: "refunded",
}
_ATTESTED = {
    AttestedState.NONE: "unknown to the market",
    AttestedState.FINAL: "final",
    AttestedState.OPEN: "open: nobody has answered",
    AttestedState.REFUNDED: "refunded",
}
_HOW = {
    Finality.NONE: "-",
    Finality.PROVEN: "proven",
    Finality.UNCHALLENGED: "nobody doubted it in time",
    Finality.QUORUM: "a quorum agreed",
    Finality.ATTESTED: "keys vouch for it",
}
_SHOWN_VALUES = 16


def key_set(keys: Sequence[str] | None, threshold: int | None) -> KeySet:
    """The keys that a user names; all of them where he does not say how many.

    Raises:
        InputError: ``keys-needed``, ``invalid-key-set``, ``invalid-address``.
    """
    from gateless.sdk.terms import checked_address

    if not keys:
        raise InputError(
            "keys-needed",
            "no key is named that counts",
            hint="name each by --signer ADDRESS, and how many must sign by --threshold",
        )
    checked = [str(checked_address(key, "key")) for key in keys]
    return KeySet.of(len(checked) if threshold is None else threshold, checked)


def hex_bytes(text: str, what: str, length: int | None = None) -> bytes:
    """Bytes as ``0x`` and hex digits.

    Raises:
        InputError: ``invalid-hex``.
    """
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = None
    if data is None or not text.startswith("0x") or (length is not None and len(data) != length):
        size = "" if length is None else f" of {length} bytes"
        raise InputError(
            "invalid-hex",
            f"{text[:80]!r} is no {what}",
            hint=f"give 0x and the hex digits{size}",
        )
    return data


def quorum_data(answer: QuorumAnswer, token: Token) -> dict[str, Any]:
    """A quorum's answer for machines."""
    held = answer.round
    return {
        "request_id": spell_id(answer.request_id),
        "mode": "QUORUM",
        "state": answer.state.name,
        "final": answer.state is QuorumState.FINAL,
        **_result_data(answer.result, token),
        "version": answer.version_label,
        "price": amount(answer.request.price, token),
        "runtime_class": "0x" + answer.request.runtime_class.hex(),
        "threshold": answer.request.threshold,
        "members": [] if held is None else list(held.members),
        "commit_until": None if held is None else held.commit_deadline,
        "reveal_until": None if held is None else held.reveal_deadline,
        "agreed": answer.agreed,
        "refund_reason": None if answer.reason is None else answer.reason.name,
        **outputs_data(answer.outputs),
    }


def quorum_rows(answer: QuorumAnswer, token: Token) -> Rows:
    """A quorum's answer for people."""
    asked = answer.request
    rows = [
        ("request", spell_id(answer.request_id)),
        ("state", _QUORUM[answer.state]),
        ("version", answer.version_label),
        ("price", format_amount(asked.price, token)),
        ("quorum", f"{asked.threshold} of {asked.members}"),
    ]
    if answer.round is not None:
        rows += [("member", member) for member in answer.round.members]
    if answer.agreed:
        rows.append(("agreed", str(answer.agreed)))
    return rows + _result_rows(answer.result, token) + output_rows(answer.outputs)


def attested_data(answer: AttestedAnswerInfo, token: Token) -> dict[str, Any]:
    """An attested answer for machines."""
    return {
        "request_id": spell_id(answer.request_id),
        "mode": "ATTESTED",
        "state": answer.state.name,
        "final": answer.state is AttestedState.FINAL,
        **_result_data(answer.result, token),
        "version": answer.version_label,
        "price": amount(answer.request.max_price, token),
        "verifier": answer.request.verifier,
        "policy": "0x" + answer.request.policy.hex(),
        "executor": answer.executor,
        **outputs_data(answer.outputs),
    }


def attested_rows(answer: AttestedAnswerInfo, token: Token) -> Rows:
    """An attested answer for people."""
    rows = [
        ("request", spell_id(answer.request_id)),
        ("state", _ATTESTED[answer.state]),
        ("version", answer.version_label),
        ("price", format_amount(answer.request.max_price, token)),
        ("policy", "0x" + answer.request.policy.hex()),
    ]
    if answer.executor is not None:
        rows.append(("executor", answer.executor))
    return rows + _result_rows(answer.result, token) + output_rows(answer.outputs)


def known_data(known: KnownResult, token: Token) -> dict[str, Any]:
    """A result on the board for machines."""
    shown = known.shown
    return {
        "version": known.version_label,
        "input_binding": "0x" + known.input_binding.hex(),
        "market": shown.market,
        "request_id": spell_id(shown.request_id),
        "mode": shown.mode.name,
        "how": shown.how.name,
        "final_at": shown.final_at,
        "proven": shown.bond == PROVEN_BOND,
        "bond": None if shown.bond == PROVEN_BOND else amount(shown.bond, token),
        "output_digest": "0x" + shown.output_digest.hex(),
        **outputs_data(known.outputs),
    }


def known_rows(known: KnownResult, token: Token) -> Rows:
    """A result on the board for people."""
    shown = known.shown
    bond = "none needed" if shown.bond == PROVEN_BOND else format_amount(shown.bond, token)
    return [
        ("version", known.version_label),
        ("trust mode", shown.mode.name),
        ("how", _HOW[shown.how]),
        ("bond", bond),
        ("final", moment(shown.final_at)),
        ("request", spell_id(shown.request_id)),
        *output_rows(known.outputs),
    ]


def outputs_data(outputs: Outputs | None) -> dict[str, Any]:
    """An output for machines; empty where there is none."""
    if outputs is None:
        return {"label": None, "outputs": {}, "integers": {}, "packed_output": None}
    return {
        "label": outputs.label,
        "outputs": {name: values.tolist() for name, values in outputs.reals.items()},
        "integers": {name: list(values) for name, values in outputs.integers.items()},
        "packed_output": "0x" + outputs.packed.hex(),
    }


def output_rows(outputs: Outputs | None) -> Rows:
    """An output for people."""
    if outputs is None:
        return []
    rows = [] if outputs.label is None else [("label", outputs.label)]
    for name, values in outputs.reals.items():
        flat = values.reshape(-1)
        text = ", ".join(f"{value:.6g}" for value in flat[:_SHOWN_VALUES])
        rows.append((name, text + (", …" if len(flat) > _SHOWN_VALUES else "")))
    return rows


def _result_data(result: FinalResult, token: Token) -> dict[str, Any]:
    return {
        "how": result.how.name,
        "final_at": result.final_at,
        "bond": amount(result.bond, token),
    }


def _result_rows(result: FinalResult, token: Token) -> Rows:
    if result.how is Finality.NONE:
        return []
    return [
        ("how", _HOW[result.how]),
        ("final", moment(result.final_at)),
        ("bond", format_amount(result.bond, token)),
    ]
