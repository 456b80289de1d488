"""How a running executor is shown: from what it says of itself, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gateless.cli.output import facts, short, table
from gateless.core.amounts import Token, format_amount

_GIB = 1 << 30
_SHOWN = 12
_PHASES = {"running": "green", "halted": "bold red", "stopping": "yellow", "starting": "yellow"}


def executor_view(status: Mapping[str, Any], token: Token, now: float) -> RenderableType:
    """A status as ``/v1/status`` gives it.

    Args:
        status: what the executor said.
        token: for amounts.
        now: seconds since 1970, for what is left until deadlines.
    """
    parts: list[RenderableType] = [
        heading("executor", status),
        facts([("block", block_of(status)), *_money(status, token)]),
    ]
    # What needs somebody comes first: a terminal shows the top.
    parts += section("problems", problems_of(status))
    parts += section("may come too late", _endangered(status, now))
    parts += section("work", _work(status))
    parts += section("on it now", _active(status, now))
    parts += section("proving", proving_of(status))
    parts += section("RPC endpoints", endpoints_of(status))
    return Group(*parts)


def heading(program: str, status: Mapping[str, Any]) -> Text:
    """Who it is, where, and what it is doing."""
    phase = str(status["phase"])
    return Text.assemble(
        (f"{program} ", "bold"),
        f"{status['address']} on {status['network']}  ",
        (phase, _PHASES.get(phase, "red")),
    )


def section(title: str, content: RenderableType | None) -> list[RenderableType]:
    """A titled part; nothing where there is nothing to show."""
    return [] if content is None else ["", Text(title, style="bold cyan"), content]


def block_of(status: Mapping[str, Any]) -> str:
    """The latest block, and how far behind it the journal is."""
    head, cursor = status["head"], status["cursor"]
    if head is None:
        return "none seen yet"
    if cursor is None:
        return f"{head}; nothing read yet"
    return f"{head}, {max(0, head - cursor)} behind"


def endpoints_of(status: Mapping[str, Any]) -> RenderableType | None:
    """Each RPC endpoint and how it does."""
    return table(
        "endpoint",
        "state",
        "block",
        "latency",
        "asked",
        "last fault",
        rows=[
            (
                entry["name"],
                entry["state"],
                "-" if entry["head"] is None else str(entry["head"]),
                "-"
                if entry["latency_seconds"] is None
                else f"{1_000 * entry['latency_seconds']:.0f} ms",
                f"{entry['requests']:,}",
                entry["last_error"] or "-",
            )
            for entry in status["rpc"]
        ],
        right=("block", "latency", "asked"),
    )


def problems_of(status: Mapping[str, Any]) -> RenderableType | None:
    """What keeps it from its work, each with what to do about it."""
    problems: Sequence[Mapping[str, Any]] = status["problems"]
    if not problems:
        return None
    lines: list[RenderableType] = []
    for problem in problems[:_SHOWN]:
        about = problem.get("request_id")
        where = "" if about is None else f" (request {name_of(about)})"
        lines.append(
            Text.assemble((str(problem["code"]), "yellow"), f"{where}: {problem['message']}")
        )
        if problem["hint"]:
            lines.append(Text.assemble(("  hint", "cyan"), f": {problem['hint']}"))
    if len(problems) > _SHOWN:
        lines.append(Text(f"… and {len(problems) - _SHOWN} more: --json has them all"))
    return Group(*lines)


def name_of(request_id: int) -> str:
    """A request's number; ids of signed and lazy ones are hashes, and shortened."""
    if request_id < 1 << 63:
        return str(request_id)
    return short(f"0x{request_id:064x}")


def left(deadline: int, now: float) -> str:
    """Time until a deadline; a dash for none."""
    if not deadline:
        return "-"
    seconds = round(deadline - now)
    if seconds < 0:
        return "over"
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def _money(status: Mapping[str, Any], token: Token) -> list[tuple[str, str]]:
    def of(units: int | None) -> str:
        return "unknown yet" if units is None else format_amount(units, token)

    earned = f"{of(status['earned'])} by proofs, {of(status['lazy_earned'])} by lazy requests"
    held = ", ".join(f"{of(units)} at {name}" for name, units in status["winnings"].items())
    return [
        ("stake at risk", f"{of(status['at_risk'])}; {of(status['available_stake'])} available"),
        ("earned", f"{earned}; {of(status['balance'])} not withdrawn"),
        *([("held for it", held)] if held else []),
    ]


def _work(status: Mapping[str, Any]) -> RenderableType | None:
    markets = {
        "requests for proofs": status["counts"],
        "lazy requests": status["lazy"],
        "challenged receipts": status["challenges"],
    }
    rows = [
        (market, ", ".join(f"{count:,} {state}" for state, count in counts.items()))
        for market, counts in markets.items()
        if counts
    ]
    batches = status["batches"]
    if batches["proofs"]:
        shared = f"{batches['proofs']:,} for {batches['requests']:,} requests"
        rows.append(("shared proofs", shared))
    return facts(rows) if rows else Text("nothing yet")


def _active(status: Mapping[str, Any], now: float) -> RenderableType | None:
    active: Sequence[Mapping[str, Any]] = status["active"]
    if not active:
        return None
    by_urgency = sorted(active, key=lambda work: work["lock_deadline"] or work["deadline"])
    shown = table(
        "request",
        "state",
        "proof due in",
        "expires in",
        "waits for",
        rows=[
            (
                name_of(work["request_id"]),
                work["state"],
                left(work["lock_deadline"], now),
                left(work["deadline"], now),
                work["reason"] or "-",
            )
            for work in by_urgency[:_SHOWN]
        ],
        right=("proof due in", "expires in"),
    )
    if len(active) <= _SHOWN:
        return shown
    return Group(shown, Text(f"… and {len(active) - _SHOWN} more: --json has them all"))


def _endangered(status: Mapping[str, Any], now: float) -> RenderableType | None:
    late: Sequence[Mapping[str, Any]] = status["endangered"]
    if not late:
        return None
    return table(
        "request",
        "market",
        "due in",
        "still takes up to",
        rows=[
            (
                name_of(entry["request_id"]),
                entry["market"],
                left(entry["deadline"], now),
                f"{entry['seconds_needed']:.0f} s",
            )
            for entry in late[:_SHOWN]
        ],
        right=("due in", "still takes up to"),
    )


def proving_of(status: Mapping[str, Any]) -> RenderableType | None:
    """The machines that run models: what they have, do, and keep models apart by."""
    proving = status["proving"]
    if proving is None:
        return None
    rows = [
        (
            node["name"],
            str(node["running"]),
            f"{node['busy_threads']}/{node['cores']}",
            f"{node['reserved_bytes'] / _GIB:.1f}/{node['memory_bytes'] / _GIB:.1f} GiB",
            f"{node['done']:,}",
            _isolation(node["isolation"]),
        )
        for node in proving["nodes"]
    ]
    shown = table(
        "machine",
        "jobs",
        "cores",
        "memory",
        "done",
        "models kept apart by",
        rows=rows,
        right=("jobs", "cores", "memory", "done"),
    )
    waiting = f"{proving['waiting']} jobs wait for room"
    moved = f", {proving['moved']} were moved from lost machines" if proving["moved"] else ""
    return Group(shown, Text(waiting + moved)) if proving["waiting"] or moved else shown


def _isolation(told: Mapping[str, Any] | None) -> str:
    if told is None:
        return "unknown"
    if told["network"] == "none":
        return "NOTHING (docs/sandbox.md)"
    ways = [told["network"], told["files"], "seccomp" if told["filtered"] else "none"]
    return ", ".join(dict.fromkeys(way for way in ways if way != "none"))
