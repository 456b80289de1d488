"""Mutants of a contract and what became of them.

The operators are slither-mutate's, and so is the order: where replacing a statement by a revert, or
commenting it out, goes unnoticed, the line is not looked at any further, since nothing tests it.
"""

from __future__ import annotations

import importlib
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.mutation.workbench import FORGE, Workbench

#: slither-mutate's, the two that show untested lines first.
OPERATORS = (
    *("RR", "CR", "AOR", "ASOR", "BOR", "FHR", "LIR", "LOR"),
    *("MIA", "MVIE", "MVIV", "MWA", "ROR", "SBR", "UOR"),
)
SHOWING_UNTESTED = ("RR", "CR")
SEED = 1


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        operator: slither-mutate's name of the kind of change.
        file: path under `src/`.
        line: first line of the changed statement.
        old: the statement before.
        new: the statement after.
    """

    operator: str
    file: str
    line: int
    old: str
    new: str


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant.

    Attributes:
        mutant: the change.
        verdict: `caught`, `survived`, `same` (the same code) or `invalid` (does not compile).
    """

    mutant: Mutant
    verdict: str


def run(
    bench: Workbench,
    files: list[str],
    told: Callable[[Outcome], None],
    skip: set[Mutant],
    sample: int | None = None,
) -> int:
    """Tries the mutants of the files.

    Args:
        bench: prepared.
        files: paths under `src/`.
        told: is told each outcome at once.
        skip: mutants that were tried before.
        sample: how many to try, drawn from all with a fixed seed; by default all, and untested
            lines once.

    Returns:
        how many mutants there are.
    """
    original = bench.compile()
    mutants = _all_mutants(bench, files)
    chosen = (
        mutants
        if sample is None
        else random.Random(SEED).sample(mutants, min(sample, len(mutants)))  # noqa: S311
    )
    untested: set[tuple[str, int]] = set()
    for mutant, mutated in chosen:
        if mutant in skip or (sample is None and (mutant.file, mutant.line) in untested):
            continue
        verdict = _try(bench, mutant.file, mutated, original)
        if verdict == "survived" and mutant.operator in SHOWING_UNTESTED:
            untested.add((mutant.file, mutant.line))
        told(Outcome(mutant=mutant, verdict=verdict))
    return len(mutants)


def _all_mutants(bench: Workbench, files: list[str]) -> list[tuple[Mutant, bytes]]:
    """Every mutant once, file by file, those that show untested lines first."""
    # Slither compiles the sources once, with the forge that it finds.
    os.environ["PATH"] = f"{FORGE.parent}{os.pathsep}{os.environ['PATH']}"
    slither = importlib.import_module("slither").Slither(str(bench.sources))
    mutants = []
    for file in files:
        seen: set[bytes] = set()
        for operator in OPERATORS:
            for mutant, mutated in _mutants(slither, bench, file, operator):
                if mutated not in seen:
                    seen.add(mutated)
                    mutants.append((mutant, mutated))
    return mutants


def _try(bench: Workbench, file: str, mutated: bytes, original: dict[str, str] | None) -> str:
    path = bench.sources / "src" / file
    kept = path.read_bytes()
    path.write_bytes(mutated)
    try:
        code = bench.compile()
    finally:
        path.write_bytes(kept)
    if code is None:
        return "invalid"
    if code == original:
        return "same"
    return "survived" if bench.passes(code) else "caught"


def _mutants(
    slither: Any, bench: Workbench, file: str, operator: str
) -> Iterator[tuple[Mutant, bytes]]:
    """Each mutant with the file's text."""
    kind = getattr(importlib.import_module(f"slither.tools.mutator.mutators.{operator}"), operator)
    path = bench.sources / "src" / file
    text = path.read_bytes()
    for unit in slither.compilation_units:
        for contract in unit.contracts:
            if Path(contract.source_mapping.filename.absolute) != path or contract.is_interface:
                continue
            # What the mutator needs to run tests itself is not used: it only makes the changes.
            maker = kind(unit, 0, "", "", contract, None, False, Path(), [])
            patches = maker._mutate().get("patches", {}).get(str(path), [])
            for patch in sorted(patches, key=lambda each: int(each["start"])):
                old = text[patch["start"] : patch["end"]].decode()
                new = str(patch["new_string"])
                mutated = text[: patch["start"]] + new.encode() + text[patch["end"] :]
                yield Mutant(operator, file, int(patch["line_number"]), old, new), mutated
