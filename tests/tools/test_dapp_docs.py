"""docs/dapp.md shows the code that is built, and the queries that the page takes."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "dapp.md").read_text(encoding="utf-8")
SOURCES = ROOT / "examples" / "dapp" / "src"


def test_the_code_is_the_pages() -> None:
    shown = re.findall(r"```ts\n(.*?)```", PAGE, flags=re.DOTALL)
    sources = [path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.ts")]
    assert shown
    for fragment in shown:
        assert any(fragment in source for source in sources), fragment


def test_every_query_is_listed() -> None:
    table = PAGE.partition("### What its address may say")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE))
    session = (SOURCES / "session.ts").read_text(encoding="utf-8")
    assert listed == set(re.findall(r'query\.get\("(\w+)"\)', session))


def test_files_that_are_named_exist() -> None:
    for name in re.findall(r"`(src/[\w./-]+)`", PAGE):
        assert (SOURCES.parent / name).is_file(), name
    for name in re.findall(r"\]\(([\w./-]+\.md)\)", PAGE):
        assert (ROOT / "docs" / name).is_file(), name
