"""The suite counts its cases: each is one fault, and the judge's verdict after it."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts = {
        word: sum(
            1 for report in terminalreporter.stats.get(word, []) if "faults/" in report.nodeid
        )
        for word in ("passed", "failed", "error", "xfailed", "skipped")
    }
    shown = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    terminalreporter.write_line(f"fault cases: {shown or 'none'}")
