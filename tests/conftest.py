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

FAULTS = Path(__file__).with_name("faults")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The fault cases are a suite of its own, which takes long: they run where they are named."""
    if collection_path != FAULTS:
        return None
    named = (Path(config.invocation_params.dir, arg.split("::")[0]) for arg in config.args)
    return None if any(path.is_relative_to(FAULTS) for path in named) else True
