"""Where a lazy request stands, for those who want of it what it cannot give (any more)."""

from __future__ import annotations

from gateless.core.errors import ChainError, NotFoundError
from gateless.core.lazy import LazyState

_LOOK = "look at it: gateless lazy result 0x{:064x}"
#: Why a price cannot be returned, and what can be done instead.
_KEPT = {
    LazyState.ANSWERED: (
        "was answered: it becomes final, and is paid, unless somebody doubts it in time",
        _LOOK + "; doubt it: gateless lazy challenge 0x{:064x}",
    ),
    LazyState.DISPUTED: (
        "is doubted: its executor has to prove the answer",
        "where no proof comes in time: gateless lazy slash 0x{:064x}",
    ),
    LazyState.FINAL: ("is final, and its executor was paid", _LOOK),
    LazyState.SLASHED: (
        "has ended: its executor was slashed, and the price is back in the deposit",
        "have the price back: gateless lazy withdraw; and the compensation:"
        " gateless receipt withdraw",
    ),
    LazyState.REFUNDED: (
        "was refunded already: the price is back in the deposit",
        "have it back: gateless lazy withdraw",
    ),
}


def unknown(request_id: int) -> NotFoundError:
    """The market has no such request, or it did not come that far."""
    return NotFoundError(
        "unknown-request",
        f"the lazy market knows no such step of request 0x{request_id:064x}",
        hint="check the id and the network; a signed request shows when it is locked",
        request_id=request_id,
    )


def not_returnable(request_id: int, state: LazyState) -> ChainError:
    """Its price cannot be returned: it was answered, or has ended."""
    why, then = _KEPT[state]
    return ChainError(
        "nothing-to-refund",
        f"request 0x{request_id:064x} {why}",
        hint=then.format(request_id, request_id),
        request_id=request_id,
        state=state.name,
    )


def without_output(request_id: int, state: LazyState) -> ChainError:
    """It ended without an output that counts."""
    if state is LazyState.SLASHED:
        return ChainError(
            "request-slashed",
            f"the answer to request 0x{request_id:064x} was doubted and never proven",
            hint="the price is back in the deposit; fetch the compensation by:"
            " gateless receipt withdraw",
            request_id=request_id,
        )
    return ChainError(
        "request-refunded",
        f"request 0x{request_id:064x} was refunded, it has no output",
        hint="the price is back in the deposit at the lazy market; ask again",
        request_id=request_id,
    )
