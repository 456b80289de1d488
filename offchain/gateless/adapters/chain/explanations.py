"""What to do about a contract's error: summaries and hints by error name.

Only errors about which somebody can do something are here; the rest speak by name and arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gateless.adapters.chain.deployment import TokenInfo
from gateless.adapters.chain.fixed_explanations import FIXED
from gateless.adapters.chain.record_explanations import RECORD_ERRORS
from gateless.core.claims import FLAWS

#: Errors that mean: a balance, stake or allowance is too low.
FUNDS_ERRORS = frozenset(
    {
        "TokenAccounts_InsufficientBalance",
        "LazyMarket_InsufficientBacking",
        "ReceiptCourt_InsufficientBalance",
        "ExecutorStaking_InsufficientFree",
        "ExecutorStaking_InsufficientAllocation",
        "ExecutorStaking_StakeBelowMinimum",
        "ERC20InsufficientBalance",
        "ERC20InsufficientAllowance",
    }
)

#: Errors that mean: there is no such thing; with the code that reading the chain gives too.
NOT_FOUND_ERRORS: Mapping[str, str] = {
    "ModelRegistry_UnknownModel": "unknown-model",
    "ModelRegistry_UnknownVersion": "unknown-version",
    "ModelRegistry_UnknownAlias": "unknown-alias",
    "InferenceMarket_UnknownRequest": "unknown-request",
    "ERC721NonexistentToken": "unknown-model",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an error means to a person, and further facts for machines."""

    summary: str = ""
    hint: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)


_Args = Mapping[str, Any]
_Explain = Callable[[_Args, TokenInfo | None], Explanation]


def explain(name: str, args: _Args, token: TokenInfo | None) -> Explanation:
    """The explanation of an error, empty where there is nothing to add."""
    rule = _RULES.get(name)
    return Explanation() if rule is None else rule(args, token)


def _amount(amount: int, token: TokenInfo | None) -> str:
    return f"{amount} token units" if token is None else token.format(amount)


def _number(amount: int, token: TokenInfo | None) -> str:
    """An amount as it is typed on a command line."""
    return f"<{amount} token units>" if token is None else token.format(amount).split(" ")[0]


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"


def _market_balance(args: _Args, token: TokenInfo | None) -> Explanation:
    missing = args["needed"] - args["balance"]
    return Explanation(
        f"the market balance is too low by {_amount(missing, token)}",
        f"deposit what is missing: gateless wallet deposit {_number(missing, token)}; "
        "the lazy market has deposits of its own (gateless lazy deposit)",
        {"missing": missing, "balance": args["balance"], "needed": args["needed"]},
    )


def _court_balance(args: _Args, token: TokenInfo | None) -> Explanation:
    missing = args["needed"] - args["balance"]
    return Explanation(
        f"the balance at the court is too low by {_amount(missing, token)}",
        "deposit what is missing there, or ask for less",
        {"missing": missing, "balance": args["balance"], "needed": args["needed"]},
    )


def _receipt_flaw(args: _Args, _token: TokenInfo | None) -> Explanation:
    summary = FLAWS.get(args["flaw"], "the court takes no such receipt")
    return Explanation(summary, "nothing can be claimed by it; the commitment can be taken back")


def _not_overdue(args: _Args, _token: TokenInfo | None) -> Explanation:
    return Explanation("the executor may still prove", f"try again after {_time(args['deadline'])}")


def _wallet_balance(args: _Args, token: TokenInfo | None) -> Explanation:
    missing = args["needed"] - args["balance"]
    return Explanation(
        f"the wallet lacks {_amount(missing, token)}",
        f"send {_amount(missing, token)} to {args['sender']} first",
        {"missing": missing, "balance": args["balance"], "needed": args["needed"]},
    )


def _allowance(args: _Args, token: TokenInfo | None) -> Explanation:
    missing = args["needed"] - args["allowance"]
    return Explanation(
        f"the allowance is too low by {_amount(missing, token)}",
        f"approve {_amount(args['needed'], token)} for {args['spender']}, or use a permit",
        {"missing": missing, "allowance": args["allowance"], "needed": args["needed"]},
    )


def _free_stake(args: _Args, token: TokenInfo | None) -> Explanation:
    missing = args["needed"] - args["free"]
    return Explanation(
        f"the free stake is too low by {_amount(missing, token)}",
        f"stake what is missing: gateless executor stake {_number(missing, token)};"
        " allocated stake becomes free through the exit queue",
        {"missing": missing, "free": args["free"], "needed": args["needed"]},
    )


def _allocation(args: _Args, token: TokenInfo | None) -> Explanation:
    missing = args["needed"] - args["available"]
    return Explanation(
        f"the stake allocated to the market is too low by {_amount(missing, token)}",
        f"stake and allocate what is missing: gateless executor stake {_number(missing, token)},"
        " or wait until open requests end",
        {"missing": missing, "available": args["available"], "needed": args["needed"]},
    )


def _minimum_stake(args: _Args, token: TokenInfo | None) -> Explanation:
    missing = args["minimum"] - args["allocated"]
    return Explanation(
        f"the stake is below the minimum of {_amount(args['minimum'], token)}",
        f"stake what is missing: gateless executor stake {_number(missing, token)}",
        {"missing": missing, "stake": args["allocated"], "minimum": args["minimum"]},
    )


def _collateral(args: _Args, token: TokenInfo | None) -> Explanation:
    return Explanation(
        "the collateral is too low",
        f"ask for a collateral of at least {_amount(args['floor'], token)}",
        {"minimum": args["floor"]},
    )


def _deadline(args: _Args, _token: TokenInfo | None) -> Explanation:
    return Explanation(
        "the deadline is out of range",
        f"choose one between {_time(args['earliest'])} and {_time(args['latest'])}",
        {"earliest": args["earliest"], "latest": args["latest"]},
    )


def _expired(args: _Args, _token: TokenInfo | None) -> Explanation:
    return Explanation(
        f"the deadline passed at {_time(args['deadline'])}",
        f"take the money back: gateless request refund {args['requestId']}",
        {"deadline": args["deadline"]},
    )


def _not_expired(args: _Args, _token: TokenInfo | None) -> Explanation:
    return Explanation(
        "the request is still running",
        f"it can be refunded after {_time(args['deadline'])}",
        {"deadline": args["deadline"]},
    )


def _lock_duration(args: _Args, _token: TokenInfo | None) -> Explanation:
    return Explanation(
        "the lock duration is out of range",
        f"choose between {args['minimum']} and {args['maximum']} seconds",
    )


def _exit_not_ready(args: _Args, _token: TokenInfo | None) -> Explanation:
    return Explanation(
        "the exit delay is not over",
        f"complete the exit after {_time(args['readyAt'])}",
        {"ready_at": args["readyAt"]},
    )


def _callback_gas(args: _Args, _token: TokenInfo | None) -> Explanation:
    return Explanation(
        "the callback asks for too much gas", f"give it at most {args['maximum']} gas"
    )


def _too_long(what: str) -> _Explain:
    def rule(args: _Args, _token: TokenInfo | None) -> Explanation:
        return Explanation(f"the {what} is too long", f"at most {args['maximum']} bytes fit")

    return rule


def _above(what: str) -> _Explain:
    def rule(args: _Args, token: TokenInfo | None) -> Explanation:
        return Explanation(
            f"the {what} is too high", f"at most {_amount(args['maximum'], token)} can be stored"
        )

    return rule


def _too_many_requests(args: _Args, _token: TokenInfo | None) -> Explanation:
    return Explanation(
        "the batch names more requests than the circuit has rows",
        f"at most {args['rows']} fit",
        {"rows": args["rows"]},
    )


def _name_taken(args: _Args, _token: TokenInfo | None) -> Explanation:
    return Explanation(
        f"the name {args['name']!r} belongs to model {args['modelId']}",
        "choose another name, or publish from the wallet that holds that model",
    )


def _royalty(args: _Args, _token: TokenInfo | None) -> Explanation:
    return Explanation("the royalty is too high", f"ask at most {args['maximum'] / 100:g} %")


def _mint(args: _Args, token: TokenInfo | None) -> Explanation:
    return Explanation(
        "that is too much test money at once", f"ask for at most {_amount(args['maximum'], token)}"
    )


def _fixed(summary: str, hint: str) -> _Explain:
    explanation = Explanation(summary, hint)
    return lambda _args, _token: explanation


_RULES: Mapping[str, _Explain] = {
    **{name: _fixed(*said) for name, said in {**FIXED, **RECORD_ERRORS}.items()},
    "LazyMarket_CollateralBelowFloor": _collateral,
    "LazyMarket_LockDurationOutOfRange": _lock_duration,
    "RecordMarket_DeadlineOutOfRange": _deadline,
    "RecordMarket_CallbackGasTooHigh": _callback_gas,
    "RecordMarket_InputTooLong": _too_long("input"),
    "RecordMarket_OutputTooLong": _too_long("output"),
    "RecordMarket_HintTooLong": _too_long("input hint"),
    "RecordMarket_PriceTooHigh": _above("price"),
    "ModelRegistry_ReasonTooLong": _too_long("reason"),
    "TestDollar_MintTooHigh": _mint,
    "TokenAccounts_InsufficientBalance": _market_balance,
    "ReceiptCourt_InsufficientBalance": _court_balance,
    "ReceiptCourt_InvalidReceipt": _receipt_flaw,
    "ReceiptCourt_NotOverdue": _not_overdue,
    "ReceiptCourt_InputTooLong": _too_long("input"),
    "InferenceMarket_CollateralBelowFloor": _collateral,
    "InferenceMarket_DeadlineOutOfRange": _deadline,
    "InferenceMarket_LockDurationOutOfRange": _lock_duration,
    "InferenceMarket_Expired": _expired,
    "InferenceMarket_NotExpired": _not_expired,
    "InferenceMarket_CallbackGasTooHigh": _callback_gas,
    "InferenceMarket_InputTooLong": _too_long("input"),
    "InferenceMarket_HintTooLong": _too_long("input hint"),
    "InferenceMarket_TooManyRequests": _too_many_requests,
    "InferenceMarket_PriceTooHigh": _above("price"),
    "InferenceMarket_CollateralTooHigh": _above("collateral"),
    "ExecutorStaking_InsufficientFree": _free_stake,
    "ExecutorStaking_InsufficientAllocation": _allocation,
    "ExecutorStaking_StakeBelowMinimum": _minimum_stake,
    "ExecutorStaking_ExitNotReady": _exit_not_ready,
    "ExecutorStaking_EndpointTooLong": _too_long("endpoint"),
    "ModelRegistry_NameTaken": _name_taken,
    "ModelRegistry_RoyaltyTooHigh": _royalty,
    "ModelRegistry_UriTooLong": _too_long("URI"),
    "ERC20InsufficientBalance": _wallet_balance,
    "ERC20InsufficientAllowance": _allowance,
}

#: Names of the errors that have an explanation.
EXPLAINED = frozenset(_RULES)
