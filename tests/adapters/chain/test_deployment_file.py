from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from gateless.adapters.chain.deployment import (
    Deployment,
    TokenInfo,
    list_networks,
    load_deployment,
    network_path,
    save_deployment,
)
from gateless.core.errors import ConfigError

A = "0x52908400098527886E0F7030069857D2E4169EE7"
DEPLOYMENT = Deployment(
    name="devnet",
    chain_id=31337,
    rpc_url="http://127.0.0.1:8545",
    token=TokenInfo(A, "tUSD", 6),
    contracts=dict.fromkeys(
        ("ModelRegistry", "ZkVerifier", "ExecutorStaking", "InferenceMarket"), A
    ),
    start_block=3,
    srs="development",
)


def test_saved_file_loads_by_name_and_by_path(tmp_path: Path) -> None:
    path = save_deployment(DEPLOYMENT, tmp_path)
    assert path == network_path("devnet", tmp_path)
    assert load_deployment("devnet", tmp_path) == DEPLOYMENT
    assert load_deployment(path, tmp_path / "elsewhere") == DEPLOYMENT
    assert load_deployment(str(path), tmp_path / "elsewhere") == DEPLOYMENT
    assert list_networks(tmp_path) == ["devnet"]
    assert [entry.name for entry in path.parent.iterdir()] == ["devnet.json"]


def test_further_endpoints_are_kept_in_order(tmp_path: Path) -> None:
    urls = ("http://127.0.0.1:8545", "https://b.example/v2/key", "https://a.example")
    several = DEPLOYMENT.reached_by(urls)
    assert several.rpc_urls == urls
    save_deployment(several, tmp_path)
    assert load_deployment("devnet", tmp_path) == several
    assert several.reached_by([]) == several
    assert several.reached_by(urls[:1]) == DEPLOYMENT


def test_unknown_network_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as info:
        load_deployment("sepolia", tmp_path)
    assert info.value.code == "unknown-network"
    assert "gateless devnet" in info.value.hint
    save_deployment(DEPLOYMENT, tmp_path)
    with pytest.raises(ConfigError, match="sepolia") as info:
        load_deployment("sepolia", tmp_path)
    assert "known networks: devnet" in info.value.hint


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"chain_id": 0}, "chain_id"),
        ({"rpc_url": "ftp://example.org"}, "rpc_url"),
        ({"other_rpc_urls": ["http://a", "file:///etc/passwd"]}, "other_rpc_urls"),
        ({"name": "../devnet"}, "name"),
        ({"srs": "homemade"}, "srs"),
        ({"contracts": {"ModelRegistry": A.lower()}}, "EIP-55"),
        ({"contracts": {"ModelRegistry": A}}, "ZkVerifier"),
        ({"token": {"address": A, "symbol": "tUSD"}}, "decimals"),
        ({"start_block": -1}, "start_block"),
        ({"owner": A}, "owner"),
    ],
)
def test_damaged_files_name_the_field(tmp_path: Path, change: dict[str, Any], word: str) -> None:
    path = save_deployment(DEPLOYMENT, tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ConfigError, match=word) as info:
        load_deployment("devnet", tmp_path)
    assert info.value.code == "invalid-deployment"
    assert info.value.hint


def test_unreadable_and_unwritable_places(tmp_path: Path) -> None:
    (tmp_path / "networks").write_text("a file where the folder should be")
    with pytest.raises(ConfigError) as info:
        save_deployment(DEPLOYMENT, tmp_path)
    assert info.value.code == "deployment-unwritable"
    with pytest.raises(ConfigError) as info:
        load_deployment(tmp_path, tmp_path)
    assert info.value.code == "invalid-deployment"


def test_unknown_contract() -> None:
    with pytest.raises(ConfigError, match="DisputeCourt"):
        DEPLOYMENT.address("DisputeCourt")


def test_amounts_are_written_with_the_symbol() -> None:
    assert DEPLOYMENT.token.format(1_500_000) == "1.50 tUSD"


def test_token_without_decimals() -> None:
    token = TokenInfo(A, "POINT", 0)
    assert token.format(12) == "12 POINT"
