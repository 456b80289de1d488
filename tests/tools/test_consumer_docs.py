"""The consumer kit's pages show the code that compiles and the gas that is pinned."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOTS = ROOT / "contracts" / "snapshots"


def test_the_first_consumer_is_the_one_that_is_tested() -> None:
    page = (ROOT / "docs" / "contracts" / "consumer-kit.md").read_text(encoding="utf-8")
    shown = re.findall(r"```solidity\n(.*?)```", page, flags=re.DOTALL)
    source = (ROOT / "contracts" / "src" / "examples" / "FirstConsumer.sol").read_text()
    assert shown == [source]
    assert len(source.splitlines()) <= 40


@pytest.mark.parametrize("group", ["Consumers", "Attestations"])
def test_the_gas_table_is_the_snapshot(group: str) -> None:
    page = (ROOT / "docs" / "gas.md").read_text(encoding="utf-8")
    section = page.partition("\n## Consumers and attestations\n")[2].partition("\n## ")[0]
    pinned = json.loads((SNAPSHOTS / f"{group}.json").read_text())
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([\d,]+) \|", section, flags=re.MULTILINE))
    stated = {name: int(rows[name].replace(",", "")) for name in pinned}
    assert stated == {name: int(gas) for name, gas in pinned.items()}
