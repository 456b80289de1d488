"""Prove times of both sides as pairs of bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from benchmarks.records import Record
from benchmarks.summary import summarise

_COLOURS = {"default": "#b0b7c3", "ours": "#1f6f54"}
_NAMES = {"default": "ezkl's default", "ours": "ours"}
_BAR = 0.38
#: shortest time that the axis shows, seconds
_LEFT = 0.01
_INCHES_PER_MODEL = 0.3


def draw(records: Sequence[Record], path: Path) -> Path:
    """Writes the plot; models in the order of the default's time, failures marked."""
    matplotlib.use("agg")
    order = sorted(records, key=lambda record: record.default.prove_seconds or float("inf"))
    figure = Figure(figsize=(9, 1.6 + _INCHES_PER_MODEL * len(order)), layout="constrained")
    axes = figure.subplots()
    for offset, who in ((-_BAR / 2, "default"), (_BAR / 2, "ours")):
        for place, record in enumerate(order):
            side = record.default if who == "default" else record.ours
            seconds = side.prove_seconds
            if seconds is None:
                axes.text(
                    _LEFT * 1.1, place + offset, "failed", fontsize=6, va="center", color="#a33"
                )
            else:
                axes.barh(place + offset, seconds, height=_BAR, color=_COLOURS[who])
    longest = 0.0
    for record in records:
        longest = max([longest, *record.default.proves, *record.ours.proves])
    if longest > 0:
        axes.set_xscale("log")
    axes.set_yticks(range(len(order)), [record.name for record in order], fontsize=7)
    axes.set_xlim(_LEFT, max(longest * 1.5, 1.0))
    axes.set_xlabel("seconds to prove (logarithmic)")
    legend = [Patch(color=colour, label=_NAMES[who]) for who, colour in _COLOURS.items()]
    axes.legend(handles=legend, loc="lower right", fontsize=8)
    mean = summarise(records).mean
    axes.set_title(
        "Proof time" if mean is None else f"Proof time: {mean:.1f} times faster (geometric mean)"
    )
    # No date inside: the same figures give the same file.
    figure.savefig(path, dpi=130, metadata={"Software": None})
    return path
