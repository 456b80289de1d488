"""The command line of the benchmark and of the conformance list."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
import time
from pathlib import Path

from gateless_proofs import KeyCache, Limits

from benchmarks.chain import bench_chain
from benchmarks.measuring import ROOT, Cap
from benchmarks.models import BenchModel, UsageError, chosen
from benchmarks.records import Record, load_record
from benchmarks.report import write_report
from benchmarks.runner import Plan, Runner, versions

DEFAULT_RESULTS = ROOT / "benchmarks" / "results"
DEFAULT_WORK = ROOT / ".build" / "bench"


def parser() -> argparse.ArgumentParser:
    """All options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--models",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="more models (repeatable)",
    )
    parser.add_argument("--no-shipped", action="store_true", help="leave the shipped models out")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="this model (repeatable)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="keep what an interrupted run has finished"
    )
    parser.add_argument(
        "--reuse-default",
        action="store_true",
        help="measure ours afresh, take the default's figures of an earlier run",
    )
    parser.add_argument(
        "--conformance",
        action="store_true",
        help="ours alone: which models prove and verify on chain, and why the rest does not",
    )
    parser.add_argument(
        "--out", type=Path, default=DEFAULT_RESULTS, help="where tables and plot go"
    )
    parser.add_argument(
        "--work", type=Path, default=DEFAULT_WORK, help="records, reference strings, scratch"
    )
    parser.add_argument("--repeats", type=int, default=3, help="proofs of each side (default: 3)")
    parser.add_argument("--cap-seconds", type=float, default=600.0, help="of each run")
    parser.add_argument("--cap-gib", type=float, default=16.0, help="of each run")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs what was asked for; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        models = chosen(options.models, options.only, shipped=not options.no_shipped)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    try:
        records = asyncio.run(_run(models, options))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\nstopped; go on with --resume", file=sys.stderr)
        return 130
    for path in write_report(records, options.out, conformance=options.conformance):
        print(f"wrote {path}")
    return 0


async def _run(models: list[BenchModel], options: argparse.Namespace) -> list[Record]:
    current = asyncio.current_task()
    if current is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, current.cancel)
    work: Path = options.work.resolve()
    results = work / ("conformance" if options.conformance else "records")
    if not (options.resume or options.reuse_default or options.only):
        shutil.rmtree(results, ignore_errors=True)
    plan = Plan(
        results=results,
        scratch=work / "scratch",
        srs=KeyCache(work / "cache", Limits(seconds=3600)),
        cap=Cap(options.cap_seconds, int(options.cap_gib * 2**30)),
        repeats=1 if options.conformance else options.repeats,
        default=not options.conformance,
        reuse_default=options.reuse_default,
    )
    started = time.monotonic()

    def tell(line: str) -> None:
        print(f"[{time.monotonic() - started:7.1f} s] {line}", flush=True)

    shutil.rmtree(work / "network", ignore_errors=True)
    async with bench_chain(work / "network") as chain:
        runner = Runner(plan, chain, tell)
        for place, model in enumerate(models, start=1):
            finished = _finished(model, results) if options.resume else None
            tell(f"-- {model.name} ({place} of {len(models)}){', kept' if finished else ''}")
            record = finished or await runner.run(model)
            tell(f"{model.name}: {_in_short(record)}")
    return [load_record(results / f"{model.name}.json") for model in models]


def _finished(model: BenchModel, results: Path) -> Record | None:
    path = results / f"{model.name}.json"
    if not path.is_file():
        return None
    record = load_record(path)
    same = record.digest == model.digest() and record.versions == versions()
    return record if record.complete and same else None


def _in_short(record: Record) -> str:
    parts = []
    for who, side in (("ezkl", record.default), ("ours", record.ours)):
        seconds = side.prove_seconds
        if side.failure:
            parts.append(f"{who} failed ({side.failure})")
        elif seconds is not None:
            parts.append(f"{who} {seconds:.2f} s at k={side.logrows}")
    if record.ratio is not None:
        parts.append(f"{record.ratio:.1f} times faster")
    if record.on_chain:
        parts.append(f"on chain: {record.on_chain}")
    return "; ".join(parts)
