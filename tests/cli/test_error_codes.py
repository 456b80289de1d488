"""docs/errors.md lists exactly the codes of the source, under the right exit codes; hints can be
pasted: every command that the source, the README and the docs name exists."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from gateless.adapters.chain.explanations import NOT_FOUND_ERRORS
from gateless.cli.main import app
from gateless.core import errors

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for folder in ("offchain/gateless", "proofs/gateless_proofs")
    for path in (ROOT / folder).rglob("*.py")
)
CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.GatelessError)
}
#: defects beside the class's own exit code
INTERNAL_ERROR = "internal-error"


def _calls() -> Iterator[tuple[str, ast.expr, str]]:
    """Class name, first argument and place of every error that is made."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in CLASSES:
                yield name, node.args[0], f"{path.relative_to(ROOT)}:{node.lineno}"
            elif name == "__init__" and isinstance(node.args[0], ast.Constant):
                value = node.args[0].value
                if isinstance(value, str):  # a subclass of ChainError that fixes its own code
                    yield "ChainError", node.args[0], str(path)


def _used() -> dict[int, set[str]]:
    """Codes by exit code."""
    found: dict[int, set[str]] = defaultdict(set)
    for name, argument, _ in _calls():
        if isinstance(argument, ast.Constant):
            found[CLASSES[name].exit_code].add(str(argument.value))
    found[errors.NotFoundError.exit_code] |= set(NOT_FOUND_ERRORS.values())
    return dict(found)


def _documented() -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        number = re.search(r"exit code (\d+)", heading)
        assert number, heading
        codes = re.findall(r"^\| `([a-z0-9-]+)` \| \S", body, flags=re.MULTILINE)
        assert codes == sorted(set(codes)), f"not in order, or twice: {heading}"
        found[int(number[1])] = set(codes)
    return found


def test_every_code_is_documented_under_its_exit_code() -> None:
    used, documented = _used(), _documented()
    assert len(used) > 8
    missing = {(number, code) for number, codes in used.items() for code in codes}
    extra = {(number, code) for number, codes in documented.items() for code in codes}
    assert missing - extra == set(), "add these to docs/errors.md"
    assert extra - missing == set(), "no error has these codes: take them out of docs/errors.md"


def test_codes_are_written_out_where_errors_are_made() -> None:
    # Others pass an error's own code on; anything else would escape the comparison above.
    computed = {
        (place.partition(":")[0], ast.unparse(argument))
        for _, argument, place in _calls()
        if not isinstance(argument, ast.Constant)
    }
    passed_on = ("offchain/gateless/cli/bundles.py", "proofs/gateless_proofs/calibration.py")
    assert computed <= {(place, "error.code") for place in passed_on}


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_codes_are_kebab_case(name: str) -> None:
    for kind, argument, place in _calls():
        if kind == name and isinstance(argument, ast.Constant):
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", str(argument.value)), place


def test_commands_in_hints_exist() -> None:
    root = typer.main.get_command(app)
    groups = {
        name: set(getattr(command, "commands", {}))
        for name, command in getattr(root, "commands", {}).items()
    }
    named: list[tuple[str, str, str]] = []
    for path in (*SOURCES, ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(r"\bgateless ([a-z]+)\b(?!``)(?: ([a-z]+))?", text):
            if match[1] in groups:
                named.append((match[1], match[2] or "", f"{path.relative_to(ROOT)}: {match[0]}"))
    assert len(named) > 30
    for group, name, where in named:
        assert not groups[group] or name in groups[group], where


def test_options_in_hints_exist() -> None:
    def options(command: object) -> set[str]:
        own = {text for parameter in command.params for text in getattr(parameter, "opts", ())}  # type: ignore[attr-defined]
        return own.union(*(options(child) for child in getattr(command, "commands", {}).values()))

    known = options(typer.main.get_command(app)) | {"--help"}
    assert "--price" in known
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "hint":
                named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ast.unparse(node.value)))
                assert named <= known, f"{path.relative_to(ROOT)}: {named - known}"
