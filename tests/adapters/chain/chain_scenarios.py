"""Steps that several tests of the chain adapter take: publishing, requesting, staking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateless.adapters.chain import calls, registry_calls
from gateless.core.types import (
    Circuit,
    InputBinding,
    RequestParams,
    TrustMode,
    VersionParams,
)
from gateless.devnet import Devnet

FIXTURES = Path(__file__).resolve().parents[3] / "contracts" / "test" / "fixtures"
DOLLAR = 10**6


@dataclass(frozen=True)
class RealModel:
    """A model with real proofs, as committed for the Solidity tests."""

    data: dict[str, Any]

    @property
    def words(self) -> list[bytes]:
        return [bytes.fromhex(word[2:]) for word in self.data["vka"]]

    @property
    def vka_digest(self) -> bytes:
        return bytes.fromhex(self.data["vkaDigest"][2:])

    def case(self, index: int) -> tuple[bytes, bytes, bytes, bytes]:
        """Input, binding, output and proof."""
        case = self.data["cases"][index]
        packed, binding, output, proof = (
            bytes.fromhex(case[key][2:]) for key in ("input", "inputBinding", "output", "proof")
        )
        return packed, binding, output, proof

    def version(self, **changes: Any) -> VersionParams:
        params = VersionParams(
            model_digest="aa" * 32,
            manifest_digest="bb" * 32,
            io_schema=bytes.fromhex(self.data["ioSchema"][2:]),
            binding=InputBinding(self.data["binding"]),
            modes=TrustMode.ZK.bit,
            royalty_bps=500,
            proof_seconds=3,
            repeatable=True,
            circuits=(Circuit(self.vka_digest, 0, 1, self.data["proofLength"]),),
            uri="https://example.org/bundle",
        )
        return replace(params, **changes)


async def publish(devnet: Devnet, model: RealModel, name: str) -> int:
    """Publishes the model under a name; returns the version id."""
    builder = devnet.sender("builder")
    registered = await builder.send(registry_calls.register_model(name))
    model_id = registered.event("ModelRegistered").args["modelId"]
    if not await devnet.client.verifier.is_registered(model.vka_digest):
        await builder.send(registry_calls.register_vka(model.words))
    published = await builder.send(registry_calls.publish_version(model_id, model.version()))
    return int(published.event("VersionPublished").args["versionId"])


async def request_params(
    devnet: Devnet, model: RealModel, version_id: int, **changes: Any
) -> RequestParams:
    """A request for the model's first case."""
    _, binding, _, _ = model.case(0)
    block = await devnet.client.block("pending")
    params = RequestParams(
        version_id=version_id,
        mode=TrustMode.ZK,
        input_digest=binding,  # packed inputs are bound by their digest
        input_binding=binding,
        max_price=2 * DOLLAR,
        collateral=DOLLAR,
        deadline=block.timestamp + 600,
        lock_duration=60,
    )
    return replace(params, **changes)


async def deposit(devnet: Devnet, name: str, amount: int) -> None:
    """Puts tokens of an account into the market."""
    sender = devnet.sender(name)
    await sender.send(calls.approve(devnet.client.market.address, amount))
    await sender.send(calls.deposit(amount))


async def put_up_stake(devnet: Devnet, amount: int) -> None:
    """Stakes for the executor and allocates all of it to the market."""
    sender = devnet.sender("executor")
    await sender.send(calls.approve(devnet.client.staking.address, amount))
    await sender.send(calls.stake(amount))
    await sender.send(calls.allocate(devnet.client.market.address, amount))
