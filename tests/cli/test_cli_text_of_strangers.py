"""Text that strangers wrote reaches the terminal as text."""

from __future__ import annotations

import pytest
from gateless.cli.output import Output, facts, table
from gateless.core.errors import InputError

#: A title set, the screen cleared, a C1 control, direction turned, a line overwritten.
HOSTILE = "good\x1b]0;title\x07\x1b[2J\x9b31m\u202elive\rgone"


def test_no_control_character_of_others_reaches_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = Output(json_output=False)
    output.result({}, facts([("name", HOSTILE)]), table("name", rows=[[HOSTILE]]))
    output.note(HOSTILE)
    output.warn(HOSTILE)
    output.error(InputError(HOSTILE, HOSTILE, hint=HOSTILE))
    told = "".join(capsys.readouterr())
    assert told.count("good") == 7
    assert set(told) & set("\x1b\x07\x9b\u202e\r") == set()
