"""Options that the configuration file gives to the commands that run for long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from typer.core import TyperGroup

from gateless.cli.settings import CONFIG_FILE, SECTIONS, home_of, read_config, section_defaults
from gateless.core.errors import ConfigError


def file_defaults(
    root: TyperGroup, arguments: Sequence[str], environ: Mapping[str, str]
) -> dict[str, Any]:
    """The file's tables, checked against the commands that they are for.

    Args:
        root: the whole command.
        arguments: of this run: ``--home`` says where the file is, wherever it stands.
        environ: environment variables.

    Raises:
        ConfigError: ``invalid-config``.
    """
    home = home_of(_home_flag(arguments), environ)
    config = read_config(home)
    for section in SECTIONS.keys() & config.keys():
        known = option_names(root, section)
        for key in config[section]:
            if key.replace("-", "_") not in known:
                raise ConfigError(
                    "invalid-config",
                    f"{home / CONFIG_FILE}: [{section}] has no setting {key!r}",
                    hint=f"gateless config show {section} lists them",
                )
    return section_defaults(config)


def option_names(root: TyperGroup, section: str) -> set[str]:
    """The options of a section's command, but for those that all commands take."""
    group_name, name = SECTIONS[section]
    group = cast(TyperGroup, root.commands[group_name])
    shared = {param.name for param in root.params} | {"help"}
    return {str(param.name) for param in group.commands[name].params} - shared


def _home_flag(arguments: Sequence[str]) -> Path | None:
    """The last ``--home`` of a command line that is not parsed yet."""
    found = None
    for index, argument in enumerate(arguments):
        if argument == "--home" and index + 1 < len(arguments):
            found = Path(arguments[index + 1])
        elif argument.startswith("--home="):
            found = Path(argument.removeprefix("--home="))
    return found
