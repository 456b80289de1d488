"""One model after another, both sides in turn, each result on disk as soon as it is known."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
from gateless.core.errors import GatelessError
from gateless_proofs import KeyCache

from benchmarks.accuracy import Reference, load_reference
from benchmarks.chain import BenchChain
from benchmarks.measuring import Cap
from benchmarks.models import BenchModel
from benchmarks.records import Record, Side, load_record
from benchmarks.sides import DefaultSide, Failed, OurSide, Workshop

REPEATS = 3
#: a proof that takes longer is made once
SHORT_SECONDS = 60.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does.

    Attributes:
        results: folder of the records.
        scratch: folder for keys and witnesses, emptied after each model.
        srs: cache of reference strings.
        repeats: proofs of each side where one is short.
        default: whether ezkl's default runs too; conformance needs ours alone.
        reuse_default: takes the default's figures of an earlier run of the same model and versions.
    """

    results: Path
    scratch: Path
    srs: KeyCache
    cap: Cap = field(default_factory=Cap)
    repeats: int = REPEATS
    default: bool = True
    reuse_default: bool = False


class Runner:
    """Runs models and keeps their records."""

    def __init__(self, plan: Plan, chain: BenchChain, tell: Tell) -> None:
        self.plan = plan
        self.chain = chain
        self.tell = tell

    async def run(self, model: BenchModel) -> Record:
        """Everything about one model; failures of a side end in its record, not here."""
        record = Record(model.name, model.digest(), versions(), real_data=model.real_data)
        earlier = self._earlier(record)
        folder = self.plan.scratch / model.name
        shutil.rmtree(folder, ignore_errors=True)
        shop = Workshop(model, folder, self.plan.srs, self.plan.cap)
        try:
            reference = await self._reference(shop, record)
            await self._both(shop, record, reference, earlier)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        record.complete = True
        record.save(self.plan.results)
        return record

    def _earlier(self, record: Record) -> Side | None:
        path = self.plan.results / f"{record.name}.json"
        if not self.plan.reuse_default or not path.is_file():
            return None
        found = load_record(path)
        same = found.digest == record.digest and found.versions["ezkl"] == record.versions["ezkl"]
        return found.default if same and found.complete else None

    async def _reference(self, shop: Workshop, record: Record) -> Reference | None:
        shop.folder.mkdir(parents=True)
        try:
            calibration, held_out = shop.model.data()
        except (GatelessError, ValueError, OSError, KeyError) as error:
            record.default.failure = record.ours.failure = f"data: {error}"
            return None
        outputs = {}
        for path, arrays in ((shop.calibration, calibration), (shop.held_out, held_out)):
            np.savez(path, allow_pickle=False, **arrays)
            outputs[path] = path.with_suffix(".reference.npz")
            measured = await shop.run(
                "reference", model=str(shop.model.onnx), samples=str(path), out=str(outputs[path])
            )
            if not measured.ok:
                reason = f"float reference: {measured.reason}"
                record.default.failure = record.ours.failure = reason
                return None
            record.reference = measured.result["engine"]
        return load_reference(outputs[shop.held_out], outputs[shop.calibration])

    async def _both(
        self, shop: Workshop, record: Record, reference: Reference | None, earlier: Side | None
    ) -> None:
        if reference is None:
            return
        sides: list[DefaultSide | OurSide] = []
        if earlier is not None:
            record.default = earlier
        elif self.plan.default:
            sides.append(DefaultSide(shop, record.default))
        sides.append(OurSide(shop, record.ours))
        for side in sides:
            await self._step(side, "prepares its circuit", side.prepare)
            record.save(self.plan.results)
        # In turn, so that other load on the machine falls on both alike.
        for repeat in range(self.plan.repeats):
            for side in sides:
                if repeat == 0 or (side.side.proves and max(side.side.proves) < SHORT_SECONDS):
                    await self._step(side, f"proves ({repeat + 1})", side.prove)
            record.save(self.plan.results)
        for side in sides:

            async def judge(side: DefaultSide | OurSide = side) -> None:
                await side.judge(reference)

            await self._step(side, "is judged", judge)
        for side in sides:
            await self._on_chain(side, record)
        record.save(self.plan.results)

    async def _step(
        self, side: DefaultSide | OurSide, what: str, work: Callable[[], Awaitable[object]]
    ) -> None:
        if side.side.failure:
            return
        who = "ezkl" if isinstance(side, DefaultSide) else "ours"
        self.tell(f"{side.shop.model.name}: {who} {what}")
        try:
            await work()
        except Failed as failure:
            side.side.failure = str(failure)
            self.tell(f"{side.shop.model.name}: {who} failed: {failure}")

    async def _on_chain(self, side: DefaultSide | OurSide, record: Record) -> None:
        if side.side.failure:
            return
        self.tell(f"{record.name}: verified on chain")
        if isinstance(side, OurSide):
            verdict = await self.chain.verify_ours(record.name, side.bundle, side.proven)
            record.on_chain = verdict.reason or "verified"
        else:
            try:
                source = await side.verifier_source()
                verdict = await self.chain.verify_default(
                    source, bytes.fromhex(side.proven["proof"]), side.proven["instances"]
                )
            except (Failed, RuntimeError) as failure:
                side.side.notes.append(f"no verifier: {failure}")
                return
            side.side.verifier_bytes = verdict.code_bytes
        side.side.gas = verdict.gas
        if verdict.reason:
            side.side.notes.append(verdict.reason)


def versions() -> dict[str, str]:
    """What the figures were made with."""
    return {name: version(name) for name in ("ezkl", "onnxruntime", "onnx")}
