"""Reads bonded receipts and packed outputs from files and the command line; shows claims."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateless.cli.render import Rows, amount, moment
from gateless.core.amounts import Token, format_amount
from gateless.core.claims import ClaimInfo, ClaimState
from gateless.core.errors import InputError

if TYPE_CHECKING:
    from gateless.core.receipts import Receipt, SignedReceipt

_WORDS = {
    ClaimState.COMMITTED: "announced, not opened",
    ClaimState.WITHDRAWN: "taken back",
    ClaimState.REPORTED: "opened as a report of equivocation",
    ClaimState.OPEN: "open: the executor has to prove",
    ClaimState.PROVEN: "proven: the receipt is right",
    ClaimState.SLASHED: "slashed: no proof came in time",
    ClaimState.MOOT: "no proof came, but the bond was gone",
}


def read_receipt(path: Path) -> SignedReceipt:
    """The receipt in a file.

    Raises:
        InputError: ``receipt-unreadable``, ``invalid-receipt``.
    """
    from gateless.core.receipts import MAX_RECEIPT_BYTES, parse_receipt

    try:
        with path.expanduser().open("rb") as file:
            return parse_receipt(file.read(MAX_RECEIPT_BYTES + 1))
    except OSError as error:
        raise InputError(
            "receipt-unreadable",
            f"cannot read {path}: {error.strerror or error}",
            hint="name the file with the receipt that the executor sent",
        ) from error


def packed_output(text: str) -> bytes:
    """A packed output as executors send it: 0x and hex digits.

    Raises:
        InputError: ``invalid-output``.
    """
    if not re.fullmatch(r"0x(?:[0-9a-fA-F]{2})+", text):
        raise InputError(
            "invalid-output",
            "the output is not given as bytes",
            hint="give the packed output as the executor sent it: 0x and hex digits",
        )
    return bytes.fromhex(text[2:])


def receipt_data(receipt: Receipt, token: Token) -> dict[str, Any]:
    """A receipt for machines, amounts also in words."""
    plain = {
        name: f"0x{value.hex()}" if isinstance(value, bytes) else value
        for name, value in receipt.struct().items()
    }
    return plain | {
        "price": amount(receipt.price, token),
        "bond": amount(receipt.bond, token),
    }


def receipt_facts(receipt: Receipt, label: str, token: Token) -> Rows:
    """A receipt for people."""
    return [
        ("version", label),
        ("executor", receipt.executor),
        ("beneficiary", receipt.beneficiary),
        ("price", format_amount(receipt.price, token)),
        ("bond", format_amount(receipt.bond, token)),
        ("slot", f"{receipt.slot} of epoch {receipt.epoch}"),
        ("can be challenged until", moment(receipt.expires)),
    ]


def claim_data(claim: ClaimInfo) -> dict[str, Any]:
    """A claim for machines."""
    return {
        "claim_id": claim.claim_id,
        "state": claim.state.name,
        "final": claim.state.is_final,
        "challenger": claim.challenger,
        "deadline": claim.deadline,
        "version_id": claim.version_id,
        "slot": claim.slot,
        "beneficiary": claim.beneficiary,
    }


def claim_facts(claim: ClaimInfo) -> Rows:
    """A claim for people."""
    return [
        ("claim", str(claim.claim_id)),
        ("state", _WORDS[claim.state]),
        ("challenger", claim.challenger),
        ("proof due until", moment(claim.deadline)),
    ]
