"""Fixtures that tests of several parts share."""

from __future__ import annotations

import pytest

pytest_plugins = [
    "database_fixtures",
    "devnet_fixtures",
    "market_fixtures",
    "cli_fixtures",
    "court_fixtures",
]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says at the end, where everybody looks, what was not tested for want of a browser."""
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if report.nodeid.startswith("tests/browser/")
    ]
    if skipped:
        terminalreporter.section("THE EXAMPLE PAGE WAS NOT TESTED", red=True)
        terminalreporter.line(f"{len(skipped)} tests of tests/browser were skipped: no Chromium.")
        terminalreporter.line("Install it (Debian: apt-get install chromium), or name one:")
        terminalreporter.line("  GATELESS_CHROMIUM=/path/to/chrome make test")
