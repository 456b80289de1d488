"""Every help page: renders at 80 columns, says what it does and shows an example."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from cli_fixtures import Shell
from gateless.cli.main import EPILOG, app
from gateless.core import errors

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def _tree(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from _tree(child, (*path, name))


ALL = dict(_tree(typer.main.get_command(app)))
COMMANDS = {path: command for path, command in ALL.items() if not hasattr(command, "commands")}


def test_the_commands() -> None:
    assert {" ".join(path) for path in COMMANDS} == {
        "infer",
        *(f"model {name}" for name in ("publish", "list", "show", "audit", "alias", "deprecate")),
        "model build",
        "model withdraw",
        "config show",
        *(f"request {name}" for name in ("sign", "show", "list", "wait", "cancel", "refund")),
        *(f"receipt {name}" for name in ("ask", "check", "challenge", "claim", "slash")),
        "receipt cancel",
        "request hand",
        *(f"receipt {name}" for name in ("withdraw", "back", "release", "report")),
        *(f"lazy {name}" for name in ("result", "challenge", "draw", "prove", "slash")),
        *(
            f"lazy {name}"
            for name in ("finalize", "keep", "refund", "cancel", "deposit", "withdraw")
        ),
        *(f"lazy {name}" for name in ("back", "unback")),
        *(f"quorum {name}" for name in ("advance", "leave", "withdraw")),
        *(f"attest {name}" for name in ("policy", "sign", "answer", "refund")),
        *(f"result {name}" for name in ("show", "latest", "publish")),
        *(f"indexer {name}" for name in ("run", "status", "rebuild")),
        "model search",
        *(f"watchtower {name}" for name in ("run", "status", "earnings", "hand")),
        *(f"watchtower {name}" for name in ("backup", "restore")),
        *(f"wallet {name}" for name in ("create", "import", "list", "show", "balance")),
        "wallet deposit",
        "wallet withdraw",
        *(f"executor {name}" for name in ("stake", "key", "run", "status", "leave", "unstake")),
        *(f"executor {name}" for name in ("withdraw", "backup", "restore", "resume")),
        *(f"devnet {name}" for name in ("up", "status", "fund", "advance")),
        *(f"store {name}" for name in ("serve", "put")),
    }


@pytest.mark.parametrize("path", list(ALL), ids=" ".join)
async def test_help(bare_shell: Shell, path: tuple[str, ...]) -> None:
    page = _ANSI.sub("", (await bare_shell(*path, "--help")).stdout)
    assert max(len(line.rstrip()) for line in page.splitlines()) <= 80
    text = " ".join(page.split())
    assert "Usage: gateless" in text
    if path in COMMANDS:
        assert f"Example: gateless {' '.join(path)}" in text
        assert "Global options" in text
        assert "--json" in text
        for parameter in COMMANDS[path].params:
            assert parameter.help, (path, parameter.name)


@pytest.mark.parametrize("group", [(), ("model",), ("executor",)], ids=" ".join)
async def test_a_group_without_a_command_shows_its_help_and_no_error(
    bare_shell: Shell, group: tuple[str, ...]
) -> None:
    answer = await bare_shell(*group, code=2)
    assert "Commands" in answer.stdout
    assert answer.stderr == ""


def test_documented_exit_codes_are_those_of_the_errors() -> None:
    (paragraph,) = (part for part in EPILOG.split("\n\n") if "Exit codes" in part)
    documented = {
        int(number) for number in re.findall(r"(?:: |, )(\d+) ", " ".join(paragraph.split()))
    }
    used = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.GatelessError)
    }
    assert documented == (used - {errors.GatelessError.exit_code}) | {0, 70, 130}


def test_no_key_or_password_is_ever_an_argument() -> None:
    for path, command in COMMANDS.items():
        for parameter in command.params:
            name = str(parameter.name)
            if any(word in name for word in ("password", "secret", "private", "key")):
                assert name.endswith("file") or name == "keystore", (path, name)
    taken = {str(parameter.name) for parameter in COMMANDS["wallet", "import"].params}
    assert {"key_file", "keystore", "name"} <= taken


async def test_version(bare_shell: Shell) -> None:
    from gateless import __version__

    assert (await bare_shell("--version")).stdout.strip() == __version__
