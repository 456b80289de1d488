"""Mutants of a contract and what became of them.

The operators are slither-mutate's, and so is the order: where replacing a statement by a revert, or
commenting it out, goes unnoticed, the line is not looked at any further, since nothing tests it.
"""

from __future__ import annotations

import importlib
import os
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
    bench: Workbench, files: list[str], told: Callable[[Outcome], None], skip: set[Mutant]
) -> None:
    """Tries every mutant of the files.

    Args:
        bench: prepared.
        files: paths under `src/`.
        told: is told each outcome at once.
        skip: mutants that were tried before.
    """
    original = bench.compile()
    # Slither compiles the sources once, with the forge that it finds.
    os.environ["PATH"] = f"{FORGE.parent}{os.pathsep}{os.environ['PATH']}"
    slither = importlib.import_module("slither").Slither(str(bench.sources))
    for file in files:
        untested: list[int] = []
        for operator in OPERATORS:
            for mutant, mutated in _mutants(slither, bench, file, operator, untested):
                if mutant in skip:
                    continue
                verdict = _try(bench, file, mutated, original)
                if verdict == "survived" and operator in SHOWING_UNTESTED:
                    untested.append(mutant.line)
                told(Outcome(mutant=mutant, verdict=verdict))


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
    slither: Any, bench: Workbench, file: str, operator: str, untested: list[int]
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
            maker = kind(unit, 0, "", "", contract, None, False, Path(), untested)
            patches = maker._mutate().get("patches", {}).get(str(path), [])
            for patch in sorted(patches, key=lambda each: int(each["start"])):
                if int(patch["line_number"]) in untested:
                    continue
                old = text[patch["start"] : patch["end"]].decode()
                new = str(patch["new_string"])
                mutated = text[: patch["start"]] + new.encode() + text[patch["end"] :]
                yield Mutant(operator, file, int(patch["line_number"]), old, new), mutated
