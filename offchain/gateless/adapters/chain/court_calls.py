"""Transactions of the court as values, see :mod:`gateless.adapters.chain.calls`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateless.adapters.chain.calls import Call, call_of, permit_values
from gateless.core.receipts import SignedReceipt
from gateless.core.types import Permit

COURT = "ReceiptCourt"


def _call(label: str, function: str, *values: Any) -> Call:
    return call_of(COURT, label, function, *values)


# --- money ---


def deposit(amount: int) -> Call:
    """Deposits tokens that the court has an allowance for."""
    return _call("deposit at the court", "deposit", amount)


def deposit_with_permit(permit: Permit) -> Call:
    """Deposits ``permit.value`` without an approval transaction."""
    return _call("deposit at the court", "depositWithPermit", permit_values(permit))


def withdraw(amount: int, to: str) -> Call:
    """Withdraws from the balance at the court."""
    return _call("withdraw from the court", "withdraw", amount, to)


def burn() -> Call:
    """Sends what failed challenges left for burning to the burn address."""
    return _call("burn failed challenges' bonds", "burn")


# --- pools ---


def open_pools(
    first_epoch: int, count: int, *, bond: int, capacity: int, challenge_bond: int
) -> Call:
    """Opens the sender's pools for ``count`` epochs, each of ``capacity`` slots of ``bond``."""
    label = f"open {count} receipt pools from epoch {first_epoch} on"
    return _call(label, "openPools", first_epoch, count, bond, capacity, challenge_bond)


def grow_pool(epoch: int, slots: int) -> Call:
    """Adds slots to the sender's pool of an epoch that is not over."""
    return _call(f"add {slots} slots to the pool of epoch {epoch}", "growPool", epoch, slots)


def close_pool(epoch: int) -> Call:
    """Takes back the sender's pool of an epoch that has not begun."""
    return _call(f"close the pool of epoch {epoch}", "closePool", epoch)


def release_pool(executor: str, epoch: int) -> Call:
    """Unlocks what is left of a pool that no receipt needs any more."""
    return _call(f"release the pool of epoch {epoch}", "releasePool", executor, epoch)


# --- challenges ---


def commit(commitment: bytes) -> Call:
    """Announces a challenge without saying of what."""
    return _call("announce a challenge", "commit", commitment)


def withdraw_commitment(claim_id: int) -> Call:
    """Takes a commitment back that was not opened."""
    return _call(f"take claim {claim_id} back", "withdrawCommitment", claim_id)


def challenge(claim_id: int, signed: SignedReceipt, packed_input: bytes, salt: bytes) -> Call:
    """Opens a commitment of an earlier block: from then on the executor must prove."""
    return _call(
        f"challenge a receipt by claim {claim_id}",
        "challengeReceipt",
        claim_id,
        signed.receipt.struct(),
        signed.signature,
        packed_input,
        salt,
    )


def respond(
    claim_ids: Sequence[int],
    circuit_index: int,
    packed_input: bytes,
    packed_output: bytes,
    proof: bytes,
) -> Call:
    """Proves what claims doubt; ``packed_input`` is empty for versions bound by KZG."""
    names = ", ".join(str(claim_id) for claim_id in claim_ids)
    return _call(
        f"answer claims {names}",
        "respond",
        list(claim_ids),
        circuit_index,
        packed_input,
        packed_output,
        proof,
    )


def slash(claim_id: int) -> Call:
    """Ends a claim that nobody answered in time."""
    return _call(f"slash for claim {claim_id}", "slash", claim_id)


def report_equivocation(
    claim_id: int, first: SignedReceipt, second: SignedReceipt, salt: bytes
) -> Call:
    """Opens a commitment of an earlier block to show two different receipts for one slot."""
    return _call(
        f"report an equivocation by claim {claim_id}",
        "reportEquivocation",
        claim_id,
        first.receipt.struct(),
        first.signature,
        second.receipt.struct(),
        second.signature,
        salt,
    )
