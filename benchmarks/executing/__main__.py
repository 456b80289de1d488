"""Measures a running executor: memory while idle, and what it adds to lazy requests.

::

    python -m benchmarks.executing --requests 30

A development chain, a small model and ``gateless executor run`` as a process of its own; half of
the requests are sent on chain, half are signed and handed in, one after the other. Of each, time
runs from its event being read (or its signed form being taken in) until its lock is at the node,
and again from the lock being mined until the answer is at the node; the sum is what the executor
added to the request. Left out are: the audit of the version with its trial proof, the check of the
input's binding, model and witness; the time until the lock is mined; and the pause until the event
is looked for. The executor measures it itself. Nothing is asserted:
docs/operating-an-executor.md has figures that were seen, and on what.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from eth_utils.crypto import keccak
from gateless.adapters.chain import calls, lazy_calls
from gateless.adapters.chain.lazy import LazyReader
from gateless.adapters.chain.lazy_requests import sign_lazy_request
from gateless.adapters.chain.sender import Sender
from gateless.adapters.chain.signed_requests import random_nonce
from gateless.core.lazy import LazyRequest, LazyState
from gateless.core.types import ZERO_ADDRESS
from gateless.devnet import Devnet, running_devnet
from gateless.devnet.accounts import DEVELOPMENT_PASSWORD
from gateless.sdk import AsyncGateless
from gateless.sdk.tensors import pack_inputs
from gateless_proofs import Bundle
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.executing.model import ROW, build_small

_DOLLAR = 1_000_000
_PATIENCE_SECONDS = 120.0


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=30, help="lazy requests to make")
    parser.add_argument("--poll", type=float, default=1.0, help="seconds between looks")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    found = asyncio.run(_measured(options.requests, options.poll))
    if options.json:
        json.dump(found, sys.stdout, indent=2)
        print()
        return
    for name, value in found.items():
        print(f"{name:50} {value}")


async def _measured(requests: int, poll: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        bundle = await build_small(home / "cache", home / "model")
        async with running_devnet(home) as net:
            await _stand_up(net, bundle)
            async with (
                _executor(home, poll) as (process, log, url),
                httpx.AsyncClient(base_url=url, timeout=60) as http,
            ):
                return await _figures(net, bundle, http, process.pid, log, requests)


async def _figures(
    net: Devnet, bundle: Bundle, http: httpx.AsyncClient, pid: int, log: Path, requests: int
) -> dict[str, Any]:
    await _until(lambda: _is_ready(http))
    await asyncio.sleep(2.0)  # what the start left behind is collected
    idle = _resident_mb(pid)
    async with await AsyncGateless.connect(
        net.deployment, signer=net.signers["user"], home=net.home
    ) as user:
        asker = _Asker(net, user, bundle, http)
        await asker.deposit()
        # The first one is audited: a key is made and a proof. It does not count.
        await asker.ask(signed=True)
        quiet = await _quiet_rate(http)
        started, worked = asyncio.get_running_loop().time(), _processor_ms(pid)
        skip = len(_overheads(log))
        before = await _rpc_requests(http)
        for number in range(requests):
            await asker.ask(signed=bool(number % 2))
        took = asyncio.get_running_loop().time() - started
        asked = await _rpc_requests(http) - before - quiet * took
        worked = _processor_ms(pid) - worked
    times = _overheads(log)[skip:]
    whole = _sums(times)
    return {
        "idle, resident in the main process (MB)": idle,
        "after the requests (MB)": _resident_mb(pid),
        "requests": requests,
        "requests timed from end to end": len(whole),
        "added to each request, median (ms)": _ms(whole, 50),
        "added to each request, p90 (ms)": _ms(whole, 90),
        "of it, seen until lock sent, median (ms)": _ms(_of_step(times, "lock"), 50),
        "of it, lock mined until answer sent, median (ms)": _ms(_of_step(times, "answer"), 50),
        "RPC requests for each, looks left out": round(asked / requests, 1),
        "main process's time on a core for each (ms)": round(worked / requests, 1),
        "load of the machine": round(os.getloadavg()[0], 1),
    }


class _Asker:
    """Makes lazy requests, one after the other."""

    def __init__(
        self, net: Devnet, user: AsyncGateless, bundle: Bundle, http: httpx.AsyncClient
    ) -> None:
        self._net, self._user, self._http = net, user, http
        self._signer = net.signers["user"]
        self._market = LazyReader(user.chain.rpc, net.deployment)
        self._packed = pack_inputs(bundle.manifest, ROW)
        self._sender = Sender(user.chain, self._signer)

    async def deposit(self) -> None:
        """Puts money in, for all requests."""
        await self._sender.send(calls.approve(self._market.address, 10_000 * _DOLLAR))
        await self._sender.send(lazy_calls.deposit(10_000 * _DOLLAR))

    async def ask(self, *, signed: bool) -> None:
        """Makes a request and waits for its answer."""
        request = await self._request()
        if signed:
            offer = await sign_lazy_request(
                self._signer, request, self._user.chain.chain_id, self._market.address
            )
            body = json.loads(offer.to_json()) | {"input": "0x" + self._packed.hex()}
            taken = await self._http.post("/v1/requests", json=body)
            taken.raise_for_status()
            request_id = offer.request_id
        else:
            await self._sender.send(lazy_calls.request(request, self._packed))
            request_id = await self._market.id_of(request)
        await _until(lambda: self._is_answered(request_id))

    async def _is_answered(self, request_id: int) -> bool:
        return await self._market.state(request_id) is LazyState.ANSWERED

    async def _request(self) -> LazyRequest:
        now = (await self._user.chain.block("pending")).timestamp
        version = (await self._user.resolve("small")).version.version_id
        return LazyRequest(
            requester=self._signer.address,
            version_id=version,
            input_digest=keccak(self._packed),
            input_binding=keccak(self._packed),
            max_price=_DOLLAR,
            min_price=0,
            ramp_start=0,
            ramp_length=0,
            collateral=_DOLLAR,
            deadline=now + 3600,
            lock_duration=300,
            challenge_window=3600,
            response_window=3600,
            audit_bps=0,
            executor=ZERO_ADDRESS,
            nonce=random_nonce(),
        )


async def _stand_up(net: Devnet, bundle: Bundle) -> None:
    """A published version, and an executor with stake behind lazy answers."""
    async with await AsyncGateless.connect(
        net.deployment, signer=net.signers["builder"], home=net.home
    ) as builder:
        await builder.publish(bundle, "small")
    async with await AsyncGateless.connect(
        net.deployment, signer=net.signers["executor"], home=net.home
    ) as executor:
        await executor.stake(100 * _DOLLAR, serve=["small"], min_price=_DOLLAR // 4, capacity=4)
        await executor.services.store.put(bundle.root / "manifest.json")
        for entry in bundle.manifest.files:
            await executor.services.store.put(bundle.root / entry.name)
        sender = Sender(executor.chain, net.signers["executor"])
        market = net.deployment.address(lazy_calls.LAZY_MARKET)
        await sender.send(calls.approve(net.deployment.address("ExecutorStaking"), 2000 * _DOLLAR))
        await sender.send(calls.stake(2000 * _DOLLAR))
        await sender.send(calls.allocate(market, 1000 * _DOLLAR))
        await sender.send(lazy_calls.back(1000 * _DOLLAR))


@asynccontextmanager
async def _executor(
    home: Path, poll: float
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Path, str]]:
    """``gateless executor run`` on a free port."""
    log = home / "executor.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", "from gateless.cli.main import run; run()"),
            *("--home", str(home), "--json", "executor", "run", "--port", "0"),
            *("--poll", str(poll)),
            env=os.environ | {"GATELESS_PASSWORD": DEVELOPMENT_PASSWORD},
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        if process.stdout is None:
            raise RuntimeError("it has no output")
        lines: list[str] = []
        while not lines or lines[-1] != "}\n":
            line = (await process.stdout.readline()).decode()
            if not line:
                raise RuntimeError(log.read_text())
            lines.append(line)
        yield process, log, json.loads("".join(lines))["serving_at"]
    finally:
        process.terminate()
        await process.communicate()


async def _is_ready(http: httpx.AsyncClient) -> bool:
    return (await http.get("/ready")).status_code == 200


async def _rpc_requests(http: httpx.AsyncClient) -> float:
    text = (await http.get("/metrics")).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "gateless_rpc_requests_total"
    )


async def _quiet_rate(http: httpx.AsyncClient) -> float:
    """Requests a second that looking at the chain takes while nothing happens."""
    loop = asyncio.get_running_loop()
    before, started = await _rpc_requests(http), loop.time()
    await asyncio.sleep(4.0)
    return (await _rpc_requests(http) - before) / (loop.time() - started)


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not await condition():  # noqa: ASYNC110 -- it is asked over HTTP
            await asyncio.sleep(0.02)


@dataclass(frozen=True)
class _Stretch:
    """What was added in one stretch of a request, in seconds."""

    request_id: str
    step: str
    seconds: float


def _overheads(log: Path) -> list[_Stretch]:
    """As the executor's log has them."""
    lines = (json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))
    return [
        _Stretch(str(line["request_id"]), str(line["step"]), float(line["seconds"]))
        for line in lines
        if line.get("event") == "lazy-overhead"
    ]


def _of_step(times: Iterable[_Stretch], step: str) -> list[float]:
    return [entry.seconds for entry in times if entry.step == step]


def _sums(times: Iterable[_Stretch]) -> list[float]:
    """Both stretches together, of each request of which both were timed."""
    found: dict[str, dict[str, float]] = {}
    for entry in times:
        found.setdefault(entry.request_id, {})[entry.step] = entry.seconds
    return [sum(steps.values()) for steps in found.values() if steps.keys() == {"lock", "answer"}]


def _ms(times: list[float], percent: int) -> float | None:
    if len(times) < 2:
        return None
    return round(1_000 * statistics.quantiles(times, n=100, method="inclusive")[percent - 1], 1)


def _resident_mb(pid: int) -> float:
    """Resident memory of one process, from Linux's accounts of it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise RuntimeError("no VmRSS")


def _processor_ms(pid: int) -> float:
    """Time that a process has had on a core, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1_000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
