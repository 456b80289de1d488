"""What programs that run for long are told: by flag, environment, file; and which it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_fixtures import Shell


def _file(shell: Shell, text: str) -> str:
    shell.home.mkdir(exist_ok=True)
    path = shell.home / "config.toml"
    path.write_text(text)
    return str(path)


async def _settings(shell: Shell, *arguments: str, **environ: str) -> dict[str, Any]:
    outcome = await shell("config", "show", *arguments, "--json", **environ)
    settings = outcome.data["settings"]
    assert isinstance(settings, dict)
    return settings


async def test_each_setting_tells_where_it_comes_from(bare_shell: Shell) -> None:
    file = _file(bare_shell, '[executor]\nport = 1\nhost = "::1"\nmin-price = "0.5"\n')
    found = await _settings(
        bare_shell,
        "executor",
        "--port",
        "3",
        GATELESS_EXECUTOR_PORT="2",
        GATELESS_EXECUTOR_HOST="h",
    )
    assert found["port"] == {"value": "3", "origin": "--port"}
    assert found["host"] == {"value": "h", "origin": "GATELESS_EXECUTOR_HOST"}
    assert found["min_price"] == {"value": "0.5", "origin": file}
    assert found["time_limit"] == {"value": "900", "origin": "default"}
    assert found["max_collateral"] == {"value": None, "origin": "default"}
    assert not {"network", "home", "wallet"} & found.keys()


async def test_the_policy_is_shown_whole(bare_shell: Shell) -> None:
    requester = "0x" + "ab" * 20
    file = _file(
        bare_shell,
        f'[executor]\nmax_at_risk = "100"\ndeny_requester = ["{requester}"]\nproofs = false\n',
    )
    found = await _settings(
        bare_shell,
        "executor",
        *("--max-concurrent", "3", "--failures", "5", "--cores", "1", "--poll", "0.5"),
        *("--deny-version", "digits@0", "--deny-version", "lenet", "--deny-model", "odd"),
        GATELESS_EXECUTOR_ALLOW_REQUESTER=requester,
    )
    assert found["max_at_risk"] == {"value": "100", "origin": file}
    assert found["deny_requester"] == {"value": requester, "origin": file}
    assert found["proofs"] == {"value": "false", "origin": file}
    assert found["max_concurrent"] == {"value": "3", "origin": "--max-concurrent"}
    assert found["failures"] == {"value": "5", "origin": "--failures"}
    assert found["cores"] == {"value": "1", "origin": "--cores"}
    assert found["poll"] == {"value": "0.5", "origin": "--poll"}
    assert found["deny_version"] == {"value": "digits@0, lenet", "origin": "--deny-version"}
    assert found["deny_model"] == {"value": "odd", "origin": "--deny-model"}
    assert found["allow_requester"]["origin"] == "GATELESS_EXECUTOR_ALLOW_REQUESTER"
    assert found["time_factor"] == {"value": "2.0", "origin": "default"}


async def test_the_order_of_precedence(bare_shell: Shell) -> None:
    _file(bare_shell, '[watchtower]\nport = 1\nonly = ["digits", "lenet"]\n')
    variable = {"GATELESS_WATCHTOWER_PORT": "2"}
    values = [
        (await _settings(bare_shell, "watchtower", "--port", "3", **variable))["port"]["value"],
        (await _settings(bare_shell, "watchtower", **variable))["port"]["value"],
        (await _settings(bare_shell, "watchtower", GATELESS_WATCHTOWER_PORT=""))["port"]["value"],
    ]
    assert values == ["3", "2", "1"]
    assert (await _settings(bare_shell, "watchtower"))["only"]["value"] == "digits, lenet"


async def test_the_file_of_another_home(bare_shell: Shell, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.toml").write_text("[executor]\nport = 7\n")
    for flag in (["--home", str(other)], [f"--home={other}"]):
        found = await _settings(bare_shell, "executor", *flag)
        assert found["port"] == {"value": "7", "origin": str(other / "config.toml")}


async def test_the_global_settings(bare_shell: Shell) -> None:
    file = _file(bare_shell, 'network = "testnet"\nwallet = "alice"\n')
    found = await _settings(bare_shell, GATELESS_WALLET="bob")
    assert found["network"] == {"value": "testnet", "origin": file}
    assert found["wallet"] == {"value": "bob", "origin": "GATELESS_WALLET"}
    assert found["json"] == {"value": "true", "origin": "--json"}
    shown = await bare_shell("config", "show")
    assert "testnet" in shown.stdout
    assert "gateless config show {executor" in shown.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[executor]\nprot = 8700\n", "[executor] has no setting 'prot'"),
        ("[executor]\nnetwork = 'x'\n", "[executor] has no setting 'network'"),
        ("[executer]\nport = 1\n", "'executer' is not a setting"),
        ("executor = 1\n", "'executor' is not a setting"),
    ],
)
async def test_a_slip_in_the_file_is_named(bare_shell: Shell, text: str, told: str) -> None:
    _file(bare_shell, text)
    outcome = await bare_shell("config", "show", "executor", code=11)
    assert outcome.stderr.startswith("error[invalid-config]: ")
    assert told in outcome.stderr


async def test_values_of_the_file_are_checked_like_flags(bare_shell: Shell) -> None:
    _file(bare_shell, "[executor]\nport = 70000\n")
    outcome = await bare_shell("config", "show", "executor", code=2)
    assert outcome.stderr.startswith("error[usage]: ")
    assert "'--port'" in outcome.stderr


async def test_passwords_are_not_shown(bare_shell: Shell) -> None:
    _file(bare_shell, '[executor]\ndatabase = "postgresql://me:hun:ter2@db.example/journal"\n')
    found = await _settings(bare_shell, "executor")
    assert found["database"]["value"] == "postgresql://me:***@db.example/journal"
    assert "ter2" not in (await bare_shell("config", "show", "executor")).stdout


async def test_an_unknown_program(bare_shell: Shell) -> None:
    outcome = await bare_shell("config", "show", "miner", code=11)
    assert outcome.stderr.startswith("error[unknown-section]: ")


KEY = "s3cr3t-k3y"
ENDPOINTS = f"https://node.example/v3/{KEY},https://me:{KEY}@two.example,wss://x.example/?k={KEY}"


async def test_keys_of_endpoints_are_not_shown(bare_shell: Shell) -> None:
    told = "https://node.example/…,https://two.example,wss://x.example/…"
    _file(bare_shell, f'[executor]\nrelay_url = "https://relay.example/{KEY}"\n')
    whole = await _settings(bare_shell, GATELESS_RPC_URL=ENDPOINTS)
    assert whole["rpc_url"] == {"value": told, "origin": "GATELESS_RPC_URL"}
    found = await _settings(bare_shell, "executor", "--signer-url", f"http://s.example:9/{KEY}")
    assert found["relay_url"]["value"] == "https://relay.example/…"
    assert found["signer_url"]["value"] == "http://s.example:9/…"
    for section in ([], ["executor"]):
        shown = await bare_shell("config", "show", *section, GATELESS_RPC_URL=ENDPOINTS)
        assert KEY not in shown.stdout + shown.stderr
