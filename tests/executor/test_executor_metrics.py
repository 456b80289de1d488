"""What a running executor tells those who watch over it: metrics, health, readiness."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from executor_fixtures import config_of, gate_to, running
from gateless.core.lazy import LazyState
from gateless.devnet import Devnet
from lazy_serving import BACKING, COLLATERAL, LAZY, asking
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from prometheus_client.parser import text_string_to_metric_families

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


async def scrape(http: httpx.AsyncClient) -> Samples:
    answer = await http.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"gateless_{name}", frozenset(labels.items())))


async def test_metrics_say_what_the_status_says(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "metered")
    executor = ask.served.executor
    config = config_of(executor, serve_port=0, lazy=LAZY)
    async with (
        running(isolated_devnet, executor, config) as run,
        httpx.AsyncClient(base_url=run.executor.serving_at, timeout=60) as http,
    ):
        assert (await http.get("/health")).json() == {"status": "ok"}

        async def is_ready() -> bool:
            return (await http.get("/ready")).status_code == 200

        await eventually("it is ready", is_ready)

        async def backed() -> bool:
            return (await ask.market.backing(executor.address)).total == BACKING

        await eventually("it has its backing", backed)
        offers = [
            await ask.signed(await ask.request(executor=name))
            for name in (executor.address, "0x" + "00" * 20)
        ]
        for offer in offers:
            taken = await http.post("/v1/requests", content=offer.to_json())
            assert taken.status_code == 202, taken.text
            await ask.reaches(offer.request_id, LazyState.ANSWERED)

        async def told() -> bool:
            status = (await http.get("/v1/status")).json()
            return bool(status["lazy"] == {"answered": 2} and status["at_risk"] == 2 * COLLATERAL)

        await eventually("the status has both answers", told)
        status, samples = (await http.get("/v1/status")).json(), await scrape(http)

        assert value(samples, "executor_requests", market="lazy", state="answered") == 2
        assert value(samples, "executor_stake", kind="at_risk") == status["at_risk"]
        assert value(samples, "executor_stake", kind="available") == status["available_stake"]
        assert value(samples, "executor_earned_total", market="proofs") == status["earned"] == 0
        assert value(samples, "executor_deadlines_at_risk") == 0
        assert value(samples, "phase", phase="running") == value(samples, "ready") == 1
        assert value(samples, "head_block") is not None
        assert value(samples, "follower_lag_blocks") == 0
        [endpoint] = status["rpc"]
        assert value(samples, "rpc_up", endpoint=endpoint["name"]) == 1
        assert value(samples, "rpc_faults", endpoint=endpoint["name"]) == 0
        assert (value(samples, "rpc_latency_seconds", endpoint=endpoint["name"]) or 0) > 0
        # One proof for the audit; one transaction for the named request, two for the other one.
        assert value(samples, "executor_proof_seconds_count", circuit="single") == 1
        for kind in ("lazy_lock_and_answer", "lazy_lock", "lazy_answer", "lazy_back"):
            assert value(samples, "transactions_total", kind=kind, outcome="mined") == 1, kind
            assert (value(samples, "gas_used_total", kind=kind) or 0) > 21_000
        assert value(samples, "transactions_replaced_total") == 0
        assert value(samples, "executor_overhead_seconds_count", step="lock") == 2
        assert value(samples, "executor_overhead_seconds_count", step="answer") == 1
        [node] = status["proving"]["nodes"]
        assert value(samples, "sandbox", network=node["isolation"]["network"]) == 1
        assert value(samples, "executor_memory_bytes", kind="limit") == node["memory_bytes"]
        assert (samples["process_resident_memory_bytes", frozenset()]) > 1 << 20
        assert (value(samples, "disk_free_bytes") or 0) > 0


async def test_an_executor_that_cannot_work_says_why_it_is_not_ready(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    ask = await asking(devnet, make_served, make_account, "unready")
    served = ask.served
    signed = await ask.signed(await ask.request())
    config = config_of(served.executor, serve_port=0)
    async with (
        gate_to(devnet) as gate,
        running(devnet, served.executor, config, rpc_url=gate.url) as run,
        httpx.AsyncClient(base_url=run.executor.serving_at, timeout=60) as http,
    ):

        async def reasons() -> list[str]:
            answer = await http.get("/ready")
            told = answer.json()
            assert (answer.status_code == 200) is told["ready"] is (not told["reasons"])
            return [entry["code"] for entry in told["reasons"]]

        async def ready() -> bool:
            return await reasons() == []

        async def cut_off() -> bool:
            return "rpc-unreachable" in await reasons()

        async def read_only() -> bool:
            return "database-unreachable" in await reasons()

        async def allow_writing(allowed: bool) -> None:
            async with run.journal._database.connect() as connection:
                await connection.exec_driver_sql(f"PRAGMA query_only = {int(not allowed)}")

        await eventually("it is ready", ready)
        await allow_writing(False)
        await eventually("its database cannot be written", read_only)
        await allow_writing(True)
        await eventually("it is ready again", ready)
        await gate.shut()
        await eventually("the chain is away", cut_off)
        assert (await http.get("/health")).status_code == 200
        samples = await scrape(http)
        assert value(samples, "ready") == 0
        assert value(samples, "problems", code="rpc-unreachable") == 1
        await gate.open()
        await eventually("it is ready once more", ready)
        run.executor.stop()
        await run.task
        assert await reasons() == ["stopped"]
        # Whoever comes now is told so, and when to come again.
        refused = await http.post("/v1/requests", content=signed.to_json())
        assert (refused.status_code, refused.json()["code"]) == (503, "offers-closed")
        assert int(refused.headers["retry-after"]) > 0
