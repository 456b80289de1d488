"""An endpoint's URL may hold a key: nothing that is said or logged about it shows more than its
host.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.http_rpc import HttpRpc
from gateless.adapters.signer import ExternalSigner, open_external_signer
from gateless.core.errors import GatelessError, WalletError
from gateless.core.urls import shown
from gateless.devnet import Devnet
from rpc_proxy import Answer, Garbage, Hang, HttpStatus, RpcFault, rpc_proxy
from structlog.testing import capture_logs

KEY = "s3cr3t-k3y"
FAULTS: list[Callable[[], Any]] = [
    lambda: HttpStatus(401),
    lambda: HttpStatus(429, {"Retry-After": "60"}),
    lambda: HttpStatus(500),
    lambda: Garbage(),
    lambda: Hang(2.0),
    lambda: Answer(None),
    lambda: RpcFault("rate limit exceeded"),
]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://127.0.0.1:8545/", "http://127.0.0.1:8545"),
        (f"https://node.example/v3/{KEY}", "https://node.example/…"),
        (f"https://node.example?key={KEY}", "https://node.example/…"),
        (f"https://node.example/#{KEY}", "https://node.example/…"),
        (f"https://me:{KEY}@node.example", "https://node.example"),
        (f"http://[::1]:8545/{KEY}", "http://[::1]:8545/…"),
        (f"http://node.example:{KEY}", "…"),
    ],
)
def test_what_is_shown_of_an_endpoint(url: str, told: str) -> None:
    assert shown(url) == told


def everything(error: BaseException) -> str:
    """All that a log or a terminal may tell of an error, causes too."""
    told = "".join(traceback.format_exception(error))
    if isinstance(error, GatelessError):
        told += json.dumps({**error.context, "hint": error.hint}, default=str)
    return told


@pytest.mark.parametrize("fault", range(len(FAULTS)))
async def test_errors_of_an_endpoint(devnet: Devnet, fault: int) -> None:
    async with rpc_proxy(devnet.deployment.rpc_url) as proxy:
        proxy.fail("eth_blockNumber", FAULTS[fault]())
        rpc = HttpRpc(f"{proxy.url}/?key={KEY}", timeout=0.3, retries=1)
        with pytest.raises(GatelessError) as info:
            await rpc.quantity("eth_blockNumber")
        await rpc.close()
    assert KEY not in everything(info.value)
    assert KEY not in rpc.name


@pytest.mark.parametrize(
    "url", [f"http://127.0.0.1:9/{KEY}", f"http://me:{KEY}@127.0.0.1:9", f"http:///{KEY}"]
)
async def test_errors_of_an_endpoint_that_cannot_be_reached(url: str) -> None:
    rpc = HttpRpc(url, retries=1)
    with pytest.raises(GatelessError) as info:
        await rpc.request("eth_chainId")
    await rpc.close()
    assert info.value.code == "rpc-unreachable"
    assert KEY not in everything(info.value)


async def test_logs_and_health_of_several_endpoints(devnet: Devnet) -> None:
    """What the status, /health and the metrics show of endpoints is made of their health."""
    async with rpc_proxy(devnet.deployment.rpc_url) as proxy:
        urls = [f"{proxy.url}/?key={KEY}", devnet.deployment.rpc_url]
        with capture_logs() as logs:
            async with await ChainClient.connect(devnet.deployment.reached_by(urls)) as client:
                proxy.fail("eth_gasPrice", HttpStatus(500))
                await client.rpc.quantity("eth_gasPrice")
                told = f"{client.rpc.health} {client.rpc.name}"
    assert [entry for entry in logs if entry["event"] == "rpc-fault"]
    assert KEY not in repr(logs) + told


async def test_errors_of_a_signer() -> None:
    url = f"http://127.0.0.1:9/{KEY}"
    with pytest.raises(WalletError) as info:
        async with open_external_signer(url, None):
            pass
    assert info.value.code == "signer-unreachable"
    assert KEY not in everything(info.value)


def test_a_signer_is_spelled_without_its_key() -> None:
    signer = ExternalSigner(None, f"http://127.0.0.1:9/{KEY}", "0x" + "11" * 20)  # type: ignore[arg-type]
    assert KEY not in repr(signer)
