"""Proofs of several requests: the verifier's reader and the market's call, with real proofs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from chain_scenarios import DOLLAR, FIXTURES, RealModel, deposit, put_up_stake, request_params
from eth_utils.crypto import keccak
from gateless.adapters.chain import calls, registry_calls
from gateless.core.errors import ContractError, GatelessError
from gateless.core.types import Circuit, Event, RequestState
from gateless.devnet import Devnet

ROWS = 4
SINGLE, BATCH = 0, 1
#: as a batch names a row that answers nobody
NOBODY = 0


def load(name: str) -> RealModel:
    return RealModel(json.loads((FIXTURES / f"{name}.json").read_text()))


def circuit_of(model: RealModel) -> Circuit:
    data = model.data
    return Circuit(
        model.vka_digest,
        0,
        data["batchSize"],
        data["proofLength"],
        data["digitBits"],
        data["digitsPerWord"],
    )


def rows_of(packed: bytes) -> list[bytes]:
    length = len(packed) // ROWS
    return [packed[at : at + length] for at in range(0, len(packed), length)]


class Batch:
    """A published version with a batch circuit, and one proof of it."""

    def __init__(self, net: Devnet, model: RealModel, version_id: int) -> None:
        self.net, self.model, self.version_id = net, model, version_id
        packed, _, output, self.proof = model.case(0)
        self.inputs, self.outputs = rows_of(packed), rows_of(output)

    async def verify(self, **changes: object) -> tuple[bytes, ...]:
        given = {
            "packed_inputs": self.inputs,
            "packed_outputs": self.outputs,
            "proof": self.proof,
            "version_id": self.version_id,
            "circuit_index": BATCH,
        }
        return await self.net.client.verifier.verify_batch(**(given | changes))  # type: ignore[arg-type]

    async def asked(self, row: bytes) -> int:
        params = await request_params(self.net, self.model, self.version_id)
        digest = keccak(row)
        params = replace(params, input_digest=digest, input_binding=digest)
        receipt = await self.net.sender("user").send(calls.request(params, row, ""))
        return int(receipt.event("RequestCreated").args["requestId"])

    async def locked(self, row: bytes) -> int:
        request_id = await self.asked(row)
        found = await self.net.client.market.request(request_id)
        await self.net.sender("executor").send(calls.lock(found))
        return request_id

    async def fulfil(self, ids: list[int], **changes: list[bytes]) -> tuple[Event, ...]:
        rows = {"packed_inputs": self.inputs, "packed_outputs": self.outputs} | changes
        call = calls.fulfill_batch(ids, BATCH, proof=self.proof, **rows)
        return (await self.net.sender("executor").send(call)).logs

    async def states(self, ids: list[int]) -> list[RequestState]:
        return [(await self.net.client.market.request(entry)).state for entry in ids]


@pytest.fixture(params=["batch4", "batch4_plain"])
async def batch(request: pytest.FixtureRequest, isolated_devnet: Devnet) -> Batch:
    """With several values per public word, and with one."""
    net, model, single = isolated_devnet, load(request.param), load("dense")
    builder = net.sender("builder")
    for entry in (single, model):
        await builder.send(registry_calls.register_vka(entry.words))
    registered = await builder.send(registry_calls.register_model("batched"))
    model_id = registered.event("ModelRegistered").args["modelId"]
    circuits = (circuit_of(single), circuit_of(model))
    published = await builder.send(
        registry_calls.publish_version(model_id, model.version(circuits=circuits))
    )
    await deposit(net, "user", 10 * DOLLAR)
    await put_up_stake(net, 20 * DOLLAR)
    return Batch(net, model, int(published.event("VersionPublished").args["versionId"]))


async def test_each_row_of_a_proof_shows_its_own_binding(batch: Batch) -> None:
    assert await batch.verify() == tuple(keccak(row) for row in batch.inputs)


async def test_rows_of_a_proof_cannot_be_exchanged(batch: Batch) -> None:
    first, second, *others = batch.outputs
    assert first != second
    for changes in (
        {"packed_outputs": [second, first, *others]},
        {"packed_inputs": [batch.inputs[1], batch.inputs[0], *batch.inputs[2:]]},
    ):
        with pytest.raises(ContractError) as caught:
            await batch.verify(**changes)
        assert caught.value.code == "zk-verifier-proof-rejected"


@pytest.mark.parametrize(
    ("field", "cut", "code"),
    [
        ("packed_inputs", slice(0, ROWS - 1), "zk-verifier-input-length"),
        ("packed_outputs", slice(0, ROWS - 1), "zk-verifier-output-length"),
        ("proof", slice(0, -32), "zk-verifier-proof-length"),
    ],
)
async def test_rows_and_proof_are_complete(batch: Batch, field: str, cut: slice, code: str) -> None:
    whole = {
        "packed_inputs": batch.inputs,
        "packed_outputs": batch.outputs,
        "proof": batch.proof,
    }
    with pytest.raises(ContractError) as caught:
        await batch.verify(**{field: whole[field][cut]})
    assert caught.value.code == code


async def test_a_verification_gets_the_gas_it_is_given(batch: Batch) -> None:
    """Nodes allow calls more gas than a transaction can have; with a limit, what would not fit a
    transaction does not pass."""
    assert len(await batch.verify(gas=1 << 24)) == ROWS
    with pytest.raises(GatelessError):
        await batch.verify(gas=250_000)
    with pytest.raises(GatelessError):
        await batch.verify(gas=25_000)


async def test_a_batch_pays_each_request_of_its_own_row(batch: Batch) -> None:
    ids = [await batch.locked(row) for row in batch.inputs]
    events = await batch.fulfil(ids)
    paid = [event.args for event in events if event.name == "RequestFulfilled"]
    assert [entry["requestId"] for entry in paid] == ids
    assert [entry["output"] for entry in paid] == batch.outputs
    assert await batch.states(ids) == [RequestState.PAID] * ROWS
    first = await batch.net.client.market.request(ids[0])
    payment = await batch.net.client.payment(first)
    assert payment is not None
    assert payment.args["output"] == batch.outputs[0]


async def test_what_ended_and_what_is_nobodys_is_skipped(batch: Batch) -> None:
    """The second row answers nobody, the third a request that was never locked."""
    ids = [await batch.locked(batch.inputs[0]), NOBODY, await batch.asked(batch.inputs[2])]
    events = await batch.fulfil(ids)
    paid = [event.args["requestId"] for event in events if event.name == "RequestFulfilled"]
    skipped = [event.args["requestId"] for event in events if event.name == "FulfilmentSkipped"]
    assert paid == ids[:1]
    assert skipped == ids[1:]
    assert await batch.states([ids[0], ids[2]]) == [RequestState.PAID, RequestState.OPEN]


async def test_a_request_beside_anothers_row_undoes_the_whole_batch(batch: Batch) -> None:
    ids = [await batch.locked(row) for row in batch.inputs[:2]]
    with pytest.raises(ContractError) as caught:
        await batch.fulfil(ids[::-1])
    assert caught.value.code == "inference-market-input-binding-mismatch"
    assert await batch.states(ids) == [RequestState.LOCKED] * 2
