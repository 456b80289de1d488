"""``gateless config``: what a command would run with, and where each value comes from."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.core import TyperGroup

from gateless.cli.command import command
from gateless.cli.context import Cli
from gateless.cli.file_defaults import file_defaults, option_names
from gateless.cli.output import table
from gateless.cli.settings import CONFIG_FILE, SECTIONS, Setting
from gateless.core.errors import ConfigError
from gateless.core.urls import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The user's part of a URL that has a password.
_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):[^/\s]*@")
#: Endpoints, whose paths, queries and user names may be keys.
_ENDPOINT = re.compile(r"\b(?:https?|wss?)://[^\s,]+")

app = typer.Typer(help="Look at the settings.", no_args_is_help=True)


@command(app, "show", example="gateless config show executor --port 8700", passes_options=True)
async def _show(
    cli: Cli,
    section: Annotated[
        str | None,
        typer.Argument(
            metavar=f"[{'|'.join(SECTIONS)}]", help="A program that runs for long, for its options."
        ),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[OPTIONS FOR IT]...", help="As they would be given to it."),
    ] = None,
) -> None:
    """Show every setting with its value and its origin: flag, environment, file or default.

    Passwords, and what may be a provider's key in an endpoint's URL, are left out.
    """
    found = dict(cli.settings.origins)
    if section is not None:
        found = section_settings(section, options or (), cli)
    settings = {name: Setting(_spelled(entry.value), entry.origin) for name, entry in found.items()}
    rows = [(name, entry.value or "(not set)", entry.origin) for name, entry in settings.items()]
    cli.output.result(
        {
            "file": str(cli.home / CONFIG_FILE),
            "settings": {name: asdict(entry) for name, entry in settings.items()},
        },
        table("setting", "value", "from", rows=rows),
    )
    if section is None:
        cli.output.note(f"more: gateless config show {{{','.join(SECTIONS)}}}")


def section_settings(section: str, options: Sequence[str], cli: Cli) -> dict[str, Setting]:
    """The options of a program that runs for long, as it would take them now.

    Raises:
        ConfigError: ``unknown-section``, ``invalid-config``.
    """
    from gateless.cli.main import app as whole

    if section not in SECTIONS:
        raise ConfigError(
            "unknown-section",
            f"there are no settings of {section!r}",
            hint=f"choose one of {', '.join(SECTIONS)}",
        )
    root = cast(TyperGroup, typer.main.get_command(whole))
    group_name, name = SECTIONS[section]
    group = cast(TyperGroup, root.commands[group_name])
    defaults = file_defaults(root, ("--home", str(cli.home)), cli.environ)
    top = root.make_context("gateless", [], default_map=defaults, resilient_parsing=True)
    middle = group.make_context(group_name, [], parent=top, resilient_parsing=True)
    context = group.commands[name].make_context(name, list(options), parent=middle)
    file = str(cli.home / CONFIG_FILE)
    own = option_names(root, section)
    found = {}
    for param in group.commands[name].params:
        if param.name in own:
            source = context.get_parameter_source(str(param.name))
            origin = {
                "COMMANDLINE": param.opts[-1],
                "ENVIRONMENT": f"{context.auto_envvar_prefix}_{str(param.name).upper()}",
                "DEFAULT_MAP": file,
            }.get("" if source is None else source.name, "default")
            found[str(param.name)] = Setting(_spelled(context.params[str(param.name)]), origin)
    return found


def _spelled(value: Any) -> str | None:
    if value is None or value in ((), []):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(_discreet(str(entry)) for entry in value)
    return _discreet(str(value))


def _discreet(text: str) -> str:
    """Without what may be a credential in a URL."""
    return _PASSWORD.sub(r"\1:***@", _ENDPOINT.sub(lambda found: shown(found[0]), text))
