"""A version whose batch circuit is another model's: nobody is answered by it."""

from __future__ import annotations

from pathlib import Path

from executor_fixtures import config_of, running
from gateless.devnet import Devnet
from gateless.executor import PolicyConfig
from gateless.executor.states import WorkState
from gateless.executor.work import IntentKind
from gateless_proofs import BuildOptions, Bundle, CalibrationData, KeyCache, Prover, build_bundle
from market_fixtures import (
    LABELS,
    MakeAccount,
    MakeServed,
    TinyModel,
    calibration_rows,
    tiny_onnx,
)

ROWS = [[0.5, -0.25, 1.0, 0.125], [0.1, 0.2, 0.3, 0.4], [-1.0, 1.0, 0.0, 0.5]]
POLICY = PolicyConfig(max_concurrent=3, margin_seconds=1.0, batch_wait_seconds=30.0)
SINGLE, BATCH = 0, 1


async def with_foreign_batch(honest: Bundle, cache: Path, folder: Path) -> Bundle:
    """The honest bundle, but its batch circuit, with a valid key, is of other weights."""
    other = await build_bundle(
        tiny_onnx(folder / "other.onnx", seed=11),
        CalibrationData.from_arrays({"x": calibration_rows()}),
        folder / "other",
        options=BuildOptions(name="other", labels=LABELS, batch_sizes=(1, 4), chain_id=31337),
        keys=KeyCache(cache),
    )
    theirs = other.manifest.circuits[BATCH]
    names = {entry.name for entry in other.manifest.files if "-4." in entry.name}
    files = [entry for entry in honest.manifest.files if entry.name not in names]
    root = folder / "mixed"
    root.mkdir()
    for bundle, entries in (
        (honest, files),
        (other, [entry for entry in other.manifest.files if entry.name in names]),
    ):
        for entry in entries:
            (root / entry.name).write_bytes((bundle.root / entry.name).read_bytes())
    files += [entry for entry in other.manifest.files if entry.name in names]
    circuits = (honest.manifest.circuits[SINGLE], theirs)
    manifest = honest.manifest.model_copy(update={"files": tuple(files), "circuits": circuits})
    (root / "manifest.json").write_bytes(manifest.to_bytes())
    return Bundle(root, manifest)


async def test_requests_are_proven_alone_where_the_batch_circuit_is_of_another_model(
    devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    batching_bundle: Bundle,
    tiny_model: TinyModel,
    tmp_path: Path,
) -> None:
    """Its outputs are compared with those that were compared with the model."""
    mixed = await with_foreign_batch(batching_bundle, tiny_model.cache, tmp_path)
    served = await make_served("foreign-batch", mixed)
    user = await make_account()
    await user.client.services.store.put(mixed.root / "manifest.json")
    ids = [(await user.client.submit(served.name, row)).request_id for row in ROWS]
    config = config_of(served.executor, policy=POLICY)
    async with running(devnet, served.executor, config) as run:
        for index in (SINGLE, BATCH):
            await run.journal.measured(served.published.version_id, index, 0.5)
        for request_id in ids:
            await run.reaches(request_id, WorkState.FULFILLED)
        kinds = {intent.kind for intent in await run.journal.intents()}
        assert kinds - {IntentKind.LOCK, IntentKind.LOCK_MANY} == {IntentKind.FULFILL}
    events = await devnet.client.events(["RequestCreated", "RequestFulfilled"], 0)
    prover = Prover(KeyCache(tiny_model.cache))
    for request_id in ids:
        created, paid = (
            next(e for e in events if e.name == name and e.args["requestId"] == request_id)
            for name in ("RequestCreated", "RequestFulfilled")
        )
        right = await prover.witness(batching_bundle, bytes(created.args["input"]), SINGLE)
        assert paid.args["output"] == right.packed_output
