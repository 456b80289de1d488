"""Pairs and tables: every word stays whole, whatever the terminal's width."""

from __future__ import annotations

import io

import pytest
from gateless.cli.layout import Facts, Records
from gateless.cli.output import Output, PlainConsole
from rich.console import RenderableType
from rich.text import Text

_ID = "0x" + "5f" * 32


def shown(renderable: RenderableType, width: int) -> list[str]:
    """The lines that a terminal of that width gets."""
    file = io.StringIO()
    PlainConsole(file=file, highlight=False, soft_wrap=True, width=width).print(renderable)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_values_stand_beside_their_names() -> None:
    rows = [("request", _ID), ("state", "final")]
    assert shown(Facts(rows), 80) == [f"request  {_ID}", "state    final"]


def test_text_is_wrapped_between_words_and_indented() -> None:
    lines = shown(Facts([("state", "answered; final unless somebody doubts it in time")]), 30)
    assert lines == ["state  answered; final unless", "       somebody doubts it in", "       time"]


def test_a_value_that_does_not_fit_beside_its_name_has_lines_of_its_own() -> None:
    rows = [("can be doubted until", _ID), ("state", "final")]
    assert shown(Facts(rows), 80) == [
        "can be doubted until",
        f"  {_ID}",
        "state                 final",
    ]


def test_a_value_longer_than_the_terminal_is_left_to_it() -> None:
    assert shown(Facts([("key", _ID)]), 40) == ["key", _ID]


def test_an_empty_value_keeps_its_name() -> None:
    assert shown(Facts([("key", ""), ("other", "1")]), 40) == ["key", "other  1"]


def test_columns_share_the_room_without_breaking_a_word() -> None:
    modes = "quorum,attested"
    about = "image classification of handwritten digits"
    lines = shown(Records(["modes", "price", "about"], [[modes, "0.10 tUSD", about]]), 40)
    assert lines[0].split() == ["modes", "price", "about"]
    words = " ".join(lines[1:]).split()
    assert modes in words
    assert set(about.split()) <= set(words)
    assert max(map(len, lines)) <= 40


@pytest.mark.parametrize("width", [78, 20])
def test_rows_that_do_not_fit_are_shown_one_under_the_other(width: int) -> None:
    table = Records(["request", "state", "fee"], [[_ID, "final", "1.00"], [_ID, "open", "0.50"]])
    lines = shown(table, width)
    assert sum(_ID in line for line in lines) == 2
    assert sum(line.split() == ["fee", "0.50"] for line in lines) == 1
    assert "" in lines


def test_numbers_stand_on_the_right() -> None:
    lines = shown(Records(["id", "gas"], [["a", "1"], ["b", "1,000"]], right=["gas"]), 80)
    assert lines == ["id    gas", "a       1", "b   1,000"]


def test_a_live_view_wraps_its_text() -> None:
    """What is drawn on the whole terminal is cut at its edge: no line may be left to it."""
    console = Output(json_output=False).result_console
    console.width = 40
    with console.capture() as captured:
        console.print(Text("hint: " + "allocate more " * 5))
    lines = captured.get().splitlines()
    assert len(lines) > 1 and max(map(len, lines)) <= 40
