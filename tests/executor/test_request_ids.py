"""One request through the log of a running executor, by its ids."""

from __future__ import annotations

import json
import re

import httpx
from executor_fixtures import config_of, executor_process
from gateless.core.lazy import LazyState
from gateless.devnet import Devnet
from lazy_serving import LAZY, asking
from market_fixtures import MakeAccount, MakeServed
from patience import eventually

NAME = "client-0001"


async def test_a_lazy_request_is_followed_through_the_log(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "lazy-logged")
    executor = ask.served.executor
    config = config_of(executor, serve_port=0, lazy=LAZY)
    async with executor_process(isolated_devnet, executor, config) as process:

        async def backed() -> bool:
            return '"event": "lazy-backing"' in process.log.read_text()

        await eventually("it serves, and has its backing", backed)
        served = re.search(r'"url": "(http://[0-9.:]+)"', process.log.read_text())
        assert served is not None
        offer = await ask.signed(await ask.request())
        async with httpx.AsyncClient(base_url=served[1], timeout=60) as http:
            taken = await http.post(
                "/v1/requests", content=offer.to_json(), headers={"X-Request-ID": NAME}
            )
            assert (taken.status_code, taken.headers["x-request-id"]) == (202, NAME)
            refused = await http.post("/v1/requests", content=b"{}")
            assert refused.json()["http_request_id"] == refused.headers["x-request-id"] != NAME
        await ask.reaches(offer.request_id, LazyState.ANSWERED)

        async def answered() -> bool:
            return '"event": "lazy-answered"' in process.log.read_text()

        await eventually("it says so", answered)
        assert await process.terminate() == 0
    lines = [json.loads(line) for line in process.log.read_text().splitlines()]
    # As the command line spells it: as a number it is longer than most readers of JSON take.
    name = f"0x{offer.request_id:064x}"
    about = [line for line in lines if line.get("request_id") == name]
    # On a busy machine a step may have to be tried again.
    passing = {"lazy-overhead", "lazy-step-failed", "lazy-waits"}
    assert [line["event"] for line in about if line["event"] not in passing] == [
        "lazy-offer-taken",
        "proof-made",
        "version-audited",
        "transaction-sent",
        "transaction-mined",
        "lazy-locked",
        "transaction-sent",
        "transaction-mined",
        "lazy-answered",
    ]
    # What the HTTP request set going carries its name.
    named = {line["event"] for line in lines if line.get("http_request_id") == NAME}
    assert {"lazy-offer-taken", "lazy-locked", "lazy-answered"} <= named
