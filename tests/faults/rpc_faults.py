"""What endpoints do wrong, by name."""

from __future__ import annotations

from collections.abc import Callable

from faulty_rpc import (
    Endless,
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
)

SEND = frozenset({"eth_sendRawTransaction"})
RECEIPT = frozenset({"eth_getTransactionReceipt"})
COUNT = frozenset({"eth_getTransactionCount"})
LOGS = frozenset({"eth_getLogs"})
HEAD = frozenset({"eth_blockNumber", "eth_getBlockByNumber"})


def shifted(by: int) -> Callable[[str], str]:
    return lambda count: hex(max(int(count, 16) + by, 0))


FAULTS: dict[str, Callable[[], Fault]] = {
    "some-calls-are-a-500": lambda: Status(share=12),
    "some-calls-are-a-429": lambda: Status(share=12, status=429, retry_after="0"),
    "429-with-retry-after": lambda: Status(times=3, status=429, retry_after="1"),
    "429-when-a-transaction-is-sent": lambda: Status(SEND, 2, status=429, retry_after="1"),
    "429-as-json-rpc": lambda: Refusal(times=5, code=-32005, message="rate limit exceeded"),
    "503-for-a-while": lambda: Status(times=6, status=503),
    "internal-errors": lambda: Refusal(share=20),
    "garbage": lambda: Garbage(share=12),
    "garbage-for-a-transaction": lambda: Garbage(SEND, 1),
    "empty-answers": lambda: Garbage(share=12, body=b""),
    "no-object": lambda: Garbage(share=12, body=b"[]"),
    "endless": lambda: Endless(share=12),
    "results-that-are-objects": lambda: Result(share=10, change=lambda _: {}),
    "results-that-are-lists": lambda: Result(share=10, change=lambda _: []),
    "results-that-are-numbers": lambda: Result(share=10, change=lambda _: 5),
    "results-that-are-true": lambda: Result(share=10, change=lambda _: True),
    "results-that-are-empty": lambda: Result(share=10, change=lambda _: "0x"),
    "results-that-are-no-hex": lambda: Result(share=10, change=lambda _: "zz"),
    "connections-reset": lambda: Hangup(share=12),
    "connections-reset-after-the-call": lambda: Hangup(share=12, after_call=True),
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
