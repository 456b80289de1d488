"""When a bonded receipt is worth something: each reason against it is an error of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateless.core.claims import ClaimInfo, PoolInfo, PoolState, ReceiptFlaw
from gateless.core.errors import InputError
from gateless.core.receipts import Court, Receipt, SignedReceipt
from gateless.sdk.results import ResolvedVersion, SentTransaction

#: Time that must be left to doubt a receipt.
DEFAULT_LIFE_SECONDS = 3600
_WORTHLESS = "do not pay for it; ask the executor for another receipt, or ask another executor"
_LOST = "nothing can be claimed by it"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a receipt must say.

    Attributes:
        court: that it is for.
        version_id: that was asked.
        input_binding: of the input that was sent.
        packed_digest: keccak256 of the input that was sent.
        output_digest: keccak256 of the output that was received.
        executor: who was asked; None for whoever signed.
        beneficiary: who is to be compensated; None where that does not matter.
        price: what was paid; None where that does not matter.
    """

    court: Court
    version_id: int
    input_binding: bytes
    packed_digest: bytes
    output_digest: bytes
    executor: str | None = None
    beneficiary: str | None = None
    price: int | None = None


@dataclass(frozen=True, slots=True)
class CheckedReceipt:
    """A receipt that is worth its bond, and what stands behind it.

    Attributes:
        signed: the receipt.
        resolved: its version.
        pool: what backs it.
        proven: whether what it says was proven on chain already: then it cannot be wrong.
    """

    signed: SignedReceipt
    resolved: ResolvedVersion
    pool: PoolInfo
    proven: bool


@dataclass(frozen=True, slots=True)
class Challenge:
    """An open challenge: its claim, and what it took to open it."""

    claim: ClaimInfo
    transactions: tuple[SentTransaction, ...]


@dataclass(frozen=True, slots=True)
class ClaimEnd:
    """How a claim ended for the harmed and the challenger: amounts of the slashed bond.

    All are 0 where another claim had taken the bond.
    """

    claim: ClaimInfo
    compensation: int
    reward: int
    burned: int
    transaction: SentTransaction


def check_statement(receipt: Receipt, court: Court, expected: Expected) -> None:
    """Whether a receipt is about what was asked and answered.

    Raises:
        InputError: ``receipt-other-court``, ``receipt-other-version``, ``receipt-other-input``,
            ``receipt-other-output``, ``receipt-other-executor``, ``receipt-other-beneficiary``,
            ``receipt-other-price``.
    """
    if court != expected.court:
        raise InputError(
            "receipt-other-court",
            f"the receipt is for the court {court.address} on chain {court.chain_id}",
            hint=f"this network's is {expected.court.address} on chain {expected.court.chain_id}",
        )
    if receipt.version_id != expected.version_id:
        raise InputError(
            "receipt-other-version",
            f"the receipt is for version {receipt.version_id}, asked was {expected.version_id}",
            hint=_WORTHLESS,
        )
    if (receipt.input_binding, receipt.packed_digest) != (
        expected.input_binding,
        expected.packed_digest,
    ):
        raise InputError("receipt-other-input", "the receipt is for another input", hint=_WORTHLESS)
    if receipt.output_digest != expected.output_digest:
        raise InputError(
            "receipt-other-output",
            "the receipt is for another output than the one received",
            hint=_WORTHLESS,
        )
    if expected.executor not in (None, receipt.executor):
        raise InputError(
            "receipt-other-executor", f"the receipt is of {receipt.executor}", hint=_WORTHLESS
        )
    if expected.beneficiary not in (None, receipt.beneficiary):
        raise InputError(
            "receipt-other-beneficiary",
            f"the receipt compensates {receipt.beneficiary} if it is wrong",
            hint=_WORTHLESS,
        )
    if expected.price not in (None, receipt.price):
        raise InputError(
            "receipt-other-price",
            f"the receipt states a price of {receipt.price} token units",
            hint=_WORTHLESS,
        )


def check_flaw(flaw: ReceiptFlaw, receipt: Receipt) -> None:
    """Raises what the court says against a receipt.

    Raises:
        InputError: ``receipt-no-pool``, ``receipt-beyond-capacity``, ``receipt-other-bond``,
            ``receipt-other-epoch``, ``receipt-not-yet-issued``, ``receipt-life-out-of-range``,
            ``receipt-foreign-signature``, ``receipt-expired``, ``receipt-slot-slashed``.
    """
    if flaw is not ReceiptFlaw.NONE:
        raise _FLAWS[flaw](receipt)


_FLAWS: dict[ReceiptFlaw, Callable[[Receipt], InputError]] = {
    ReceiptFlaw.NO_POOL: lambda receipt: InputError(
        "receipt-no-pool",
        f"{receipt.executor} has no pool in epoch {receipt.epoch}: no stake backs the receipt",
        hint=_WORTHLESS,
    ),
    ReceiptFlaw.BEYOND_CAPACITY: lambda receipt: InputError(
        "receipt-beyond-capacity",
        f"slot {receipt.slot} is beyond the pool's capacity: no stake backs the receipt",
        hint=_WORTHLESS,
    ),
    ReceiptFlaw.OTHER_BOND: lambda receipt: InputError(
        "receipt-other-bond",
        f"the receipt states a bond of {receipt.bond} token units, its slot has another",
        hint=_WORTHLESS,
    ),
    ReceiptFlaw.OTHER_EPOCH: lambda receipt: InputError(
        "receipt-other-epoch",
        f"the receipt was not issued in epoch {receipt.epoch}, which it names",
        hint=_WORTHLESS,
    ),
    ReceiptFlaw.NOT_YET_ISSUED: lambda _: InputError(
        "receipt-not-yet-issued",
        "the receipt is dated in the future",
        hint="look at it again in some seconds: the executor's clock may be ahead",
    ),
    ReceiptFlaw.LIFE_OUT_OF_RANGE: lambda _: InputError(
        "receipt-life-out-of-range",
        "the receipt lives longer than the court allows, or not at all",
        hint=_WORTHLESS,
    ),
    ReceiptFlaw.FOREIGN_SIGNATURE: lambda receipt: InputError(
        "receipt-foreign-signature",
        f"the receipt is not signed by the key that {receipt.executor} registered",
        hint=_WORTHLESS,
    ),
    ReceiptFlaw.EXPIRED: lambda _: InputError(
        "receipt-expired", "the receipt has expired", hint=_LOST
    ),
    ReceiptFlaw.SLOT_SLASHED: lambda _: InputError(
        "receipt-slot-slashed", "the bond behind the receipt is gone", hint=_LOST
    ),
}


def check_backing(
    receipt: Receipt, pool: PoolInfo, now: int, *, min_bond: int, min_life: int
) -> None:
    """Whether enough stands behind a receipt that the court would take, for long enough.

    Raises:
        InputError: ``receipt-bond-not-locked``, ``receipt-bond-too-low``,
            ``receipt-expires-too-soon``, ``receipt-pool-forfeited``, ``receipt-executor-in-exit``.
    """
    if pool.state is not PoolState.OPEN or pool.locked < receipt.bond:
        raise InputError(
            "receipt-bond-not-locked",
            "the stake behind the receipt is not locked (any more)",
            hint=_WORTHLESS,
        )
    if receipt.bond < min_bond:
        raise InputError(
            "receipt-bond-too-low",
            f"the bond is {receipt.bond} token units, at least {min_bond} were asked for",
            hint=_WORTHLESS,
        )
    if receipt.expires < now + min_life:
        raise InputError(
            "receipt-expires-too-soon",
            f"the receipt can be challenged for {max(0, receipt.expires - now)} more seconds only",
            hint=f"ask for one that lives {min_life} seconds, or accept less",
        )
    if pool.reporter is not None:
        raise InputError(
            "receipt-pool-forfeited",
            f"{receipt.executor} signed two receipts for one slot of this epoch",
            hint="trust none of its receipts; ask another executor",
        )
    if pool.in_exit:
        raise InputError(
            "receipt-executor-in-exit",
            f"{receipt.executor} is taking its stake out",
            hint="ask another executor",
        )


def check_challengeable(receipt: Receipt, packed: bytes, digest: bytes, most: int) -> None:
    """Whether a challenge could carry the input.

    Args:
        receipt: the receipt.
        packed: the packed input.
        digest: keccak256 of it.
        most: bytes that a challenge carries.

    Raises:
        InputError: ``receipt-other-input``, ``receipt-input-too-long``.
    """
    if digest != receipt.packed_digest:
        raise InputError(
            "receipt-other-input",
            "the receipt is for another input",
            hint="give exactly the packed input that the executor was sent",
        )
    if len(packed) > most:
        raise InputError(
            "receipt-input-too-long",
            f"the input has {len(packed)} bytes, a challenge carries {most}:"
            " this receipt can never be challenged",
            hint="ask by a request on chain instead: gateless infer",
        )
