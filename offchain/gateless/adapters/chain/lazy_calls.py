"""Transactions of the lazy market and its court as values, see :mod:`.calls`."""

from __future__ import annotations

from collections.abc import Sequence

from gateless.adapters.chain.calls import Call, call_of, permit_values
from gateless.core.lazy import LazyClaim, LazyLock, LazyRequest
from gateless.core.types import Permit

LAZY_MARKET = "LazyMarket"
DISPUTE_COURT = "DisputeCourt"


# --- money ---


def deposit(amount: int, contract: str = LAZY_MARKET) -> Call:
    """Deposits tokens that the market, or the court, has an allowance for."""
    return call_of(contract, "deposit", "deposit", amount)


def deposit_with_permit(permit: Permit, contract: str = LAZY_MARKET) -> Call:
    """Deposits ``permit.value`` without an approval transaction."""
    return call_of(contract, "deposit", "depositWithPermit", permit_values(permit))


def withdraw(amount: int, to: str, contract: str = LAZY_MARKET) -> Call:
    """Withdraws from the balance at the market, or at the court."""
    return call_of(contract, "withdraw", "withdraw", amount, to)


def withdraw_royalty(model_id: int, to: str) -> Call:
    """Withdraws all royalties of a model."""
    label = f"withdraw the lazy royalties of model {model_id}"
    return call_of(LAZY_MARKET, label, "withdrawRoyalty", model_id, to)


# --- requesters ---


def request(asked: LazyRequest, packed_input: bytes = b"") -> Call:
    """Opens a request, paid from the balance at the market."""
    label = "request a lazy inference"
    return call_of(LAZY_MARKET, label, "request", asked.struct(), packed_input)


def cancel(asked: LazyRequest) -> Call:
    """Takes back a request that nobody locked."""
    return call_of(LAZY_MARKET, "cancel a lazy request", "cancel", asked.struct())


def refund(asked: LazyRequest) -> Call:
    """Refunds a request that nobody locked in time."""
    return call_of(LAZY_MARKET, "refund a lazy request", "refund", asked.struct())


def refund_locked(asked: LazyRequest, missed: LazyLock) -> Call:
    """Refunds a request whose lock was missed."""
    label = "refund a missed lazy request"
    return call_of(LAZY_MARKET, label, "refundLocked", asked.struct(), missed.struct())


def cancel_nonces(word_index: int, mask: int) -> Call:
    """Makes nonces of the sender useless: bit i of ``mask`` is nonce ``256 * word_index + i``."""
    return call_of(LAZY_MARKET, "cancel lazy requests", "cancelNonces", word_index, mask)


# --- executors ---


def back(amount: int) -> Call:
    """Puts allocated stake behind the sender's answers."""
    return call_of(LAZY_MARKET, "back lazy answers", "back", amount)


def unback(amount: int) -> Call:
    """Takes back what no unfinished answer uses."""
    return call_of(LAZY_MARKET, "take backing back", "unback", amount)


def lock(asked: LazyRequest, least_seconds: int = 0, least_price: int = 0) -> Call:
    """Locks an open request; with less time or price it reverts."""
    values = (asked.struct(), least_seconds, least_price)
    return call_of(LAZY_MARKET, "lock a lazy request", "lock", *values)


def lock_signed(
    asked: LazyRequest, signature: bytes, least_seconds: int = 0, least_price: int = 0
) -> Call:
    """Makes and locks a signed request."""
    values = (asked.struct(), signature, least_seconds, least_price)
    return call_of(LAZY_MARKET, "lock a signed lazy request", "lockSigned", *values)


def take_over(asked: LazyRequest, missed: LazyLock, least_seconds: int = 0) -> Call:
    """Takes over a request whose lock was missed."""
    values = (asked.struct(), missed.struct(), least_seconds)
    return call_of(LAZY_MARKET, "take a lazy request over", "takeOver", *values)


def fulfill(asked: LazyRequest, held: LazyLock, packed_output: bytes) -> Call:
    """Answers a locked request with the output alone."""
    values = (asked.struct(), held.struct(), packed_output)
    return call_of(LAZY_MARKET, "answer a lazy request", "fulfill", *values)


def lock_and_fulfill(asked: LazyRequest, packed_output: bytes) -> Call:
    """Locks and answers at once, where the request names the sender."""
    label = "lock and answer a lazy request"
    return call_of(LAZY_MARKET, label, "lockAndFulfill", asked.struct(), packed_output)


def lock_signed_and_fulfill(asked: LazyRequest, signature: bytes, packed_output: bytes) -> Call:
    """Makes, locks and answers a signed request that names the sender."""
    values = (asked.struct(), signature, packed_output)
    label = "lock and answer a signed lazy request"
    return call_of(LAZY_MARKET, label, "lockSignedAndFulfill", *values)


def finalize(claim: LazyClaim, packed_output: bytes = b"") -> Call:
    """Makes an answer final that nobody doubted in time, and pays it."""
    return call_of(LAZY_MARKET, "finalise a lazy answer", "finalize", claim.struct(), packed_output)


def finalize_many(claims: Sequence[LazyClaim]) -> Call:
    """Makes several answers final without keeping their results; leaves out what is not due."""
    data = [claim.struct() for claim in claims]
    return call_of(LAZY_MARKET, f"finalise {len(claims)} lazy answers", "finalizeMany", data)


def keep_result(claim: LazyClaim) -> Call:
    """Keeps the result of an answer that :func:`finalize_many` made final."""
    return call_of(LAZY_MARKET, "keep a lazy result", "keepResult", claim.struct())


def batch(calls: Sequence[Call]) -> Call:
    """Several calls of the lazy market in one transaction; those that fail are left out."""
    data = [entry.data for entry in calls]
    return call_of(LAZY_MARKET, f"{len(calls)} steps at the lazy market", "batch", data)


# --- doubt ---


def commit_challenge(commitment: bytes) -> Call:
    """Announces a challenge without saying of what."""
    return call_of(DISPUTE_COURT, "announce a challenge", "commitChallenge", commitment)


def withdraw_commitment(commitment: bytes) -> Call:
    """Takes a commitment back that was not opened."""
    return call_of(DISPUTE_COURT, "take a commitment back", "withdrawCommitment", commitment)


def challenge(market: str, claim: LazyClaim, salt: bytes) -> Call:
    """Opens a commitment of an earlier block: from then on somebody must prove."""
    label = "challenge a lazy answer"
    return call_of(DISPUTE_COURT, label, "challenge", market, claim.struct(), salt)


def draw_lot(market: str, claim: LazyClaim) -> Call:
    """Shows that the lot fell on an answer."""
    return call_of(DISPUTE_COURT, "draw the lot", "drawLot", market, claim.struct())


def prove(
    market: str,
    claims: Sequence[LazyClaim],
    circuit_index: int,
    packed_input: bytes,
    packed_output: bytes,
    proof: bytes,
) -> Call:
    """Proves answers that say the same; ``packed_input`` is empty for versions bound by KZG."""
    return call_of(
        DISPUTE_COURT,
        f"prove {len(claims)} lazy answer{'' if len(claims) == 1 else 's'}",
        "prove",
        market,
        [claim.struct() for claim in claims],
        circuit_index,
        packed_input,
        packed_output,
        proof,
    )


def slash(market: str, claim: LazyClaim) -> Call:
    """Slashes for a disputed answer that nobody proved in time."""
    return call_of(DISPUTE_COURT, "slash for a lazy answer", "slash", market, claim.struct())


def burn() -> Call:
    """Sends what failed challengers lost to the burn address."""
    return call_of(DISPUTE_COURT, "burn failed challengers' bonds", "burn")
