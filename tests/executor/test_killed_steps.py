"""Every kind of transaction has a case in which its sender is killed before it is sent.

The cases themselves take long: ``make test-faults``. A new kind fails here until it has one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from gateless.executor.work import IntentKind
from gateless.watchtower.cases import IntentKind as WatchtowerKind

#: So that one process lists the cases, once.
pytestmark = pytest.mark.xdist_group("killed-steps")
FAULTS = Path(__file__).parents[1] / "faults"
#: Kinds without a case, each with the reason. None may be added without one.
OF_EXECUTORS: dict[str, str] = {}
OF_WATCHTOWERS: dict[str, str] = {}


@cache
def steps() -> frozenset[str]:
    """Steps at which cases kill, by the names of their parameters."""
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", FAULTS],
        capture_output=True,
        text=True,
        check=True,
    )
    cases = [line for line in listed.stdout.splitlines() if "test_kills" in line]
    return frozenset(re.findall(r"(?:intent|intended):[a-z_]+|attempted", "\n".join(cases)))


@pytest.mark.parametrize("kind", sorted(IntentKind))
def test_executors_are_killed_at(kind: IntentKind) -> None:
    assert (f"intent:{kind}" in steps()) != (kind in OF_EXECUTORS)


@pytest.mark.parametrize("kind", sorted(WatchtowerKind))
def test_watchtowers_are_killed_at(kind: WatchtowerKind) -> None:
    assert (f"intended:{kind}" in steps()) != (kind in OF_WATCHTOWERS)


def test_executors_are_killed_before_a_replacement_is_sent() -> None:
    assert "attempted" in steps()
