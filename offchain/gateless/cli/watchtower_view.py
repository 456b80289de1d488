"""How a running watchtower is shown: from what it says of itself, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gateless.cli.executor_view import (
    block_of,
    endpoints_of,
    heading,
    left,
    problems_of,
    proving_of,
    section,
)
from gateless.cli.output import facts, table
from gateless.core.amounts import Token, format_amount

_SHOWN = 12


def watchtower_view(status: Mapping[str, Any], token: Token, now: float) -> RenderableType:
    """A status as ``/v1/status`` gives it.

    Args:
        status: what the watchtower said.
        token: for amounts.
        now: seconds since 1970, for what is left until deadlines.
    """
    cases = ", ".join(f"{count:,} {state}" for state, count in status["counts"].items())
    rows = [
        ("block", block_of(status)),
        ("cases", cases or "none yet"),
        ("bonds at risk", format_amount(status["at_risk"], token)),
        (
            "brought",
            f"{format_amount(status['rewards'], token)} in rewards,"
            f" {format_amount(status['bonds_lost'], token)} in bonds lost",
        ),
    ]
    held = ", ".join(
        f"{format_amount(units, token)} at {name}" for name, units in status["winnings"].items()
    )
    if held:
        rows.append(("held for it", held))
    parts: list[RenderableType] = [heading("watchtower", status), facts(rows)]
    parts += section("problems", problems_of(status))
    parts += section("challenges", _challenges(status, token, now))
    parts += section("computing", proving_of(status))
    parts += section("RPC endpoints", endpoints_of(status))
    return Group(*parts)


def _challenges(status: Mapping[str, Any], token: Token, now: float) -> RenderableType | None:
    active: Sequence[Mapping[str, Any]] = status["active"]
    if not active:
        return None
    shown = table(
        "case",
        "kind",
        "state",
        "why",
        "bond",
        "proof due in",
        rows=[
            (
                str(case["case"])[:12],
                case["kind"],
                case["state"],
                case["reason"] or "-",
                format_amount(int(case["bond"]), token),
                left(case["deadline"], now),
            )
            for case in active[:_SHOWN]
        ],
        right=("bond", "proof due in"),
    )
    if len(active) <= _SHOWN:
        return shown
    return Group(shown, Text(f"… and {len(active) - _SHOWN} more: --json has them all"))
