"""Addresses and settings that are wrong are refused by name, before anything is asked of them."""

from __future__ import annotations

import pytest
from cli_fixtures import Shell
from gateless.cli.urls import http_url
from gateless.core.errors import InputError


@pytest.mark.parametrize(
    "url", ["ftp://host", "localhost:8545", "http://", "https://:80", "http://host:port", "", "x"]
)
def test_what_http_cannot_reach_is_refused(url: str) -> None:
    with pytest.raises(InputError) as refused:
        http_url(url, "--rpc-url")
    assert refused.value.code == "invalid-url" and "--rpc-url" in refused.value.message


def test_an_address_is_kept_as_it_is() -> None:
    assert http_url("https://node.example.org/key?x=1", "it") == "https://node.example.org/key?x=1"


def test_a_key_in_a_wrong_address_is_not_repeated() -> None:
    with pytest.raises(InputError) as refused:
        http_url("wss://me:secret@node.example.org/key", "--rpc-url")
    assert "secret" not in refused.value.message and "key" not in refused.value.message
    assert "wss://node.example.org" in refused.value.message


async def test_commands_refuse_them(shell: Shell) -> None:
    for words in (
        ("--rpc-url", "localhost:8545", "devnet", "status"),
        ("model", "search", "digits", "--indexer", "nowhere"),
    ):
        refused = await shell(*words, "--json", code=2)
        assert refused.error["code"] == "invalid-url", words


async def test_a_wrong_value_says_where_it_was_read(shell: Shell) -> None:
    given = await shell("executor", "run", "--port", "x", "--json", code=2)
    assert "was read from" not in given.error["hint"]
    variable = {"GATELESS_EXECUTOR_PORT": "x"}
    environment = await shell("executor", "run", "--json", code=2, **variable)
    assert "GATELESS_EXECUTOR_PORT" in environment.error["hint"]
    (shell.home / "config.toml").write_text('[executor]\nport = "x"\n')
    file = await shell("executor", "run", "--json", code=2)
    assert file.error["code"] == "usage" and "config.toml" in file.error["hint"]
