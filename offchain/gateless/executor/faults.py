"""Which faults decide a request and which need the operator: one place, so nobody guesses."""

from __future__ import annotations

from gateless.core.errors import GatelessError

#: The version or the input as published can never be served, whatever happens elsewhere: while
#: nothing is promised, a request is not tried again.
HOPELESS = frozenset(
    {
        # what the publisher put on chain or into the bundle does not fit together
        "key-mismatch",
        "srs-mismatch",
        "wrong-srs",
        "manifest-mismatch",
        "invalid-manifest",
        "file-not-in-manifest",
        "no-usable-circuit",
        # what the requester sent does not fit the version or has no proof
        "input-digest-mismatch",
        "input-binding-mismatch",
        "invalid-input-hint",
        "no-input",
        "wrong-length",
        "out-of-range",
        "input-not-provable",
        "output-out-of-range",
        "accuracy-out-of-bound",
        # it has a witness and no proof: whose fault that is, another proof would not tell
        "proving-failed",
        "proof-too-large",
        "witness-mismatch",
        "zk-verifier-proof-rejected",
        "zk-verifier-proof-length",
        "zk-verifier-output-cut-off",
        # this machine is too small for it
        "memory-limit",
        "time-limit",
    }
)

#: Waiting helps, but only an operator can end it: these are shown as problems.
NEEDS_OPERATOR = frozenset(
    {
        "database-full",
        "disk-full",
        "clock-skew",
        "stake-too-low",
        "gas-balance-too-low",
        "fee-above-cap",
        "fee-at-cap",
        "halted",
        "version-halted",
        "not-enrolled",
        "not-profitable",
        "slashed",
        "receipt-key-unpublished",
        "receipt-stake-too-low",
    }
)


#: What a version, or this machine with it, may get wrong by itself. Some of it decides a request as
#: well, which counts once then: it takes several requests until their version is left alone.
BREAKING = frozenset(
    {
        "worker-crashed",
        "memory-limit",
        "time-limit",
        "proving-failed",
        "proof-too-large",
        "zk-verifier-proof-rejected",
        "transaction-reverted",
    }
)


def is_breaking(error: GatelessError, *, locking: bool = False) -> bool:
    """Whether an error counts against a version: after some in a row it is left alone.

    Args:
        error: what went wrong.
        locking: whether a lock was under way. One that is mined and reverts was too late: another
            executor was faster, and whoever outbids often enough must not have a version left to
            himself for it.
    """
    return error.code in BREAKING and not (locking and error.code == "transaction-reverted")


def is_hopeless(error: GatelessError) -> bool:
    """Whether a request that nobody was promised is not worth another try."""
    return error.code in HOPELESS
