"""What watchtowers and indexers tell those who watch over them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from gateless.devnet import Devnet
from gateless.indexer import IndexerConfig, open_indexer
from market_fixtures import MakeAccount
from patience import eventually
from prometheus_client.parser import text_string_to_metric_families
from watchtower_fixtures import watching

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def samples_of(http: httpx.AsyncClient) -> Samples:
    text = (await http.get("/metrics")).text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_watchtower_counts_what_its_status_says(
    devnet: Devnet, make_account: MakeAccount
) -> None:
    account = await make_account()
    async with (
        watching(devnet, account, serve_port=0) as watch,
        httpx.AsyncClient(base_url=watch.watchtower.serving_at, timeout=60) as http,
    ):

        async def ready() -> bool:
            answer = await http.get("/ready")
            assert (answer.status_code == 200) is answer.json()["ready"]
            return answer.status_code == 200

        await eventually("it is ready", ready)

        async def followed() -> bool:
            return (await http.get("/v1/status")).json()["cursor"] is not None

        await eventually("it has read the chain", followed)
        status, samples = (await http.get("/v1/status")).json(), await samples_of(http)
        phase = ("gateless_phase", frozenset({("phase", "running")}))
        assert samples[phase] == samples["gateless_ready", frozenset()] == 1
        at_risk = samples["gateless_watchtower_bonds_at_risk", frozenset()]
        assert at_risk == status["at_risk"] == 0
        endpoint = frozenset({("endpoint", status["rpc"][0]["name"])})
        assert samples["gateless_rpc_up", endpoint] == 1
        assert samples["gateless_rpc_requests_total", endpoint] > 0
        assert (await http.get("/health")).json() == {"status": "ok"}
        watch.watchtower.stop()
        await watch.task
        refused = await http.post("/v1/handovers", content=b"{}")
        assert (refused.status_code, refused.json()["code"]) == (503, "inbox-closed")
        assert int(refused.headers["retry-after"]) > 0
        told = (await http.get("/ready")).json()
        assert [entry["code"] for entry in told["reasons"]] == ["stopped"]


async def test_requests_to_it_have_names(devnet: Devnet, make_account: MakeAccount) -> None:
    account = await make_account()
    async with (
        watching(devnet, account, serve_port=0) as watch,
        httpx.AsyncClient(base_url=watch.watchtower.serving_at, timeout=60) as http,
    ):
        given = await http.get("/v1/cases/0x00", headers={"X-Request-ID": "mine-12345"})
        assert given.headers["x-request-id"] == given.json()["http_request_id"] == "mine-12345"
        odd = await http.get("/v1/cases/0x00", headers={"X-Request-ID": "a b\x1b[31m"})
        made = odd.headers["x-request-id"]
        assert made == odd.json()["http_request_id"] != "a b\x1b[31m"
        assert (await http.get("/v1/cases/0x00")).headers["x-request-id"] != made


async def test_an_indexer_counts_what_its_status_says(devnet: Devnet, tmp_path: Path) -> None:
    config = IndexerConfig(
        data_dir=tmp_path / "index", content_dir=tmp_path / "content", serve_port=0
    )
    async with open_indexer(config, deployment=devnet.deployment) as indexer:
        running = asyncio.create_task(indexer.run())
        try:
            async with httpx.AsyncClient(base_url=indexer.serving_at, timeout=60) as http:

                async def ready() -> bool:
                    return (await http.get("/ready")).status_code == 200

                await eventually("it is ready", ready)
                status, samples = (await http.get("/v1/status")).json(), await samples_of(http)
                for kind, count in status["counts"].items():
                    labels = frozenset({("kind", kind)})
                    assert samples["gateless_indexer_entries", labels] == count
                assert samples["gateless_follower_lag_blocks", frozenset()] == 0
                assert samples["gateless_ready", frozenset()] == 1
                assert "/metrics" not in (await http.get("/openapi.json")).json()["paths"]
                assert len((await http.get("/health")).headers["x-request-id"]) == 16
        finally:
            indexer.stop()
            await running
