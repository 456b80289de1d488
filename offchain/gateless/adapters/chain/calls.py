"""Transactions as values: one builder for each contract function that changes something.

A call names its contract; :class:`~gateless.adapters.chain.sender.Sender` looks the address up in
the deployment, so a call can be built, logged and journaled without a connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from gateless.adapters.chain.abi import ContractAbi
from gateless.adapters.chain.artifacts import load_artifact
from gateless.core.types import (
    ZERO_ADDRESS,
    ExecutorProfile,
    Permit,
    RequestInfo,
    RequestParams,
    SignedRequest,
)

STAKING = "ExecutorStaking"
MARKET = "InferenceMarket"
#: The market's ERC-20, whichever it is; its ABI is that of the test dollar, which has all of it.
TOKEN = "token"  # noqa: S105
_TOKEN_ABI = "TestDollar"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Call:
    """A transaction still to be sent.

    Attributes:
        to: a contract's name in the deployment, :data:`TOKEN`, or an address.
        data: calldata.
        label: what it does, in words, for progress and logs.
        value: wei to send along.
        least_gas: gas that it needs whatever the node estimates: where parts of a call may fail and
            the rest goes through, the estimate is the least with which anything does.
    """

    to: str
    data: bytes
    label: str
    value: int = 0
    least_gas: int = 0


@lru_cache(maxsize=16)
def abi_of(contract: str) -> ContractAbi:
    """The ABI of a contract of the deployment, by its name or :data:`TOKEN`."""
    name = _TOKEN_ABI if contract == TOKEN else contract
    return ContractAbi(name, load_artifact(name).abi)


def call_of(contract: str, label: str, function: str, *values: Any) -> Call:
    """A call of a contract's function, by its name; structs are mappings by field name."""
    return Call(contract, abi_of(contract).encode_call(function, *values), label)


# --- money of requesters and publishers ---


def deposit(amount: int) -> Call:
    """Deposits tokens that the market has an allowance for."""
    return call_of(MARKET, "deposit", "deposit", amount)


def deposit_with_permit(permit: Permit) -> Call:
    """Deposits ``permit.value`` without an approval transaction."""
    return call_of(MARKET, "deposit", "depositWithPermit", permit_values(permit))


def withdraw(amount: int, to: str) -> Call:
    """Withdraws from the market balance."""
    return call_of(MARKET, "withdraw", "withdraw", amount, to)


def withdraw_royalty(model_id: int, to: str) -> Call:
    """Withdraws all royalties of a model."""
    return call_of(
        MARKET, f"withdraw the royalties of model {model_id}", "withdrawRoyalty", model_id, to
    )


def approve(spender: str, amount: int) -> Call:
    """Allows ``spender`` (an address) to take tokens."""
    return call_of(TOKEN, "approve", "approve", spender, amount)


def token_transfer(to: str, amount: int) -> Call:
    """Sends tokens."""
    return call_of(TOKEN, "send tokens", "transfer", to, amount)


def mint(to: str, amount: int) -> Call:
    """Makes test dollars; no other token lets anybody do that."""
    return call_of(TOKEN, "mint test dollars", "mint", to, amount)


# --- requests ---


def request(params: RequestParams, packed_input: bytes = b"", input_hint: str = "") -> Call:
    """Opens a request, paid from the market balance."""
    return call_of(
        MARKET, "request an inference", "request", request_values(params), packed_input, input_hint
    )


def request_with_permit(
    params: RequestParams, permit: Permit, packed_input: bytes = b"", input_hint: str = ""
) -> Call:
    """Deposits by permit and opens a request, in one transaction."""
    return call_of(
        MARKET,
        "deposit and request an inference",
        "requestWithPermit",
        request_values(params),
        packed_input,
        input_hint,
        permit_values(permit),
    )


def cancel(request_id: int) -> Call:
    """Takes an open request back."""
    return call_of(MARKET, f"cancel request {request_id}", "cancel", request_id)


def terms_hash(request: RequestInfo) -> bytes:
    """What a lock agrees to, as ``InferenceMarket.termsOf`` hashes it."""
    terms = (
        ("address", request.requester),
        ("uint64", request.version_id),
        ("uint8", int(request.mode)),
        ("bytes32", request.input_binding),
        ("uint128", request.max_price),
        ("uint128", request.min_price),
        ("uint64", request.ramp_start),
        ("uint32", request.ramp_length),
        ("uint16", request.royalty_bps),
        ("uint128", request.collateral),
        ("uint64", request.deadline),
        ("uint32", request.lock_duration),
        ("address", request.named_executor or ZERO_ADDRESS),
        ("address", request.callback or ZERO_ADDRESS),
        ("uint32", request.callback_gas),
    )
    return bytes(keccak(encode([kind for kind, _ in terms], [value for _, value in terms])))


def lock(request: RequestInfo, least_seconds: int = 0, least_price: int = 0) -> Call:
    """Takes on exactly this request, whatever a reorganisation makes of its number.

    Args:
        request: as it was judged.
        least_seconds: time that must be left when the lock is mined; with less it reverts.
        least_price: price that it must have when the lock is mined; for less it reverts.
    """
    return call_of(
        MARKET,
        f"lock request {request.request_id}",
        "lock",
        request.request_id,
        terms_hash(request),
        least_seconds,
        least_price,
    )


def lock_signed(
    signed: SignedRequest, signature: bytes, least_seconds: int = 0, least_price: int = 0
) -> Call:
    """Makes and locks a request that its requester signed; the two bounds are those of a lock."""
    return call_of(
        MARKET,
        f"lock a signed request of {signed.requester}",
        "lockSigned",
        signed_values(signed),
        signature,
        least_seconds,
        least_price,
    )


def lock_signed_and_fulfill(
    signed: SignedRequest,
    signature: bytes,
    circuit_index: int,
    packed_input: bytes,
    packed_output: bytes,
    proof: bytes,
) -> Call:
    """Makes, locks and answers a signed request at once, where it names the executor."""
    return call_of(
        MARKET,
        f"lock and fulfil a signed request of {signed.requester}",
        "lockSignedAndFulfill",
        signed_values(signed),
        signature,
        circuit_index,
        packed_input,
        packed_output,
        proof,
    )


def lock_many(locks: Sequence[Call]) -> Call:
    """Several locks of the same sender in one transaction; those that fail are left out.

    Args:
        locks: what :func:`lock` and :func:`lock_signed` make.
    """
    return call_of(
        MARKET, f"lock {len(locks)} requests", "lockMany", [entry.data for entry in locks]
    )


def cancel_nonces(word_index: int, mask: int) -> Call:
    """Makes nonces of the sender useless: bit i of ``mask`` is nonce ``256 * word_index + i``."""
    return call_of(MARKET, "cancel signed requests", "cancelNonces", word_index, mask)


def fulfill(
    request_id: int, circuit_index: int, packed_input: bytes, packed_output: bytes, proof: bytes
) -> Call:
    """Delivers a proven output; ``packed_input`` is empty for versions bound by KZG."""
    return call_of(
        MARKET,
        f"fulfil request {request_id}",
        "fulfill",
        request_id,
        circuit_index,
        packed_input,
        packed_output,
        proof,
    )


def fulfill_batch(
    request_ids: Sequence[int],
    circuit_index: int,
    packed_inputs: Sequence[bytes],
    packed_outputs: Sequence[bytes],
    proof: bytes,
) -> Call:
    """Delivers the proven outputs of several requests of one version.

    Args:
        request_ids: the requests; row i answers the i-th.
        circuit_index: which circuit proved them.
        packed_inputs: all rows that the circuit takes, padding included.
        packed_outputs: their outputs.
        proof: of all of them.
    """
    names = ", ".join(str(request_id) for request_id in request_ids)
    return call_of(
        MARKET,
        f"fulfil requests {names}",
        "fulfillBatch",
        list(request_ids),
        circuit_index,
        b"".join(packed_inputs),
        b"".join(packed_outputs),
        proof,
    )


def lock_and_fulfill(
    request_id: int, circuit_index: int, packed_input: bytes, packed_output: bytes, proof: bytes
) -> Call:
    """Locks and delivers at once, where the request names the executor."""
    return call_of(
        MARKET,
        f"lock and fulfil request {request_id}",
        "lockAndFulfill",
        request_id,
        circuit_index,
        packed_input,
        packed_output,
        proof,
    )


def refund(request_id: int) -> Call:
    """Ends an expired request in its requester's favour."""
    return call_of(MARKET, f"refund request {request_id}", "refund", request_id)


# --- executors ---


def stake(amount: int) -> Call:
    """Stakes tokens that the staking contract has an allowance for."""
    return call_of(STAKING, "stake", "stake", amount)


def stake_with_permit(permit: Permit) -> Call:
    """Stakes ``permit.value`` without an approval transaction."""
    return call_of(
        STAKING,
        "stake",
        "stakeWithPermit",
        permit.value,
        permit.deadline,
        permit.v,
        permit.r,
        permit.s,
    )


def staking_withdraw(amount: int, to: str) -> Call:
    """Withdraws free stake."""
    return call_of(STAKING, "withdraw stake", "withdraw", amount, to)


def withdraw_credit(to: str) -> Call:
    """Withdraws compensations."""
    return call_of(STAKING, "withdraw compensations", "withdrawCredit", to)


def allocate(slasher: str, amount: int) -> Call:
    """Gives a slasher contract (an address) the right to lock and slash free stake."""
    return call_of(STAKING, "allocate stake", "allocate", slasher, amount)


def request_exit(slasher: str, amount: int) -> Call:
    """Starts the exit of allocated stake."""
    return call_of(STAKING, "request the exit of stake", "requestExit", slasher, amount)


def cancel_exit(slasher: str) -> Call:
    """Stops an exit."""
    return call_of(STAKING, "cancel the exit of stake", "cancelExit", slasher)


def complete_exit(slasher: str) -> Call:
    """Ends an exit: exiting stake becomes free."""
    return call_of(STAKING, "complete the exit of stake", "completeExit", slasher)


def set_profile(profile: ExecutorProfile) -> Call:
    """Publishes an executor's profile."""
    encoded = {
        "endpoint": profile.endpoint,
        "receiptKey": profile.receipt_key or ZERO_ADDRESS,
        "minPrice": profile.min_price,
        "capacity": profile.capacity,
    }
    return call_of(STAKING, "publish the executor's profile", "setProfile", encoded)


def enroll(version_id: int) -> Call:
    """Says that the executor serves a version."""
    return call_of(STAKING, f"enrol for version {version_id}", "enroll", version_id)


def unenroll(version_id: int) -> Call:
    """Says that the executor serves a version no longer."""
    return call_of(STAKING, f"leave version {version_id}", "unenroll", version_id)


def signed_values(signed: SignedRequest) -> dict[str, Any]:
    """A signed request as the ABI takes it."""
    return {
        "requester": signed.requester,
        "params": request_values(signed.params),
        "nonce": signed.nonce,
        "inputHint": signed.input_hint,
    }


def request_values(params: RequestParams) -> dict[str, Any]:
    """A request's terms as the ABI takes them."""
    return {
        "versionId": params.version_id,
        "mode": int(params.mode),
        "inputDigest": params.input_digest,
        "inputBinding": params.input_binding,
        "maxPrice": params.max_price,
        "minPrice": params.min_price,
        "rampStart": params.ramp_start,
        "rampLength": params.ramp_length,
        "collateral": params.collateral,
        "deadline": params.deadline,
        "lockDuration": params.lock_duration,
        "executor": params.executor or ZERO_ADDRESS,
        "callback": params.callback or ZERO_ADDRESS,
        "callbackGas": params.callback_gas,
    }


def permit_values(permit: Permit) -> dict[str, Any]:
    """A permit as the ABI takes it."""
    return {
        "value": permit.value,
        "deadline": permit.deadline,
        "v": permit.v,
        "r": permit.r,
        "s": permit.s,
    }
