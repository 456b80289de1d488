"""Settings of a run: flag, then environment, then ``<home>/config.toml``, then default.

The home directory itself comes from ``--home``, ``GATELESS_HOME`` or ``~/.gateless``; the config
file lives in it, so it cannot name another one. Its tables hold the options of the commands that
run for long: ``[executor]`` those of ``gateless executor run``, and so on.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateless.core.errors import ConfigError

CONFIG_FILE = "config.toml"
DEFAULT_NETWORK = "devnet"
_KEYS = ("network", "rpc_url", "wallet", "password_file")
#: Tables of the file, and the commands whose options they hold.
SECTIONS = {
    "executor": ("executor", "run"),
    "watchtower": ("watchtower", "run"),
    "indexer": ("indexer", "run"),
}
#: Commands that are run once for a program that runs for long, and the options that they share
#: with it: they act for the same account.
SHARING = {"executor": ("stake", "unstake", "leave", "withdraw", "key")}
SHARED = ("signer_url", "signer_address")


@dataclass(frozen=True, slots=True)
class Flags:
    """Global options as given on the command line; ``None`` where not given."""

    network: str | None = None
    home: Path | None = None
    rpc_url: str | None = None
    wallet: str | None = None
    password_file: Path | None = None
    json_output: bool | None = None

    def over(self, outer: Flags) -> Flags:
        """These flags, completed by those given before the command's name."""
        return Flags(
            network=self.network if self.network is not None else outer.network,
            home=self.home if self.home is not None else outer.home,
            rpc_url=self.rpc_url if self.rpc_url is not None else outer.rpc_url,
            wallet=self.wallet if self.wallet is not None else outer.wallet,
            password_file=(
                self.password_file if self.password_file is not None else outer.password_file
            ),
            json_output=self.json_output if self.json_output is not None else outer.json_output,
        )


def joined(urls: Sequence[str] | None) -> str | None:
    """RPC endpoints as one setting: with commas between, as in the environment."""
    return ",".join(urls) if urls else None


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command runs with; ``origins`` tells where each setting comes from.

    ``rpc_url`` may hold several endpoints with commas between: see :attr:`rpc_urls`.
    """

    home: Path
    network: str
    rpc_url: str | None
    wallet: str | None
    password_file: Path | None
    json_output: bool
    origins: Mapping[str, Setting] = field(default_factory=dict, compare=False)

    @property
    def rpc_urls(self) -> tuple[str, ...]:
        """RPC endpoints to use instead of the network's; none where its own are to be used."""
        return tuple(url.strip() for url in (self.rpc_url or "").split(",") if url.strip())


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its value, and where it comes from."""

    value: str | None
    origin: str


def home_of(flag: Path | None, environ: Mapping[str, str]) -> Path:
    """Where everything is kept."""
    return (flag or Path(environ.get("GATELESS_HOME") or Path.home() / ".gateless")).expanduser()


def resolve_settings(flags: Flags, environ: Mapping[str, str]) -> Settings:
    """Applies the precedence.

    Raises:
        ConfigError: ``invalid-config`` for a config file that cannot be read or has unknown keys.
    """
    found = explain_settings(flags, environ)
    home, password_file = found["home"].value, found["password_file"].value
    return Settings(
        home=Path(home or ""),
        network=found["network"].value or DEFAULT_NETWORK,
        rpc_url=found["rpc_url"].value,
        wallet=found["wallet"].value,
        password_file=Path(password_file).expanduser() if password_file else None,
        json_output=found["json"].value == "true",
        origins=found,
    )


def explain_settings(flags: Flags, environ: Mapping[str, str]) -> dict[str, Setting]:
    """The global settings by name, each with its origin.

    Raises:
        ConfigError: ``invalid-config``.
    """
    home = home_of(flags.home, environ)
    config = read_config(home)
    file = home / CONFIG_FILE
    found = {"home": _home_setting(flags.home, environ, home)}
    for key, default in zip(_KEYS, (DEFAULT_NETWORK, None, None, None), strict=True):
        variable = f"GATELESS_{key.upper()}"
        flag = getattr(flags, key)
        if flag:
            found[key] = Setting(str(flag), f"--{key.replace('_', '-')}")
        elif environ.get(variable):
            found[key] = Setting(environ[variable], variable)
        elif key in config:
            found[key] = Setting(config[key], str(file))
        else:
            found[key] = Setting(default, "default")
    wanted = environ.get("GATELESS_JSON", "")
    if flags.json_output is not None:
        found["json"] = Setting(str(flags.json_output).lower(), "--json")
    elif wanted:
        is_on = wanted.lower() in {"1", "true", "yes"}
        found["json"] = Setting(str(is_on).lower(), "GATELESS_JSON")
    else:
        found["json"] = Setting("false", "default")
    return found


def _home_setting(flag: Path | None, environ: Mapping[str, str], home: Path) -> Setting:
    if flag:
        return Setting(str(home), "--home")
    return Setting(str(home), "GATELESS_HOME" if environ.get("GATELESS_HOME") else "default")


def section_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """The file's tables as commands take them: by the path of the command's name."""
    defaults: dict[str, Any] = {}
    for name, (group, command) in SECTIONS.items():
        if name in config:
            options = {key.replace("-", "_"): value for key, value in config[name].items()}
            defaults.setdefault(group, {})[command] = options
            shared = {key: options[key] for key in SHARED if key in options}
            for other in SHARING.get(name, ()):
                defaults[group][other] = shared
    return defaults


def read_config(home: Path) -> dict[str, Any]:
    """The file's contents; empty where there is none.

    Raises:
        ConfigError: ``invalid-config``.
    """
    path = home / CONFIG_FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(
            "invalid-config", f"{path} cannot be read: {error}", hint="correct or remove the file"
        ) from error
    for key, value in data.items():
        if key in SECTIONS and isinstance(value, dict):
            continue
        if key not in _KEYS or not isinstance(value, str):
            raise ConfigError(
                "invalid-config",
                f"{path}: {key!r} is not a setting with a text value",
                hint=f"settings: {', '.join(_KEYS)}; tables: {', '.join(SECTIONS)}",
            )
    return data
