"""Accounts, a tiny model and its bundle, for tests of the SDK and the command line.

Everything is real: the bundle is built by ezkl, the chain is anvil, requests are answered with
proofs that the deployed verifier checks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import pytest_asyncio
from gateless.adapters.chain import calls
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer import LocalSigner
from gateless.core.manifest import Binding
from gateless.core.types import Receipt
from gateless.devnet import Devnet
from gateless.sdk import AsyncGateless, InferenceResult, Step
from gateless.sdk.results import PublishResult
from gateless_proofs import (
    BuildOptions,
    Bundle,
    CalibrationData,
    KeyCache,
    Prover,
    build_bundle,
)
from onnx import TensorProto, helper, numpy_helper

ETHER = 10**18
LABELS = ("no", "yes")
#: inputs that every fixture model takes
ROW = [0.5, -0.25, 1.0, 0.125]


def tiny_onnx(path: Path, seed: int = 7) -> Path:
    """Four inputs, five hidden ReLUs, two scores."""
    random = np.random.default_rng(seed)
    weights = {
        "w1": random.normal(size=(4, 5)),
        "b1": random.normal(size=5),
        "w2": random.normal(size=(5, 2)),
        "b2": random.normal(size=2),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["x", "w1", "b1"], ["hidden"]),
            helper.make_node("Relu", ["hidden"], ["active"]),
            helper.make_node("Gemm", ["active", "w2", "b2"], ["scores"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 2])],
        [
            numpy_helper.from_array(value.astype(np.float32), name)
            for name, value in weights.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def calibration_rows() -> np.ndarray:
    """Rows between -1 and 1, reproducible."""
    return np.random.default_rng(3).uniform(-1, 1, size=(32, 4)).astype(np.float32)


@dataclass(frozen=True)
class TinyModel:
    """The files a publisher has, and the bundle built from them."""

    onnx: Path
    calibration: Path
    bundle: Bundle
    cache: Path


async def _build(root: Path, cache: Path, options: BuildOptions, seed: int) -> Bundle:
    return await build_bundle(
        tiny_onnx(root / f"{options.name}.onnx", seed),
        CalibrationData.from_arrays({"x": calibration_rows()}),
        root / options.name,
        options=options,
        keys=KeyCache(cache),
    )


@pytest_asyncio.fixture(scope="session")
async def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """A classifier of four numbers with packed inputs."""
    root = tmp_path_factory.mktemp("tiny")
    calibration = root / "calibration.npz"
    np.savez(calibration, x=calibration_rows())
    options = BuildOptions(name="tiny", labels=LABELS, chain_id=31337)
    bundle = await _build(root, root / "cache", options, seed=7)
    return TinyModel(root / "tiny.onnx", calibration, bundle, root / "cache")


@pytest_asyncio.fixture(scope="session")
async def committed_bundle(
    tiny_model: TinyModel, tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    """The same classifier, its inputs bound by KZG commitment."""
    options = BuildOptions(name="committed", labels=LABELS, binding=Binding.KZG, chain_id=31337)
    return await _build(tmp_path_factory.mktemp("committed"), tiny_model.cache, options, seed=7)


@pytest_asyncio.fixture(scope="session")
async def batching_bundle(
    tiny_model: TinyModel, tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    """The same classifier, with a second circuit that proves four inferences at once."""
    options = BuildOptions(name="batching", labels=LABELS, batch_sizes=(1, 4), chain_id=31337)
    return await _build(tmp_path_factory.mktemp("batching"), tiny_model.cache, options, seed=7)


def meter_onnx(path: Path) -> Path:
    """Four whole numbers in; out come eight times the first, and a sum of fourteen ReLUs.

    All weights are whole, so outputs are exact: eight times -128 is the lowest value that the
    output's packing has.
    """
    random = np.random.default_rng(5)
    first = random.integers(-1, 2, size=(4, 16)).astype(np.float32)
    first[:, 0], first[:, 1] = (1, 0, 0, 0), (-1, 0, 0, 0)
    second = np.zeros((16, 2), dtype=np.float32)
    second[0, 0], second[1, 0] = 8, -8
    second[2:, 1] = random.integers(0, 2, size=14)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "first"], ["hidden"]),
            helper.make_node("Relu", ["hidden"], ["active"]),
            helper.make_node("MatMul", ["active", "second"], ["y"]),
        ],
        "meter",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(first, "first"), numpy_helper.from_array(second, "second")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest_asyncio.fixture(scope="session")
async def dense_bundle(tiny_model: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Single inferences, one word per value, and a batch of four with several values per word.

    An input that starts with -128 has a proof alone and none in a batch: its output is the one that
    dense words cut off.
    """
    root = tmp_path_factory.mktemp("dense")
    rows = np.random.default_rng(3).integers(-60, 61, size=(32, 4)).astype(np.float32)
    bundle = await build_bundle(
        meter_onnx(root / "meter.onnx"),
        CalibrationData.from_arrays({"x": rows}),
        root / "dense",
        options=BuildOptions(name="dense", batch_sizes=(1, 4), chain_id=31337),
        keys=KeyCache(tiny_model.cache),
    )
    assert [entry.dense for entry in bundle.manifest.circuits] == [False, True]
    return bundle


@dataclass(frozen=True)
class Account:
    """A funded account with a home and a client of its own."""

    signer: LocalSigner
    home: Path
    client: AsyncGateless

    @property
    def address(self) -> str:
        return self.signer.address


MakeAccount = Callable[..., Awaitable[Account]]


@pytest_asyncio.fixture
async def make_account(
    devnet: Devnet, tiny_model: TinyModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MakeAccount]:
    """Makes accounts with gas money and ``tokens`` whole test dollars."""
    made: list[AsyncGateless] = []

    async def make(tokens: int = 1000, home: Path | None = None) -> Account:
        signer = LocalSigner.random()
        await fund(devnet, signer.address, tokens)
        folder = home or tmp_path_factory.mktemp("home")
        cache = folder / "cache"
        if not cache.exists():
            cache.symlink_to(tiny_model.cache)
        client = await AsyncGateless.connect(devnet.deployment, signer=signer, home=folder)
        made.append(client)
        return Account(signer, folder, client)

    yield make
    for client in made:
        await client.close()


async def fund(devnet: Devnet, address: str, tokens: int) -> None:
    """Gas money, and exactly as many whole test dollars more."""
    await devnet.control.set_native_balance(address, 10 * ETHER)
    if tokens:
        units = tokens * 10**devnet.deployment.token.decimals
        await devnet.sender("deployer").send(calls.mint(address, units))


@dataclass(frozen=True)
class Served:
    """A published version and a staked executor that serves it for 0.25."""

    name: str
    published: PublishResult
    builder: Account
    executor: Account
    bundle: Bundle

    async def answer(self, request_id: int) -> Receipt:
        """Locks, proves and fulfils a request, as an executor does."""
        sender = Sender(self.executor.client.chain, self.executor.signer)
        asked = await self.executor.client.request(request_id)
        await sender.send(calls.lock(asked))
        event = await self._created(request_id)
        packed = bytes(event["input"])
        prover = Prover(KeyCache(self.executor.home / "cache"))
        proof = await prover.prove(self.bundle, packed)
        given = packed if self.bundle.manifest.binding == "packed" else b""
        return await sender.send(
            calls.fulfill(request_id, 0, given, proof.packed_output, proof.proof)
        )

    async def _created(self, request_id: int) -> dict[str, bytes]:
        events = await self.executor.client.chain.events(["RequestCreated"], 0)
        return next(dict(e.args) for e in events if e.args["requestId"] == request_id)


MakeServed = Callable[..., Awaitable[Served]]
PRICE = 250_000


@pytest_asyncio.fixture
async def make_served(make_account: MakeAccount, tiny_model: TinyModel) -> MakeServed:
    """Publishes a bundle under a name and has an executor enrol for it."""

    async def make(name: str, bundle: Bundle | None = None, royalty_bps: int = 500) -> Served:
        builder, executor = await make_account(), await make_account()
        used = bundle or tiny_model.bundle
        published = await builder.client.publish(used, name, royalty_bps=royalty_bps)
        await executor.client.stake(50_000_000, serve=[name], min_price=PRICE)
        # The executor has the files, as every executor must.
        await executor.client.services.store.put(used.root / "manifest.json")
        for entry in used.manifest.files:
            await executor.client.services.store.put(used.root / entry.name)
        return Served(name, published, builder, executor, used)

    return make


async def with_files(user: Account, served: Served) -> Account:
    """Gives an account the version's files, as if it had fetched them."""
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    return user


async def send(account: Account, call: calls.Call) -> None:
    """Sends a transaction that the SDK has no operation for."""
    await Sender(account.client.chain, account.signer).send(call)


async def infer_and_answer(
    user: Account, served: Served, steps: list[Step], **terms: object
) -> InferenceResult:
    """The user waits while the executor answers."""
    seen = asyncio.Event()

    def progress(step: Step) -> None:
        steps.append(step)
        if step.request_id is not None:
            seen.set()

    waiting = asyncio.create_task(
        user.client.infer(served.name, ROW, progress=progress, **terms)  # type: ignore[arg-type]
    )
    watching = asyncio.create_task(seen.wait())
    await asyncio.wait({waiting, watching}, return_when=asyncio.FIRST_COMPLETED)
    watching.cancel()
    if not waiting.done():
        await served.answer(next(s.request_id for s in steps if s.request_id is not None))
    return await waiting
