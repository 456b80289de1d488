"""``gateless indexer`` and ``gateless model search`` over a served index."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from cli_fixtures import Shell
from gateless.devnet import Devnet
from gateless.indexer import Indexer, IndexerConfig, open_indexer
from market_fixtures import PRICE, MakeServed


@pytest_asyncio.fixture
async def indexer(devnet: Devnet, tmp_path: Path) -> AsyncIterator[Indexer]:
    """An indexer that reads the chain when it is told to."""
    config = IndexerConfig(tmp_path / "index", tmp_path / "content", serve_port=0)
    async with open_indexer(config, deployment=devnet.deployment) as made:
        yield made


async def test_search_and_status(shell: Shell, make_served: MakeServed, indexer: Indexer) -> None:
    await make_served("found-tiny")
    await indexer.catch_up()
    index = indexer.serving_at
    shown = await shell("model", "search", "found ti", "--mode", "zk", "--indexer", index)
    assert "found-tiny@0" in shown.stdout and "0.25 tUSD" in shown.stdout
    found = (await shell("--json", "model", "search", "found-tiny", "--indexer", index)).data
    assert found["items"][0]["name"] == "found-tiny"
    assert found["items"][0]["price"] == str(PRICE)
    dear = await shell("model", "search", "found-tiny", "--max-price", "0.10", "--indexer", index)
    assert "nothing found" in dear.stdout
    status = (await shell("--json", "indexer", "status", "--indexer", index)).data
    assert status["blocks_behind"] == 0 and status["counts"]["models"] >= 1


async def test_what_an_indexer_refuses_is_told(shell: Shell, indexer: Indexer) -> None:
    index = indexer.serving_at
    wrong = await shell("model", "search", "--sort", "colour", "--indexer", index, code=2)
    assert wrong.stderr.startswith("error[index-refused]: sort")
    nobody = await shell("model", "search", "x", "--indexer", "http://127.0.0.1:9", code=6)
    assert nobody.stderr.startswith("error[indexer-unreachable]")
    assert "gateless indexer run" in nobody.stderr
    odd = await shell("indexer", "status", "--indexer", "ftp://x", code=2)
    assert odd.stderr.startswith("error[invalid-url]")


async def test_rebuild(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    done = (await shell("--json", "indexer", "rebuild", "--database", path)).data
    assert done == {"database": str(path), "indexed": None}
