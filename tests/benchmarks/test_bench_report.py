"""The tables say what was measured: medians, noise, failures outside the mean, reasons."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from benchmarks.records import Record, Side, load_record
from benchmarks.report import conformance_table, table, write_report
from benchmarks.summary import conforms, summarise

VERSIONS = {"ezkl": "23.0.5"}


def proven(*proves: float, **more: object) -> Side:
    values: dict[str, object] = {
        "proves": list(proves),
        "witnesses": [0.1],
        "setup_seconds": 1.0,
        "peak_bytes": 50_000_000,
        "logrows": 12,
        "cells": 3000,
        "gas": 450_000,
        "judged": (15, 16),
    }
    return Side(**{**values, **more})  # type: ignore[arg-type]


def record(name: str, default: Side, ours: Side, on_chain: str = "verified") -> Record:
    return Record(name, "00", VERSIONS, default=default, ours=ours, on_chain=on_chain)


FAST = record("fast", proven(10.0, 12.0, 11.0), proven(1.0, 1.0, 1.1))
SLOW = record("slow", proven(1.0, 1.0, 1.0), proven(2.0, 2.0, 2.2))
HEAVY = record("heavy", Side(failure="prove: hit the cap of 600 s"), proven(40.0))
REFUSED = record("refused", proven(5.0), Side(failure="build: no circuit | here"), "")


def test_medians_and_the_mean_leave_failures_out() -> None:
    summary = summarise([FAST, SLOW, HEAVY, REFUSED])
    assert summary.compared == ("fast", "slow")
    assert summary.mean == pytest.approx((11.0 * 0.5) ** 0.5)
    assert summary.least == ("slow", 0.5)
    assert summary.slower == ("slow",)
    assert summary.defaults_failed == ("heavy",)
    assert summary.ours_failed == ("refused",)


def test_a_difference_within_the_noise_is_not_slower() -> None:
    noisy = record("noisy", proven(1.0, 1.0, 1.4), proven(1.1, 1.1, 1.1))
    assert noisy.default.noise == pytest.approx(0.2)
    assert noisy.ratio is not None
    assert noisy.ratio < 1
    assert not noisy.slower


@pytest.mark.parametrize(
    ("accuracy", "inaccurate"),
    [
        ({"error": 0.0099, "agreement": 0.99}, False),
        ({"error": 0.0101}, True),
        ({"error": 0.001, "agreement": 0.98}, True),
        ({"error": None}, False),
    ],
)
def test_ours_beyond_its_bound_is_named(accuracy: dict[str, float], inaccurate: bool) -> None:
    found = record("m", proven(2.0, error=0.5), proven(1.0, **accuracy))
    assert summarise([found]).inaccurate == (("m",) if inaccurate else ())
    assert summarise([found]).compared == (() if inaccurate else ("m",))
    named = "on held-out data: `m`" if inaccurate else "on held-out data: none"
    assert named in table([found])


def test_nothing_compared_has_no_mean() -> None:
    summary = summarise([HEAVY])
    assert summary.mean is None
    assert summary.least is None
    assert "heavy" in table([HEAVY])


def test_the_table_shows_ratios_failures_and_reasons() -> None:
    text = table([FAST, SLOW, HEAVY, REFUSED])
    assert "| `fast` | 12 → 12 | 3,000 → 3,000 |" in text
    assert "**11.0**" in text
    assert "**0.5**⚠" in text
    assert "failed → 40" in text
    assert "- `heavy`, default: prove: hit the cap of 600 s" in text
    assert "- `refused`, ours: build: no circuit \\| here" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("| `fast` | 12")}
    heads = {line.count("|") for line in text.splitlines() if line.startswith("| model | k ")}
    assert widths == heads


def test_gas_of_a_verifier_that_no_chain_takes_is_marked() -> None:
    big = record("big", proven(1.0, verifier_bytes=30_000, gas=900_000), proven(1.0))
    assert "900,000 (+) → 450,000" in table([big])


@pytest.mark.parametrize(
    ("side", "on_chain", "reason"),
    [
        (proven(1.0), "verified", ""),
        (proven(301.0), "verified", "prove takes 301 s"),
        (proven(1.0, setup_seconds=400.0), "verified", "setup takes 400 s"),
        (proven(1.0, peak_bytes=9 << 30), "verified", "needs 9.0 GiB"),
        (proven(1.0), "the proof is rejected", "on chain: the proof is rejected"),
        (proven(1.0), "", "on chain: not tried"),
        (Side(failure="build: unsupported"), "", "build: unsupported"),
    ],
)
def test_conformance_gives_the_reason(side: Side, on_chain: str, reason: str) -> None:
    found = record("m", Side(), side, on_chain)
    assert conforms(found) == reason
    text = conformance_table([found])
    assert text.startswith(f"# Conformance\n\n{0 if reason else 1} of 1 models")
    assert (reason or "yes") in text


def test_records_survive_the_disk(tmp_path: Path) -> None:
    FAST.save(tmp_path)
    assert load_record(tmp_path / "fast.json") == FAST
    assert [path.name for path in tmp_path.iterdir()] == ["fast.json"]


def test_programs_get_the_same_figures(tmp_path: Path) -> None:
    written = write_report([FAST, HEAVY], tmp_path / "out", conformance=False)
    assert {path.name for path in written} == {
        *("table.md", "results.json", "results.csv", "prove.png", "conformance.md")
    }
    with (tmp_path / "out" / "results.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["model"] for row in rows] == ["fast", "heavy"]
    assert float(rows[0]["ratio"]) == 11.0
    assert rows[1]["ratio"] == ""
    assert rows[1]["default_failure"] == "prove: hit the cap of 600 s"
    data = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert data["summary"]["mean"] == pytest.approx(11.0)
    assert data["models"][1]["why_not"] == ""
    assert (tmp_path / "out" / "prove.png").read_bytes().startswith(b"\x89PNG")
    again = write_report([FAST, HEAVY], tmp_path / "again", conformance=False)
    assert [path.read_bytes() for path in written] == [path.read_bytes() for path in again]


def test_conformance_alone_writes_its_list_only(tmp_path: Path) -> None:
    written = write_report([HEAVY], tmp_path, conformance=True)
    assert [path.name for path in written] == ["conformance.md"]
