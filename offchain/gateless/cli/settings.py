"""Settings of a run: flag, then environment, then ``<home>/config.toml``, then default.

The home directory itself comes from ``--home``, ``GATELESS_HOME`` or ``~/.gateless``; the config
file lives in it, so it cannot name another one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateless.core.errors import ConfigError

CONFIG_FILE = "config.toml"
DEFAULT_NETWORK = "devnet"
_KEYS = ("network", "rpc_url", "wallet", "password_file")


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


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command runs with."""

    home: Path
    network: str
    rpc_url: str | None
    wallet: str | None
    password_file: Path | None
    json_output: bool


def resolve_settings(flags: Flags, environ: Mapping[str, str]) -> Settings:
    """Applies the precedence.

    Raises:
        ConfigError: ``invalid-config`` for a config file that cannot be read or has unknown keys.
    """
    home = flags.home or Path(environ.get("GATELESS_HOME") or Path.home() / ".gateless")
    home = home.expanduser()
    config = _read_config(home / CONFIG_FILE)

    def pick(flag: str | None, key: str) -> str | None:
        return flag or environ.get(f"GATELESS_{key.upper()}") or config.get(key)

    password_file = flags.password_file or pick(None, "password_file")
    json_output = flags.json_output
    if json_output is None:
        json_output = environ.get("GATELESS_JSON", "").lower() in {"1", "true", "yes"}
    return Settings(
        home=home,
        network=pick(flags.network, "network") or DEFAULT_NETWORK,
        rpc_url=pick(flags.rpc_url, "rpc_url"),
        wallet=pick(flags.wallet, "wallet"),
        password_file=Path(password_file).expanduser() if password_file else None,
        json_output=json_output,
    )


def _read_config(path: Path) -> dict[str, str]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(
            "invalid-config", f"{path} cannot be read: {error}", hint="correct or remove the file"
        ) from error
    for key, value in data.items():
        if key not in _KEYS or not isinstance(value, str):
            raise ConfigError(
                "invalid-config",
                f"{path}: {key!r} is not a setting with a text value",
                hint="settings: " + ", ".join(_KEYS),
            )
    return data
