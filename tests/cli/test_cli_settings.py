"""Where settings come from: flag, environment, config file, default."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_fixtures import Shell
from gateless.cli.settings import Flags, Settings, resolve_settings
from gateless.core.errors import ConfigError


def _config(home: Path, text: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(text)


def test_defaults(cli_home: Path) -> None:
    assert resolve_settings(Flags(home=cli_home), {}) == Settings(
        home=cli_home,
        network="devnet",
        rpc_url=None,
        wallet=None,
        password_file=None,
        json_output=False,
    )
    assert resolve_settings(Flags(), {}).home == Path.home() / ".gateless"
    assert resolve_settings(Flags(), {"GATELESS_HOME": "/srv/g"}).home == Path("/srv/g")


@pytest.mark.parametrize("key", ["network", "rpc_url", "wallet", "password_file"])
def test_precedence(cli_home: Path, key: str) -> None:
    def value(flags: Flags, environ: dict[str, str]) -> str:
        return str(getattr(resolve_settings(flags, environ), key))

    _config(cli_home, f'{key} = "from-file"')
    flag = Path("from-flag") if key == "password_file" else "from-flag"
    flags = Flags(home=cli_home, **{key: flag})  # type: ignore[arg-type]
    environ = {f"GATELESS_{key.upper()}": "from-environment"}
    assert value(flags, environ) == "from-flag"
    assert value(Flags(home=cli_home), environ) == "from-environment"
    assert value(Flags(home=cli_home), {}) == "from-file"
    # An empty variable is as good as none.
    assert value(Flags(home=cli_home), {f"GATELESS_{key.upper()}": ""}) == "from-file"


def test_json_output(cli_home: Path) -> None:
    def json_output(flag: bool | None, variable: str) -> bool:
        flags = Flags(home=cli_home, json_output=flag)
        return resolve_settings(flags, {"GATELESS_JSON": variable}).json_output

    assert json_output(None, "1") and json_output(None, "true") and json_output(True, "")
    assert not json_output(None, "0") and not json_output(False, "1")


def test_flags_after_the_command_win() -> None:
    outer = Flags(network="outer", wallet="alice")
    assert Flags(network="inner").over(outer) == Flags(network="inner", wallet="alice")


@pytest.mark.parametrize("text", ["network = ", 'nework = "x"', "network = 3", "\xff\xfe"])
def test_a_config_file_that_cannot_be_meant(cli_home: Path, text: str) -> None:
    cli_home.mkdir()
    (cli_home / "config.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        resolve_settings(Flags(home=cli_home), {})
    assert caught.value.code == "invalid-config"


async def test_both_places_of_global_options(shell: Shell) -> None:
    for arguments in (("--json", "wallet", "list"), ("wallet", "list", "--json")):
        assert (await shell(*arguments)).data == []
    outcome = await shell("--network", "outer", "devnet", "status", "--network", "inner", code=11)
    assert "inner.json" in outcome.stderr
    assert (await shell("wallet", "list", GATELESS_JSON="1")).data == []
    assert "no wallets" in (await shell("wallet", "list", "--no-json", GATELESS_JSON="1")).stdout


async def test_a_newcomer_is_told_where_to_start(bare_shell: Shell) -> None:
    outcome = await bare_shell("model", "list", code=11)
    assert outcome.stderr.startswith("error[unknown-network]: ")
    assert "hint: start one: gateless devnet up" in outcome.stderr
    assert outcome.stdout == ""
    assert not bare_shell.home.exists()  # looking at nothing writes nothing


async def test_usage_errors_look_like_all_others(bare_shell: Shell) -> None:
    outcome = await bare_shell("model", "show", code=2)
    assert outcome.stderr.startswith("error[usage]: Missing argument")
    assert "hint: see gateless model show --help" in outcome.stderr
    wrong = await bare_shell("--json", "model", "shwo", code=2)
    assert wrong.error["code"] == "usage"
    assert (await bare_shell("request", "show", "x", code=2)).stderr.startswith("error[usage]")
