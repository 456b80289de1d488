"""Writes the first migration of a database anew from its tables, before a release fixes it.

Nothing is released yet, so whoever adds a table or a column writes it anew instead of adding a
second one. A test compares migrations with tables on both databases.

::

    python tools/first_migration.py executor
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, cast

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from alembic.operations.ops import UpgradeOps
from gateless import migrations
from sqlalchemy import create_engine
from sqlalchemy.types import TypeDecorator

_HEADER = '''"""The first tables of the {name}'s database. Written by tools/first_migration.py."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

revision = "{name}_0001"
down_revision = None


def upgrade(op: Operations) -> None:
    """Makes the tables."""
'''


def _render(kind: str, value: Any, _context: AutogenContext) -> str | Literal[False]:
    """A type of ours by the plain one that it is stored as: migrations outlive the code."""
    if kind == "type" and isinstance(value, TypeDecorator):
        return f"sa.{value.impl!r}"
    return False


def main(name: str) -> None:
    """Writes one program's first migration."""
    metadata = importlib.import_module(f"gateless.{name}.schema").metadata
    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection)
        upgrade = cast(UpgradeOps, produce_migrations(context, metadata).upgrade_ops)
    body = render_python_code(upgrade, render_item=_render, migration_context=context)
    lines = [line for line in body.splitlines() if not line.lstrip().startswith("###")]
    path = Path(migrations.__file__).parent / name / "first.py"
    path.write_text(_HEADER.format(name=name) + "\n".join(lines) + "\n")
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", path], check=True)
    print(path)


if __name__ == "__main__":
    main(sys.argv[1])
