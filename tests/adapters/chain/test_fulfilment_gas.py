"""What receipts say that fulfilments cost, against the bars and against the pinned gas snapshots.

The snapshots (``contracts/snapshots/Batch.json``) are taken at Cancun's prices; the node charges
what EIP-7883 made of the three modular exponentiations in ezkl's verifier.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from chain_scenarios import DOLLAR, FIXTURES, RealModel, deposit, put_up_stake, request_params
from eth_utils.crypto import keccak
from gateless.adapters.chain import calls, registry_calls
from gateless.core.types import Circuit, Receipt
from gateless.devnet import Devnet

ROWS = 32
SNAPSHOTS = Path(__file__).resolve().parents[3] / "contracts" / "snapshots" / "Batch.json"
FUSAKA = 8_097
#: Ids and addresses differ from the snapshot's in their zero bytes, which calldata is charged by.
TOLERANCE = 500


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


def snapshot(name: str) -> int:
    return int(json.loads(SNAPSHOTS.read_text())[name])


class Scene:
    """A published version, a requester with a deposit and an executor with stake."""

    def __init__(self, devnet: Devnet, version_id: int, model: RealModel) -> None:
        self.devnet, self.version_id, self.model = devnet, version_id, model

    async def locked(self, digest: bytes, binding: bytes) -> int:
        params = await request_params(
            self.devnet, self.model, self.version_id, max_price=DOLLAR // 10
        )
        params = replace(params, input_digest=digest, input_binding=binding)
        user, executor = self.devnet.sender("user"), self.devnet.sender("executor")
        created = await user.send(calls.request(params, b"", ""))
        request_id = int(created.event("RequestCreated").args["requestId"])
        await executor.send(calls.lock(await self.devnet.client.market.request(request_id)))
        return request_id

    async def fulfilled(self, case: int = 0) -> Receipt:
        packed, binding, output, proof = self.model.case(case)
        request_id = await self.locked(keccak(packed), binding)
        given = b"" if self.model.data["binding"] else packed
        call = calls.fulfill(request_id, 0, given, output, proof)
        return await self.devnet.sender("executor").send(call)


async def scene(net: Devnet, name: str, *models: RealModel) -> Scene:
    """A version of all these circuits, used once, so that balances are not zero."""
    builder = net.sender("builder")
    for model in models:
        await builder.send(registry_calls.register_vka(model.words))
    model_id = (
        (await builder.send(registry_calls.register_model(name)))
        .event("ModelRegistered")
        .args["modelId"]
    )
    params = models[0].version(circuits=tuple(map(circuit_of, models)), royalty_bps=1000)
    published = await builder.send(registry_calls.publish_version(model_id, params))
    await deposit(net, "user", 5 * DOLLAR)
    await put_up_stake(net, 40 * DOLLAR)
    made = Scene(net, int(published.event("VersionPublished").args["versionId"]), models[0])
    await made.fulfilled()
    return made


@pytest.mark.parametrize(
    ("name", "bar", "pinned"),
    [
        ("mlp", 560_000, "fulfill MLP 16-32-16-4"),
        ("mlp784", 590_000, "fulfill MLP 784-32-10, input by KZG commitment"),
    ],
)
async def test_single_fulfilments_meet_their_bars(
    isolated_devnet: Devnet, name: str, bar: int, pinned: str
) -> None:
    made = await scene(isolated_devnet, name, load(name))
    gas = (await made.fulfilled()).gas_used
    assert gas <= bar
    assert gas == pytest.approx(snapshot(pinned) + FUSAKA, abs=TOLERANCE)


async def test_a_batch_of_32_meets_its_bar(isolated_devnet: Devnet) -> None:
    batch = load("mlp32")
    made = await scene(isolated_devnet, "mlp32", load("mlp"), batch)
    packed, _, outputs, proof = batch.case(0)
    length = len(packed) // ROWS
    inputs = [packed[at : at + length] for at in range(0, len(packed), length)]
    length = len(outputs) // ROWS
    rows = [outputs[at : at + length] for at in range(0, len(outputs), length)]
    ids = [await made.locked(keccak(row), keccak(row)) for row in inputs]
    executor = isolated_devnet.sender("executor")
    receipt = await executor.send(calls.fulfill_batch(ids, 1, inputs, rows, proof))
    paid = [event for event in receipt.logs if event.name == "RequestFulfilled"]
    assert [event.args["requestId"] for event in paid] == ids
    assert [event.args["output"] for event in paid] == rows
    assert receipt.gas_used <= 48_000 * ROWS
    pinned = snapshot("fulfill 32 x MLP 16-32-16-4") + FUSAKA
    assert receipt.gas_used == pytest.approx(pinned, abs=TOLERANCE)
