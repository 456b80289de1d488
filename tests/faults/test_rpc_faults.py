"""Endpoints that time out, lie, refuse, garble, or take a transaction and say that they did not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from executor_fixtures import running
from faulty_rpc import (
    Fault,
    Garbage,
    Hangup,
    Late,
    Refusal,
    Result,
    Stale,
    Status,
    Swallowed,
    TakenYetRefused,
    faulty_rpc,
)
from gateless.devnet import Devnet
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from tried import PATIENCE_SECONDS, Tried, on_trial

SEND = frozenset({"eth_sendRawTransaction"})
RECEIPT = frozenset({"eth_getTransactionReceipt"})
COUNT = frozenset({"eth_getTransactionCount"})
LOGS = frozenset({"eth_getLogs"})
HEAD = frozenset({"eth_blockNumber", "eth_getBlockByNumber"})


def shifted(by: int) -> Callable[[str], str]:
    return lambda count: hex(max(int(count, 16) + by, 0))


FAULTS: dict[str, Callable[[], Fault]] = {
    "every-third-call-is-a-500": lambda: Status(share=3),
    "every-third-call-is-a-429": lambda: Status(share=3, status=429, retry_after="0"),
    "429-with-retry-after": lambda: Status(times=3, status=429, retry_after="1"),
    "429-when-a-transaction-is-sent": lambda: Status(SEND, 2, status=429, retry_after="1"),
    "429-as-json-rpc": lambda: Refusal(times=5, code=-32005, message="rate limit exceeded"),
    "503-for-a-while": lambda: Status(times=25, status=503),
    "internal-errors": lambda: Refusal(share=4),
    "garbage": lambda: Garbage(share=3),
    "garbage-for-a-transaction": lambda: Garbage(SEND, 1),
    "empty-answers": lambda: Garbage(share=4, body=b""),
    "no-object": lambda: Garbage(share=4, body=b"[]"),
    "connections-reset": lambda: Hangup(share=3),
    "connections-reset-after-the-call": lambda: Hangup(share=3, after_call=True),
    "slow": lambda: Late(share=5, seconds=1.5),
    "transactions-time-out-unsent": lambda: Late(SEND, 1, seconds=25.0, after_call=False),
    "transactions-time-out-sent": lambda: Late(SEND, 1, seconds=25.0),
    "receipts-time-out": lambda: Late(RECEIPT, 1, seconds=25.0),
    "taken-yet-502": lambda: TakenYetRefused(SEND, 2),
    "taken-yet-500": lambda: TakenYetRefused(SEND, 2, status=500),
    "taken-yet-429": lambda: TakenYetRefused(SEND, 2, status=429),
    "taken-yet-connection-lost": lambda: Hangup(SEND, 2, after_call=True),
    "refused-unsent-connection-lost": lambda: Hangup(SEND, 2),
    "already-known": lambda: Refusal(SEND, 1, code=-32000, message="already known"),
    "hash-told-and-transaction-lost": lambda: Swallowed(SEND, 1),
    "hash-of-another": lambda: Result(SEND, 1, change=lambda _: "0x" + "ab" * 32),
    "nonces-too-high": lambda: Result(COUNT, 2, change=shifted(+3)),
    "nonces-too-low": lambda: Result(COUNT, 4, change=shifted(-2)),
    "nonces-of-a-new-account": lambda: Result(COUNT, 4, change=lambda _: "0x0"),
    "nonces-that-are-none": lambda: Result(COUNT, 2, change=lambda _: None),
    "receipts-late": lambda: Result(RECEIPT, 8, change=lambda _: None),
    "logs-empty-once": lambda: Result(LOGS, 1, change=lambda _: []),
    "logs-null": lambda: Result(LOGS, 3, change=lambda _: None),
    "logs-limited": lambda: Refusal(LOGS, 2, code=-32005, message="query returned more than 10000"),
    "behind-for-a-while": lambda: Stale(times=60, blocks=2),
    "switching-between-two-heights": lambda: Stale(share=2, blocks=1),
    "heads-null": lambda: Result(HEAD, 4, change=lambda _: None),
}


@pytest.fixture
async def tried(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> Tried:
    return await on_trial(isolated_devnet, make_served, make_account, "misled")


@pytest.mark.parametrize("kind", FAULTS)
async def test_an_endpoint_that(tried: Tried, kind: str) -> None:
    executor = tried.ask.served.executor
    async with (
        faulty_rpc(tried.devnet.deployment.rpc_url) as proxy,
        running(tried.devnet, executor, tried.config, rpc_url=proxy.url) as run,
    ):
        await run.has_problems()
        proxy.faults.append(FAULTS[kind]())
        await tried.asks()
        await tried.at_rest(run.journal)
        assert proxy.struck > 0
    await tried.judged()


@pytest.mark.parametrize("calls", [5, 40, 160])
async def test_an_endpoint_that_went_away_after_some_calls(tried: Tried, calls: int) -> None:
    """Every connection breaks from some call on, wherever that is in a request's life."""
    executor = tried.ask.served.executor
    async with (
        faulty_rpc(tried.devnet.deployment.rpc_url) as proxy,
        running(tried.devnet, executor, tried.config, rpc_url=proxy.url) as run,
    ):
        await run.has_problems()
        await tried.asks()
        start = sum(proxy.asked.values())

        async def asked() -> bool:
            return sum(proxy.asked.values()) >= start + calls

        await eventually(f"{calls} more calls were made", asked, PATIENCE_SECONDS)
        proxy.faults.append(Hangup(times=30))
        await tried.at_rest(run.journal)
    await tried.judged()
