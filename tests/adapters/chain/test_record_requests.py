"""Requests for quorums and attested answers: ids as the contracts reckon them, key sets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_utils.crypto import keccak
from gateless.adapters.chain.attested import AttestedReader
from gateless.adapters.chain.calls import abi_of
from gateless.adapters.chain.quorum import QuorumReader
from gateless.adapters.chain.record_signing import ATTESTATION, ATTESTED_REQUEST, QUORUM_REQUEST
from gateless.adapters.signer import LocalSigner
from gateless.core.attested import AttestedAnswer, AttestedRequest, KeySet
from gateless.core.errors import InputError
from gateless.core.quorums import QuorumRequest, QuorumRound, quorum_commitment
from gateless.devnet import Devnet

ME = LocalSigner.random()
QUORUM = QuorumRequest(
    requester=ME.address,
    version_id=(7 << 32) | 3,
    runtime_class=keccak(text="class"),
    input_digest=keccak(b"input"),
    input_binding=keccak(b"input"),
    price=12_345_678,
    members=5,
    threshold=3,
    min_eligible=10**9,
    deadline=1_900_000_000,
    commit_window=60,
    reveal_window=61,
    callback=LocalSigner.random().address,
    callback_gas=99,
    nonce=2**200 + 1,
    input_hint="https://inputs.example/1",
)
ATTESTED = AttestedRequest(
    requester=ME.address,
    version_id=(7 << 32) | 3,
    input_digest=keccak(b"input"),
    input_binding=keccak(b"input"),
    max_price=2_000_000,
    min_price=1_000_000,
    ramp_start=1_800_000_000,
    ramp_length=100,
    deadline=1_900_000_000,
    verifier=LocalSigner.random().address,
    policy=keccak(b"policy"),
    nonce=5,
)


async def test_ids_are_the_contracts_own(devnet: Devnet) -> None:
    chain, deployment = devnet.client.rpc, devnet.deployment
    quorum = QuorumReader(chain, deployment)
    attested = AttestedReader(chain, deployment)
    for request in (QUORUM, replace(QUORUM, input_hint="", callback_gas=0, nonce=0)):
        mine = QUORUM_REQUEST.id_of(request, deployment.chain_id, quorum.address)
        assert mine == await quorum.id_of(request)
        assert mine != QUORUM_REQUEST.id_of(request, 1, quorum.address)
    for asked in (ATTESTED, replace(ATTESTED, input_hint="somewhere")):
        mine = ATTESTED_REQUEST.id_of(asked, deployment.chain_id, attested.address)
        assert mine == await attested.id_of(asked)
    commitment = await quorum.call(
        "commitmentOf", ME.address, 7, keccak(b"salt"), keccak(b"output")
    )
    assert commitment == quorum_commitment(ME.address, 7, keccak(b"salt"), keccak(b"output"))


async def test_every_member_counts(devnet: Devnet) -> None:
    quorum = QuorumReader(devnet.client.rpc, devnet.deployment)
    seen = {await quorum.id_of(QUORUM)}
    for name, value in QUORUM.struct().items():
        other = dict(QUORUM.struct())
        if isinstance(value, int):
            other[name] = value + 1
        elif isinstance(value, bytes):
            other[name] = keccak(value)
        else:
            other[name] = LocalSigner.random().address if value.startswith("0x") else value + "x"
        seen.add(await quorum.id_of(QuorumRequest.of_struct(other)))
    assert len(seen) == len(QuorumRequest.MEMBERS) + 1


async def test_the_verifier_takes_what_keys_sign(devnet: Devnet) -> None:
    deployment = devnet.deployment
    verifier = deployment.address("KeySetVerifier")
    signers = [LocalSigner.random() for _ in range(3)]
    keys = KeySet.of(2, [signer.address for signer in signers])
    answer = AttestedAnswer(
        market=deployment.address("AttestedMarket"),
        request_id=7,
        version_id=1 << 32,
        input_digest=keccak(b"input"),
        output_digest=keccak(b"output"),
        executor=ME.address,
    )
    signatures = {
        signer.address: await ATTESTATION.sign(signer, answer, deployment.chain_id, verifier)
        for signer in signers[1:]
    }
    abi = abi_of("KeySetVerifier")
    item = abi.function("verifyAttestation", 3)
    data = item.encode_call(keys.policy, answer.struct(), keys.evidence(signatures))
    call = {"to": verifier, "data": "0x" + data.hex()}
    accepted = item.decode_result(await devnet.client.rpc.data("eth_call", call, "latest"))
    assert accepted == item.selector
    policy = abi.function("policyOf", 2)
    asked = policy.encode_call(keys.threshold, list(keys.keys))
    call = {"to": verifier, "data": "0x" + asked.hex()}
    assert policy.decode_result(await devnet.client.rpc.data("eth_call", call, "latest")) == (
        keys.policy
    )
    with pytest.raises(InputError) as caught:
        keys.evidence({signers[0].address: b"\1" * 65})
    assert caught.value.code == "not-enough-signatures"


@pytest.mark.parametrize("threshold", [0, 3])
def test_a_key_set_asks_for_as_many_keys_as_it_has(threshold: int) -> None:
    keys = [LocalSigner.random().address for _ in range(2)]
    with pytest.raises(InputError) as caught:
        KeySet.of(threshold, keys)
    assert caught.value.code == "invalid-key-set"


def test_a_key_counts_once() -> None:
    with pytest.raises(InputError) as caught:
        KeySet.of(1, [ME.address, ME.address])
    assert caught.value.code == "invalid-key-set"


def test_a_round_knows_its_seats() -> None:
    members = tuple(LocalSigner.random().address for _ in range(3))
    drawn = QuorumRound(
        1, ME.address, 1 << 32, bytes(32), bytes(32), 5, 2, 10, 20, ME.address, 0, members
    )
    assert QuorumRound.of_struct(drawn.struct() | {"members": list(members)}) == drawn
    assert [drawn.seat_of(member) for member in members] == [0, 1, 2]
    assert drawn.seat_of(ME.address) is None
    with pytest.raises(InputError) as caught:
        replace(drawn, members=("0x12",))
    assert caught.value.code == "invalid-struct"


def test_prices_rise_along_the_ramp() -> None:
    assert ATTESTED.price_at(0) == ATTESTED.min_price
    assert ATTESTED.price_at(ATTESTED.ramp_start + 50) == 1_500_000
    assert ATTESTED.price_at(ATTESTED.deadline) == ATTESTED.max_price
