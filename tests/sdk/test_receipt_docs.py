"""docs/receipts.md names every reason against a receipt, and shows its JSON as it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gateless.core.receipts import FORMAT, MEMBERS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "receipts.md").read_text(encoding="utf-8")


def test_every_reason_is_in_the_table() -> None:
    source = "".join(
        (ROOT / "offchain" / "gateless" / "sdk" / name).read_text(encoding="utf-8")
        for name in ("receipt_checks.py", "receipts.py")
    )
    raised = set(re.findall(r'Error\(\s*"(receipt-[a-z-]+)"', source))
    told = "\n".join(line for line in PAGE.splitlines() if line.startswith("| "))
    assert len(raised) > 20
    # A proven receipt is right: nothing against it, only nothing to challenge.
    assert set(re.findall(r"`(receipt-[a-z-]+)`", told)) == raised - {"receipt-proven"}


def test_the_json_is_the_one_that_travels() -> None:
    block = re.search(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    assert block
    shown = json.loads(block[1])
    assert list(shown) == ["format", "chainId", "court", "receipt", "signature"]
    assert shown["format"] == FORMAT
    assert list(shown["receipt"]) == [name for name, _ in MEMBERS]
    assert all(isinstance(value, str) for value in shown["receipt"].values())
