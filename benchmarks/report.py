"""Writes a run's results: markdown for people, CSV and JSON for programs, a plot for the eye."""

from __future__ import annotations

import csv
import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.records import Record, Side
from benchmarks.summary import (
    CONFORMANCE_BYTES,
    CONFORMANCE_SECONDS,
    MAX_ERROR,
    MIN_AGREEMENT,
    conforms,
    summarise,
)

#: an en dash, as tables show that there is nothing
NONE = "\N{EN DASH}"
_MEGABYTE = 1_000_000
_REASON = 240


def write_report(records: Sequence[Record], out: Path, *, conformance: bool) -> list[Path]:
    """Writes all files of a run and returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    written = [_write(out / "conformance.md", conformance_table(records))]
    if not conformance:
        from benchmarks.plot import draw

        written += [
            _write(out / "table.md", table(records)),
            _write(out / "results.json", _json(records)),
            _write_csv(out / "results.csv", records),
            draw(records, out / "prove.png"),
        ]
    return written


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# --- markdown ------------------------------------------------------------------------------------


def table(records: Sequence[Record]) -> str:
    """The whole result: summary, main table, costs, accuracy, failures."""
    parts = [_headline(records), _times(records), _sizes(records), _quality(records)]
    parts += [_failures(records)]
    return "\n".join(parts)


def _headline(records: Sequence[Record]) -> str:
    summary = summarise(records)
    lines = ["# ezkl's default and ours, side by side", ""]
    lines += [f"Machine: {machine()}. Versions: {_versions(records)}.", ""]
    if summary.mean is not None and summary.least is not None:
        lines += [
            f"**Proving is {summary.mean:.1f} times faster** (geometric mean over the"
            f" {len(summary.compared)} models that both prove within the accuracy); the least gain"
            f" is {summary.least[1]:.1f} times, of `{summary.least[0]}`.",
        ]
    lines += [
        f"Slower than the default by more than noise: {_names(summary.slower)}."
        f" Left out of the mean because ours is beyond {MAX_ERROR:.0%} of the range, or below"
        f" {MIN_AGREEMENT:.0%} equal labels, on held-out data: {_names(summary.inaccurate)}."
        f" Failed: {len(summary.defaults_failed)} of {len(records)} defaults,"
        f" {len(summary.ours_failed)} of ours.",
        "",
    ]
    return "\n".join(lines)


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def machine() -> str:
    """Processor count, memory and system, without names."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = os.cpu_count()
    return f"{platform.system()} {platform.machine()}, {cores} cores, {memory:.0f} GiB"


def _versions(records: Sequence[Record]) -> str:
    found = records[0].versions if records else {}
    return ", ".join(f"{name} {number}" for name, number in found.items())


def _times(records: Sequence[Record]) -> str:
    rows = []
    for record in records:
        both = (record.default, record.ours)
        rows.append(
            [
                f"`{record.name}`",
                _pair(both, lambda side: _plain(side.logrows)),
                _pair(both, lambda side: _plain(side.cells)),
                _pair(both, lambda side: _seconds(side.plan_seconds)),
                _pair(both, lambda side: _seconds(side.setup_seconds)),
                _pair(both, lambda side: _seconds(side.witness_seconds)),
                _pair(both, _prove),
                _pair(both, lambda side: _seconds(side.cpu_seconds)),
                NONE if record.ratio is None else f"**{record.ratio:.1f}**" + "⚠" * record.slower,
                _pair(both, lambda side: _megabytes(side.peak_bytes)),
            ]
        )
    heads = [
        *("model", "k", "cells", "plan s", "setup s", "witness s", "prove s"),
        *("CPU s", "ratio"),
        "peak MB",
    ]
    return "## Time and memory\n\nEach cell: default → ours.\n\n" + _markdown(heads, rows)


def _prove(side: Side) -> str:
    if side.failure:
        return "failed"
    noise = f" ±{side.noise:.0%}" if len(side.proves) > 1 else ""
    return _seconds(side.prove_seconds) + noise


def _sizes(records: Sequence[Record]) -> str:
    rows = []
    for record in records:
        both = (record.default, record.ours)
        rows.append(
            [
                f"`{record.name}`",
                _pair(both, lambda side: _megabytes(side.proving_key_bytes)),
                _pair(both, lambda side: _plain(side.proof_bytes)),
                _pair(both, lambda side: _plain(side.instances)),
                _pair(both, _gas),
                _plain(record.default.verifier_bytes),
            ]
        )
    heads = ["model", "proving key MB", "proof bytes", "public values", "verify gas"]
    note = (
        "\nGas is that of a whole transaction that verifies one proof. `(+)`: ezkl's verifier of"
        " that model is larger than the 24,576 bytes that a chain accepts; the gas is what it would"
        " cost if it could be deployed.\n"
    )
    heads.append("default's verifier bytes")
    return "## Keys, proofs and gas\n\n" + _markdown(heads, rows) + note


def _gas(side: Side) -> str:
    from benchmarks.chain import CODE_SIZE_LIMIT

    beyond = side.verifier_bytes is not None and side.verifier_bytes > CODE_SIZE_LIMIT
    return _plain(side.gas) + (" (+)" if beyond else "")


def _quality(records: Sequence[Record]) -> str:
    rows = []
    for record in records:
        both = (record.default, record.ours)
        rows.append(
            [
                f"`{record.name}`",
                "real" if record.real_data else "made from one sample",
                _pair(both, lambda side: _share(side.error)),
                _pair(both, lambda side: _share(side.agreement)),
                _pair(both, _judged),
                {None: NONE, True: "exact", False: "with slack"}[record.ours.exact],
                record.ours.binding or NONE,
                ", ".join(record.ours.passes) or NONE,
            ]
        )
    heads = [
        *("model", "data", "max error / range", "same label", "samples judged"),
        *("our circuit", "input binding", "graph passes"),
    ]
    return "## Accuracy\n\n" + _markdown(heads, rows)


def _judged(side: Side) -> str:
    if side.judged is None:
        return NONE
    computed, tried = side.judged
    return f"{computed}" if computed == tried else f"{computed} of {tried}"


def _failures(records: Sequence[Record]) -> str:
    lines = ["## Failures and remarks", ""]
    for record in records:
        for who, side in (("default", record.default), ("ours", record.ours)):
            if side.failure:
                lines.append(f"- `{record.name}`, {who}: {_flat(side.failure)}")
            lines += [f"- `{record.name}`, {who}: {_flat(note)}" for note in side.notes]
    return "\n".join(lines if len(lines) > 2 else [*lines, "None."]) + "\n"


def conformance_table(records: Sequence[Record]) -> str:
    """Which models prove and verify on chain within the limits, and why the rest does not."""
    verdicts = {record.name: conforms(record) for record in records}
    good = sum(not reason for reason in verdicts.values())
    limits = f"{CONFORMANCE_BYTES >> 30} GiB and {CONFORMANCE_SECONDS:.0f} s a step"
    rows = []
    for record in records:
        side, reason = record.ours, verdicts[record.name]
        rows.append(
            [
                f"`{record.name}`",
                "yes" if not reason else "**no**",
                _plain(side.logrows),
                _seconds(side.plan_seconds),
                _seconds(side.setup_seconds),
                _seconds(side.prove_seconds),
                _megabytes(side.peak_bytes),
                _plain(side.gas),
                _share(side.error),
                _flat(reason) or NONE,
            ]
        )
    heads = [
        *("model", "conforms", "k", "plan s", "setup s", "prove s", "peak MB", "verify gas"),
        *("max error / range", "why not"),
    ]
    return (
        f"# Conformance\n\n{good} of {len(records)} models build, prove and verify on chain within"
        f" {limits}.\n\n" + _markdown(heads, rows)
    )


def _pair(both: tuple[Side, Side], show: Callable[[Side], str]) -> str:
    theirs, ours = show(both[0]), show(both[1])
    return NONE if (theirs, ours) == (NONE, NONE) else f"{theirs} → {ours}"


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _plain(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"


def _seconds(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _megabytes(value: int | None) -> str:
    return NONE if value is None else f"{value / _MEGABYTE:,.{0 if value > 10 * _MEGABYTE else 1}f}"


def _share(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:.1%}" if value >= 0.001 or value == 0 else f"{value:.1e}"


def _flat(text: str) -> str:
    words = " ".join(text.split()).replace("|", "\\|")
    return words if len(words) <= _REASON else words[: _REASON - 1] + "…"


# --- for programs --------------------------------------------------------------------------------


def _json(records: Sequence[Record]) -> str:
    summary = asdict(summarise(records))
    data = {
        "machine": machine(),
        "summary": summary,
        "models": [
            {**asdict(record), "ratio": record.ratio, "why_not": conforms(record)}
            for record in records
        ],
    }
    return json.dumps(data, indent=1) + "\n"


_COLUMNS = (
    *("logrows", "cells", "plan_seconds", "setup_seconds", "witness_seconds", "prove_seconds"),
    "cpu_seconds",
    *("noise", "peak_bytes", "proving_key_bytes", "proof_bytes", "instances", "error"),
    *("agreement", "gas", "verifier_bytes", "failure"),
)


def _write_csv(path: Path, records: Sequence[Record]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        sides = ("default", "ours")
        writer.writerow(["model", "ratio", *(f"{s}_{name}" for s in sides for name in _COLUMNS)])
        for record in records:
            cells: list[Any] = [record.name, record.ratio]
            for side in (record.default, record.ours):
                cells += [getattr(side, name) for name in _COLUMNS]
            writer.writerow(["" if cell is None else cell for cell in cells])
    return path
