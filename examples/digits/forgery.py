"""What a liar can try with a proof, and what the network answers.

The liar is staked and named by the requester, so nothing but the proof stands in his way. He holds
a genuine proof for one image and is asked about another.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.crypto import keccak
from gateless.adapters.chain import calls
from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import ContractError
from gateless.core.packing import TensorSpec, pack, unpack
from gateless.devnet import Devnet
from gateless_proofs import Proof

_GAS = 3_000_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt, the network's answer and the transaction in which it was given."""

    what: str
    refusal: str
    tx_hash: str
    gas_used: int


def other_label(packed_output: bytes, spec: TensorSpec) -> bytes:
    """The output with the highest score given to another label."""
    (scores,) = unpack(packed_output, [spec])
    best = scores.index(max(scores))
    other = (best + 1) % len(scores)
    scores[best], scores[other] = scores[other], scores[best]
    return pack([scores], [spec])


async def try_to_cheat(
    net: Devnet,
    liar: LocalSigner,
    request_id: int,
    inputs: tuple[bytes, bytes],
    genuine: Proof,
    lie: bytes,
) -> list[Attempt]:
    """Sends two forgeries for a request and reports how each ended.

    Args:
        net: the network.
        liar: a staked account that the request names.
        request_id: the open request.
        inputs: the request's packed input, and another one.
        genuine: a valid proof for that other one.
        lie: output that the liar would like to be paid for.
    """
    attempts = []
    asked, other = inputs
    for what, packed_input, output in (
        ("an output of his own making", asked, lie),
        ("another image with its genuine output and proof", other, genuine.packed_output),
    ):
        call = calls.lock_and_fulfill(request_id, 0, packed_input, output, genuine.proof)
        attempts.append(await _send_anyway(net, liar, what, call))
    return attempts


async def _send_anyway(net: Devnet, liar: LocalSigner, what: str, call: calls.Call) -> Attempt:
    """Sends what simulation refuses, so that the chain itself is seen refusing."""
    sender = Sender(net.client, liar)
    try:
        await sender.simulate(call)
    except ContractError as error:
        refusal = str(error.context.get("error", error.message))
    else:
        raise AssertionError(f"the network accepted {what}")
    prepared = await _sign_unchecked(net, liar, call)
    try:
        await sender.submit(prepared)
    except ContractError:
        receipt = await sender.receipt(prepared.tx_hash)
    else:
        raise AssertionError(f"the network accepted {what}")
    if receipt is None:
        raise AssertionError("a mined transaction has a receipt")
    return Attempt(what, refusal, receipt.tx_hash, receipt.gas_used)


async def _sign_unchecked(net: Devnet, liar: LocalSigner, call: calls.Call) -> PreparedTx:
    """Signs without the simulation that a :class:`Sender` insists on."""
    rpc = net.client.rpc
    price = await rpc.quantity("eth_gasPrice")
    nonce = await rpc.quantity("eth_getTransactionCount", liar.address, "latest")
    raw = await liar.sign_transaction(
        {
            "chainId": net.client.chain_id,
            "nonce": nonce,
            "to": net.client.resolve(call.to),
            "data": "0x" + call.data.hex(),
            "value": 0,
            "gas": _GAS,
            "maxFeePerGas": 2 * price,
            "maxPriorityFeePerGas": 0,
        }
    )
    return PreparedTx(raw, "0x" + keccak(raw).hex(), nonce, call.label)
