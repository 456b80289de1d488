"""What to do about a contract's error: summaries and hints by error name.

Only errors about which somebody can do something are here; the rest speak by name and arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gateless.adapters.chain.deployment import TokenInfo

#: Errors that mean: a balance, stake or allowance is too low.
FUNDS_ERRORS = frozenset(
    {
        "InferenceMarket_InsufficientBalance",
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


def _fixed(summary: str, hint: str) -> _Explain:
    explanation = Explanation(summary, hint)
    return lambda _args, _token: explanation


def _market_balance(args: _Args, token: TokenInfo | None) -> Explanation:
    missing = args["needed"] - args["balance"]
    return Explanation(
        f"the market balance is too low by {_amount(missing, token)}",
        f"deposit what is missing: gateless wallet deposit {_number(missing, token)}",
        {"missing": missing, "balance": args["balance"], "needed": args["needed"]},
    )


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


_HOLDER = _fixed(
    "only the model's holder may do that",
    "use the wallet that holds the model's token: gateless model show names it",
)
_DISAGREE = _fixed(
    "the proof does not show that",
    "the proof, input or output is of another version, input or run; prove again",
)

_ZERO = _fixed("the amount is zero", "give an amount above zero")
_BAD_KEY = _fixed("that is no verifying-key artifact", "take the words from the bundle's VKA file")


def _mint(args: _Args, token: TokenInfo | None) -> Explanation:
    return Explanation(
        "that is too much test money at once", f"ask for at most {_amount(args['maximum'], token)}"
    )


_RULES: Mapping[str, _Explain] = {
    "InferenceMarket_ZeroAmount": _ZERO,
    "InferenceMarket_NoUsableCircuit": _fixed(
        "the version has no circuit that proves one inference", "ask for another version"
    ),
    "ExecutorStaking_ZeroAmount": _ZERO,
    "ExecutorStaking_NothingToWithdraw": _fixed("there is nothing to withdraw", ""),
    "ExecutorStaking_AlreadyEnrolled": _fixed("the executor serves that version already", ""),
    "ExecutorStaking_NotEnrolled": _fixed("the executor does not serve that version", ""),
    "ModelRegistry_ReasonTooLong": _too_long("reason"),
    "ModelRegistry_VersionOfOtherModel": _fixed(
        "the version is another model's", "an alias points at versions of its own model only"
    ),
    "ZkVerifier_InputLength": _DISAGREE,
    "ZkVerifier_OutputLength": _DISAGREE,
    "ZkVerifier_VkaTooShort": _BAD_KEY,
    "ZkVerifier_VkaTooLong": _BAD_KEY,
    "ERC721NonexistentToken": _fixed(
        "there is no such model", "gateless model list shows what there is"
    ),
    "TestDollar_MintTooHigh": _mint,
    "InferenceMarket_InsufficientBalance": _market_balance,
    "InferenceMarket_CollateralBelowFloor": _collateral,
    "InferenceMarket_DeadlineOutOfRange": _deadline,
    "InferenceMarket_LockDurationOutOfRange": _lock_duration,
    "InferenceMarket_Expired": _expired,
    "InferenceMarket_NotExpired": _not_expired,
    "InferenceMarket_CallbackGasTooHigh": _callback_gas,
    "InferenceMarket_InputTooLong": _too_long("input"),
    "InferenceMarket_HintTooLong": _too_long("input hint"),
    "InferenceMarket_UnknownRequest": _fixed(
        "there is no such request", "check the request id and the network"
    ),
    "InferenceMarket_NotOpen": _fixed(
        "the request is not open any more", "see what became of it: gateless request show ID"
    ),
    "InferenceMarket_NotLocked": _fixed(
        "the request is not locked", "lock it first; it may also have ended"
    ),
    "InferenceMarket_NotRequester": _fixed(
        "only the requester may do that", "use the wallet that made the request"
    ),
    "InferenceMarket_NotNamedExecutor": _fixed(
        "the request names another executor", "only the named executor may lock it"
    ),
    "InferenceMarket_NotLockHolder": _fixed(
        "another executor holds the lock", "only the lock's holder may deliver the output"
    ),
    "InferenceMarket_NamedCannotCancel": _fixed(
        "a request that names its executor cannot be cancelled",
        "refund it after its deadline: the named executor shows his answer before he is paid",
    ),
    "InferenceMarket_OtherTerms": _fixed(
        "the request is not the one that was looked at",
        "look at it again: a reorganisation of the chain may have changed what its number means",
    ),
    "InferenceMarket_LockTooShort": _fixed(
        "too little time would be left to prove", "leave it to its refund, or to quicker executors"
    ),
    "ZkVerifier_TensorOverSeveralColumns": _fixed(
        "the input is too long for one commitment of this circuit",
        "use another version: this one cannot be answered",
    ),
    "ModelRegistry_ProofTooLarge": _fixed(
        "what one proof covers is too large to be verified in one transaction",
        "choose a smaller batch, bind inputs by commitment, or let the model put out less",
    ),
    "ModelRegistry_BatchTooLarge": _fixed(
        "a circuit takes too many inferences at once", "choose a smaller batch"
    ),
    "ModelRegistry_BatchNotPacked": _fixed(
        "a commitment covers a whole batch and binds no single request",
        "build versions with batch circuits with packed inputs",
    ),
    "ModelRegistry_InvalidDigits": _fixed(
        "the digits of a dense circuit do not fit its tensors or a field element",
        "build the bundle again",
    ),
    "ZkVerifier_UnsupportedBatch": _fixed(
        "that circuit proves another number of inferences", "use the circuit for this number"
    ),
    "ZkVerifier_OutputCutOff": _fixed(
        "an output is the smallest integer of its width, where a dense circuit cuts off",
        "use the circuit for one inference, or inputs like those the model was calibrated with",
    ),
    "ZkVerifier_BatchNotPacked": _fixed(
        "the version binds inputs by commitment, which takes no batches", "prove them one by one"
    ),
    "InferenceMarket_EmptyBatch": _fixed("the batch names no request", "name at least one"),
    "InferenceMarket_TooManyRequests": _too_many_requests,
    "InferenceMarket_VersionMismatch": _fixed(
        "the batch mixes requests of several versions", "one proof answers one version"
    ),
    "InferenceMarket_NothingToFulfill": _fixed(
        "none of the batch's requests is locked by this executor and still in time",
        "look at them again; they were paid, refunded, or locked in this very block",
    ),
    "InferenceMarket_PriceTooHigh": _above("price"),
    "InferenceMarket_CollateralTooHigh": _above("collateral"),
    "InferenceMarket_LockedInThisBlock": _fixed(
        "the lock is in this very block", "deliver the output one block later"
    ),
    "InferenceMarket_ModeNotAllowed": _fixed(
        "the version does not allow that trust mode", "gateless model show lists the modes"
    ),
    "InferenceMarket_ModeNotSupported": _fixed(
        "this market does not settle that trust mode", "ask for the mode ZK"
    ),
    "InferenceMarket_VkaNotRegistered": _fixed(
        "the version's key is not on chain",
        "anyone may register it from the bundle; publishing again does so",
    ),
    "InferenceMarket_NotEnoughGasForCallback": _fixed(
        "the transaction carries too little gas for the callback", "send it with more gas"
    ),
    "InferenceMarket_NotRoyaltyHolder": _HOLDER,
    "InferenceMarket_NothingToWithdraw": _fixed("nothing has been earned yet", ""),
    "InferenceMarket_InputBindingMismatch": _DISAGREE,
    "InferenceMarket_InputDigestMismatch": _fixed(
        "the input is not the one that the digest names", "give exactly the packed input"
    ),
    "ExecutorStaking_InsufficientFree": _free_stake,
    "ExecutorStaking_InsufficientAllocation": _allocation,
    "ExecutorStaking_StakeBelowMinimum": _minimum_stake,
    "ExecutorStaking_ExitNotReady": _exit_not_ready,
    "ExecutorStaking_NoExit": _fixed(
        "no exit was requested", "start one: gateless executor unstake"
    ),
    "ExecutorStaking_StakeStillLocked": _fixed(
        "open requests still hold that stake", "finish or refund them first"
    ),
    "ExecutorStaking_EndpointTooLong": _too_long("endpoint"),
    "ModelRegistry_NotHolder": _HOLDER,
    "ModelRegistry_NameTaken": _name_taken,
    "ModelRegistry_InvalidName": _fixed(
        "that cannot name a model",
        "use 1 to 64 of a-z, 0-9, '-', '_', '.', beginning with a letter or digit",
    ),
    "ModelRegistry_RoyaltyTooHigh": _royalty,
    "ModelRegistry_UriTooLong": _too_long("URI"),
    "ModelRegistry_UnknownModel": _fixed(
        "there is no such model", "gateless model list shows what there is"
    ),
    "ModelRegistry_UnknownVersion": _fixed(
        "there is no such version", "gateless model show lists a model's versions"
    ),
    "ModelRegistry_UnknownAlias": _fixed(
        "the model has no such alias", "gateless model show lists a model's aliases and versions"
    ),
    "ZkVerifier_ForeignSrs": _fixed(
        "the key was made with an SRS that this network does not accept",
        "build the bundle again with the network's SRS",
    ),
    "ZkVerifier_UnknownVka": _fixed(
        "the version's key is not on chain", "register it from the bundle first"
    ),
    "ZkVerifier_ProofRejected": _DISAGREE,
    "ZkVerifier_ProofLength": _DISAGREE,
    "ERC20InsufficientBalance": _wallet_balance,
    "ERC20InsufficientAllowance": _allowance,
    "ERC2612ExpiredSignature": _fixed(
        "the permit has expired", "sign a new one; check the clock of this machine"
    ),
    "ERC2612InvalidSigner": _fixed(
        "the permit is not signed by the token's owner, or was used already", "sign a new one"
    ),
}

#: Names of the errors that have an explanation.
EXPLAINED = frozenset(_RULES)
