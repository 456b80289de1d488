"""The indexer over a real chain: what happens there is found here, also when it never happened."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from gateless.devnet import Devnet
from gateless.indexer import Indexer, IndexerConfig, open_indexer
from market_fixtures import PRICE, ROW, MakeAccount, MakeServed
from patience import eventually


@asynccontextmanager
async def indexing(devnet: Devnet, folder: Path, content: Path) -> AsyncIterator[Indexer]:
    """A running indexer with an API on a free port."""
    config = IndexerConfig(
        data_dir=folder / "index", content_dir=content, serve_port=0, poll_seconds=0.1
    )
    async with open_indexer(config, deployment=devnet.deployment) as indexer:
        running = asyncio.create_task(indexer.run())
        try:
            yield indexer
        finally:
            indexer.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def test_a_request_is_found_and_forgotten_with_its_branch(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    tmp_path: Path,
) -> None:
    served = await make_served("indexed-tiny")
    user = await make_account()
    async with (
        indexing(isolated_devnet, tmp_path, served.builder.home / "content") as indexer,
        httpx.AsyncClient(base_url=indexer.serving_at, timeout=30) as client,
    ):

        async def get(path: str) -> dict[str, Any]:
            response = await client.get(path, headers={"cache-control": "no-cache"})
            found: dict[str, Any] = response.json()
            return found

        async def listed() -> bool:
            found = await get("/v1/search?q=indexed&status=served")
            items = found.get("items", [])
            return bool(items) and items[0]["executors"] == 1

        await eventually("the model is listed", listed)
        found = (await get("/v1/search?q=indexed%20tin"))["items"][0]
        assert (found["name"], found["price"]) == ("indexed-tiny", str(PRICE))
        assert "ZK" in found["modes"]

        async def described() -> bool:
            told = await get(f"/v1/versions/{found['version_id']}")
            return bool(told["version"]["manifest"]["state"] == "here")

        await eventually("the manifest was read", described)
        told = (await get(f"/v1/versions/{found['version_id']}"))["version"]
        assert told["manifest"]["inputs"][0]["name"] == "x"
        assert told["publisher"] == served.builder.address

        before = await isolated_devnet.control.snapshot()
        await user.client.services.store.put(served.bundle.root / "manifest.json")
        asked = await user.client.submit("indexed-tiny", ROW)
        await served.answer(asked.request_id)
        path = f"/v1/requests/0x{asked.request_id:064x}"

        async def paid() -> bool:
            return bool((await get(path)).get("request", {}).get("state") == "final")

        await eventually("the request is final", paid)
        request = (await get(path))["request"]
        assert request["executor"] == served.executor.address
        assert int(request["fee"]) + int(request["royalty"]) == int(request["price"])
        chain = await user.client.request(asked.request_id)
        assert request["output_digest"] == f"0x{chain.output_digest.hex()}"
        record = (await get(f"/v1/executors/{served.executor.address}"))["executor"]["record"]
        assert record["fulfilled"] == 1
        earned = (await get(f"/v1/earnings/{served.executor.address}"))["earnings"]
        assert earned["fees"] == request["fee"]

        await isolated_devnet.control.revert(before)
        await isolated_devnet.control.mine(3)

        async def forgotten() -> bool:
            return (await client.get(path)).status_code == 404

        await eventually("the request was never made", forgotten)
        assert (await get(f"/v1/executors/{served.executor.address}"))["executor"]["record"][
            "fulfilled"
        ] == 0
        assert (await get("/v1/search?q=indexed"))["items"]

        async def ready() -> bool:
            return (await client.get("/ready")).status_code == 200

        await eventually("it is up with the chain", ready)
        status = await get("/v1/status")
        assert status["problem"] is None and status["blocks_behind"] == 0
