"""Fixtures that tests of several parts share."""

from __future__ import annotations

from pathlib import Path

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


FAULTS = Path(__file__).with_name("faults")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The fault cases are a suite of its own, which takes long: they run where they are named."""
    if collection_path != FAULTS:
        return None
    named = (Path(config.invocation_params.dir, arg.split("::")[0]) for arg in config.args)
    return None if any(path.is_relative_to(FAULTS) for path in named) else True
