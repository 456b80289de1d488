"""Scratch folders of builds, also of builds that were killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from gateless_proofs.scratch import scratch_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from gateless_proofs.scratch import scratch_folder

with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "circuit").write_bytes(b"large")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_ends_with_its_build(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "new" / "bundle") as folder:
        assert folder.parent == tmp_path / "new"
        (folder / "file").write_text("x")
    assert list((tmp_path / "new").iterdir()) == []


def test_what_a_killed_build_left_goes_with_the_next_of_the_same_target(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert (left / "circuit").is_file()
    with scratch_folder(tmp_path / "other"):
        assert left.is_dir()
    with scratch_folder(target) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_builds_of_one_target_leave_each_other_alone(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    with scratch_folder(target) as first:
        with scratch_folder(target) as second:
            assert first.is_dir()
            assert first != second
        assert first.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.symlink(elsewhere, tmp_path / ".bundle-link")
    with scratch_folder(tmp_path / "bundle"):
        assert elsewhere.is_dir()
