"""Fixtures that tests of several parts share."""

from __future__ import annotations

pytest_plugins = [
    "database_fixtures",
    "devnet_fixtures",
    "market_fixtures",
    "cli_fixtures",
    "court_fixtures",
]
