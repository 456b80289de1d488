"""`python -m tools.mutation`: mutation tests of one deployed contract."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tools.mutation.campaign import Mutant, Outcome, run
from tools.mutation.workbench import ROOT, lay_out

LAZY_LIBRARIES = [
    f"libraries/{name}.sol" for name in ("LazyHashes", "LazyEvents", "Records", "PriceRamps")
]
LAZY_TESTS = [
    *("unit/Lazy*.sol", "unit/DisputeCourt*.sol", "unit/Records*.sol", "attacks/Lazy*.sol"),
    *("fuzz/Lazy*.sol", "fuzz/DeadlineQueues*.sol"),
]
#: What is mutated for each contract, under `src/`, and which tests must notice.
SUBJECTS: dict[str, tuple[list[str], list[str]]] = {
    "ReceiptCourt": (
        ["Receipt*.sol", "libraries/Receipts.sol"],
        ["unit/Court*.sol", "attacks/Receipt*.sol", "fuzz/Court*.sol"],
    ),
    "InferenceMarket": (
        [
            "InferenceMarket.sol",
            "Market*.sol",
            "markets/MarketAccounts.sol",
            "libraries/PriceRamps.sol",
            "libraries/SignedRequests.sol",
            "libraries/StoredRequests.sol",
            "libraries/UnorderedNonces.sol",
        ],
        [
            *("unit/Market*.sol", "unit/Sign*.sol", "unit/Unordered*.sol"),
            *("attacks/[!ACLPQRT]*.sol", "attacks/Co[!n]*.sol", "attacks/Re[!c]*.sol"),
            *("fuzz/Money.t.sol", "fuzz/Deadlines.t.sol", "fuzz/Batches.t.sol"),
            *("fuzz/PriceRamps.t.sol", "fuzz/SignedRequests.t.sol"),
        ],
    ),
    "LazyMarket": (
        ["lazy/Lazy*.sol", "markets/*.sol", *LAZY_LIBRARIES],
        LAZY_TESTS,
    ),
    "DisputeCourt": (
        ["lazy/DisputeCourt.sol", "libraries/DeadlineQueues.sol"],
        LAZY_TESTS,
    ),
    "QuorumMarket": (
        ["quorum/*.sol"],
        [
            *("unit/Quorum*.sol", "unit/ModeMarketsConstruction.t.sol", "attacks/Quorum*.sol"),
            *("fuzz/Quorum*.sol", "fuzz/StakeTree.t.sol"),
        ],
    ),
    "AttestedMarket": (
        ["attested/*.sol"],
        [
            *("unit/Attested*.sol", "unit/ModeMarketsConstruction.t.sol"),
            *("attacks/Attested*.sol", "fuzz/Attested*.sol"),
        ],
    ),
}


def main() -> int:
    """Runs a campaign; prints what survived and writes every outcome as a line of JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutation",
        description="Changes a contract in many small ways and looks whether its tests notice.",
        epilog="example: python -m tools.mutation ReceiptCourt --out mutants.jsonl",
    )
    parser.add_argument("contract", choices=sorted(SUBJECTS))
    parser.add_argument(
        "--out", type=Path, help="where outcomes go; those there already are not tried again"
    )
    parser.add_argument(
        "--folder", type=Path, help="where the trees are made; .build/mutation by default"
    )
    parser.add_argument("--timeout", type=float, default=60, help="seconds for a run of the tests")
    parser.add_argument(
        "--sample", type=int, help="try so many of the mutants, drawn with a fixed seed"
    )
    given = parser.parse_args()
    files, tests = SUBJECTS[given.contract]
    folder = (given.folder or ROOT / ".build" / "mutation" / given.contract).resolve()
    out = given.out or folder.with_suffix(".jsonl")
    print(f"Compiling the tests of {given.contract} ...", flush=True)
    bench = lay_out(folder, given.contract, tests, given.timeout)
    bench.prepare()
    source = bench.sources / "src"
    paths = sorted({str(p.relative_to(source)) for f in files for p in source.glob(f)})
    done = _read(out)
    counts = Counter(outcome.verdict for outcome in done)

    def told(outcome: Outcome) -> None:
        counts[outcome.verdict] += 1
        with out.open("a") as lines:
            lines.write(json.dumps(asdict(outcome)) + "\n")
        if outcome.verdict == "survived":
            mutant = outcome.mutant
            print(
                f"{mutant.file}:{mutant.line} [{mutant.operator}] {mutant.old!r} -> {mutant.new!r}",
                flush=True,
            )

    total = run(bench, paths, told, {outcome.mutant for outcome in done}, given.sample)
    print(f"{total} mutants: ", end="")
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    return 0


def _read(path: Path) -> list[Outcome]:
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [Outcome(mutant=Mutant(**line["mutant"]), verdict=line["verdict"]) for line in lines]


if __name__ == "__main__":
    sys.exit(main())
