"""Several RPC endpoints: by flag, environment and file."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_fixtures import Shell
from gateless.cli.settings import Flags, joined, resolve_settings
from gateless.devnet import Devnet

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("http://a", ("http://a",)),
        (" http://a, http://b ,", ("http://a", "http://b")),
        ("", ()),
    ],
)
def test_commas_between_endpoints(cli_home: Path, text: str, urls: tuple[str, ...]) -> None:
    found = resolve_settings(Flags(home=cli_home), {"GATELESS_RPC_URL": text})
    assert found.rpc_urls == urls


def test_flags_keep_their_order(cli_home: Path) -> None:
    flags = Flags(home=cli_home, rpc_url=joined(["http://b", "http://a"]))
    assert resolve_settings(flags, {}).rpc_urls == ("http://b", "http://a")
    assert joined(None) is None
    assert joined([]) is None


async def test_the_second_endpoint_answers_where_the_first_is_away(
    shell: Shell, devnet: Devnet
) -> None:
    node = devnet.deployment.rpc_url
    flags = ("--rpc-url", NOWHERE, "--rpc-url", node)
    assert (await shell("--json", *flags, "model", "list")).data is not None
    assert (await shell("model", "list", "--json", *flags)).data is not None
    # A command's output is its answer, whatever endpoints do.
    by_environment = await shell("--json", "model", "list", GATELESS_RPC_URL=f"{NOWHERE},{node}")
    assert by_environment.data is not None
    assert by_environment.stderr == ""
    refused = await shell("--json", "model", "list", "--rpc-url", NOWHERE, code=7)
    assert refused.error["code"] == "rpc-unreachable"
