from __future__ import annotations

from pathlib import Path

import pytest
from gateless_proofs.planner.journal import FatalQuestionError, Journal, journal_name


def never() -> object:
    raise AssertionError("a finding that is known was looked for again")


def test_findings_outlive_the_process(tmp_path: Path) -> None:
    first = Journal(tmp_path / "plans" / "journal")
    assert first.once("settings", {"scale": 7}, lambda: {"rows": 3}) == {"rows": 3}
    again = Journal(tmp_path / "plans" / "journal")
    assert again.once("settings", {"scale": 7}, never) == {"rows": 3}
    assert again.find("settings", {"scale": 8}) is None
    assert again.find("accuracy", {"scale": 7}) is None


def test_a_line_that_was_cut_off_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    journal.keep("a", {}, 1)
    journal.keep("b", {}, {"long": "x" * 100})
    path.write_bytes(path.read_bytes()[:-40])
    again = Journal(path)
    assert again.find("a", {}) == 1
    assert again.find("b", {}) is None
    again.keep("c", {}, 3)
    assert Journal(path).find("c", {}) == 3


def test_a_question_that_killed_its_process_is_not_asked_again(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def die() -> object:
        raise Killed

    path = tmp_path / "journal"
    journal = Journal(path)

    def outer() -> object:
        journal.once("inner", {}, lambda: 1)
        return die()

    with pytest.raises(Killed):
        journal.once("outer", {}, outer)
    assert Journal(path).blame("killed by SIGABRT")
    later = Journal(path)
    with pytest.raises(FatalQuestionError, match="SIGABRT"):
        later.once("outer", {}, never)
    assert later.once("inner", {}, never) == 1
    assert not Journal(path).blame("again"), "there is nothing left to blame"


def test_name_depends_on_everything() -> None:
    subject = {"model": "m", "goal": "gas", "versions": {"ezkl": "23.0.5"}}
    names = {
        journal_name(subject | change)
        for change in ({}, {"model": "n"}, {"goal": "prover"}, {"versions": {"ezkl": "24"}})
    }
    assert len(names) == 4
