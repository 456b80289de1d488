"""How the tables of each long-running program come about: Alembic's migrations, a folder each.

They ship with the package and run when a database is opened (:mod:`gateless.adapters.db`).
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent

EXECUTOR = _HERE / "executor"
WATCHTOWER = _HERE / "watchtower"
INDEXER = _HERE / "indexer"
