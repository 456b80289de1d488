"""Quorums for tests: a version that fits no circuit, executors who may be drawn, and a liar."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gateless.adapters.chain import calls
from gateless.adapters.chain.quorum import QuorumReader
from gateless.adapters.storage import put_bundle
from gateless.core.quorums import MemberTerms, QuorumMember
from gateless.core.types import TrustMode
from gateless.devnet import Devnet
from gateless.executor.quorum_config import QuorumConfig, QuorumEnrolment
from gateless_proofs import (
    BuildOptions,
    Bundle,
    CalibrationData,
    KeyCache,
    Limits,
    Prover,
    build_bundle,
)
from market_fixtures import Account, MakeAccount, send
from onnx import TensorProto, helper, save_model

DOLLAR = 1_000_000
STAKE = 40 * DOLLAR
SEAT_PRICE = 200_000
LIMITS = Limits(memory_bytes=4 << 30, seconds=120, threads=1)
ROW = [0.5, -1.0, 2.0, 0.25]


def branching_onnx(path: Path) -> Path:
    """``2x`` where it sums to more than zero, ``-x`` otherwise: no circuit has branches."""
    tensor = helper.make_tensor_value_info
    branches = {
        name: helper.make_graph(
            [helper.make_node(operator, inputs, [out])],
            name,
            [],
            [tensor(out, TensorProto.FLOAT, [1, 4])],
        )
        for name, operator, inputs, out in (
            ("then_branch", "Add", ["x", "x"], "twice"),
            ("else_branch", "Neg", ["x"], "minus"),
        )
    }
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node("If", ["positive"], ["y"], **branches),
    ]
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])
    graph = helper.make_graph(
        nodes,
        "branching",
        [tensor("x", TensorProto.FLOAT, [1, 4])],
        [tensor("y", TensorProto.FLOAT, [1, 4])],
        [zero],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    save_model(model, str(path))
    return path


async def unproven_bundle(folder: Path) -> Bundle:
    """A bundle without a circuit."""
    return await build_bundle(
        branching_onnx(folder / "model.onnx"),
        CalibrationData.from_arrays({"x": np.random.default_rng(1).normal(size=(4, 4))}),
        folder / "bundle",
        options=BuildOptions(name="branching", circuit=False),
        keys=KeyCache(folder / "keys", LIMITS),
        limits=LIMITS,
    )


class LyingProver(Prover):
    """Runs the model and tells something else."""

    async def answer(self, bundle: Bundle, packed_input: bytes) -> bytes:
        """The answer with a bit changed."""
        truth = await super().answer(bundle, packed_input)
        return truth[:-1] + bytes((truth[-1] ^ 1,))


@dataclass(frozen=True)
class QuorumStage:
    """A published version, executors with free stake, and who asks."""

    devnet: Devnet
    bundle: Bundle
    version_id: int
    builder: Account
    executors: tuple[Account, ...]
    user: Account

    @property
    def market(self) -> QuorumReader:
        return QuorumReader(self.devnet.client.rpc, self.devnet.deployment)

    @property
    def runtime_class(self) -> bytes:
        return self.bundle.manifest.execution.runtime_class

    @property
    def config(self) -> QuorumConfig:
        terms = MemberTerms(capacity=4, min_price=SEAT_PRICE)
        return QuorumConfig((QuorumEnrolment(self.version_id, STAKE, terms),))

    async def member(self, account: Account) -> QuorumMember:
        return await self.market.members.member(
            self.version_id, self.runtime_class, account.address
        )

    async def are_awake(self) -> bool:
        """Whether all executors can be drawn, by what was so at the end of the last block."""
        block = (await self.devnet.client.block()).number
        stake, _ = await self.market.members.eligible_stake(
            self.version_id, self.runtime_class, block - 1
        )
        return stake >= STAKE * len(self.executors)


async def quorum_stage(
    devnet: Devnet, make_account: MakeAccount, folder: Path, name: str, *, executors: int = 3
) -> QuorumStage:
    """Publishes the version and gives executors stake that nothing else uses."""
    builder, user = await make_account(), await make_account()
    bundle = await unproven_bundle(folder)
    published = await builder.client.publish(
        bundle, name, royalty_bps=1000, modes=(TrustMode.QUORUM, TrustMode.ATTESTED)
    )
    await put_bundle(user.client.services.store, bundle.root)
    accounts = []
    for _ in range(executors):
        account = await make_account()
        staking = account.client.chain.staking.address
        await send(account, calls.approve(staking, STAKE))
        await send(account, calls.stake(STAKE))
        await put_bundle(account.client.services.store, bundle.root)
        accounts.append(account)
    return QuorumStage(devnet, bundle, published.version_id, builder, tuple(accounts), user)


@asynccontextmanager
async def mining(devnet: Devnet, pause: float = 0.1) -> AsyncIterator[None]:
    """Blocks that come by themselves, as on any chain but this one."""

    async def mine() -> None:
        while True:
            await devnet.control.mine()
            await asyncio.sleep(pause)

    task = asyncio.create_task(mine())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
