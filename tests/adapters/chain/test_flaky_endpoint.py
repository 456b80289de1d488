"""A single endpoint that fails now and then: its calls are repeated for a while, each by itself."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.adapters.chain.rpc_pool import RpcPool
from gateless.core.errors import ChainError
from manual_clock import ManualClock
from scripted_rpc import CHAIN_ID, ScriptedRpc

SEND = "eth_sendRawTransaction"
RAW = "0x02abcd"
#: No request is repeated for longer.
BOUND_SECONDS = 5.0


def refusal(message: str, code: int = -32000) -> RpcError:
    return RpcError("eth_call", code, message, None)


FLAWS: list[ChainError] = [
    ChainError("rpc-unreachable", "HTTP 503"),
    ChainError("rpc-rate-limited", "HTTP 429"),
    ChainError("rpc-rate-limited", "HTTP 429", retry_after=0.5),
    ChainError("rpc-invalid", "no JSON"),
    ChainError("unknown-block", "not there yet"),
    refusal("internal error", -32603),
    refusal("Internal server error"),
    refusal("header not found"),
    refusal("block height is 35 but requested was 36: block not found"),
    refusal("upstream request failed, try again"),
]


def pool_of(only: ScriptedRpc, clock: ManualClock) -> RpcPool:
    return RpcPool([only], CHAIN_ID, clock=clock, random=Random(2))


def failing(only: ScriptedRpc, method: str, *flaws: ChainError, then: Any) -> None:
    answers = iter([*flaws, then])
    only.replies[method] = lambda *_: next(answers)


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.message[:24])
async def test_what_fails_twice_is_answered_the_third_time(flaw: ChainError) -> None:
    clock, only = ManualClock(), ScriptedRpc("only")
    failing(only, "eth_gasPrice", flaw, flaw, then="0x7")
    pool = pool_of(only, clock)
    assert await pool.quantity("eth_gasPrice") == 7
    assert len(clock.slept) == 2
    assert sum(clock.slept) <= BOUND_SECONDS
    await pool.close()


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.message[:24])
async def test_what_goes_on_failing_is_given_up_in_time(flaw: ChainError) -> None:
    clock, only = ManualClock(), ScriptedRpc("only")
    only.replies["eth_gasPrice"] = flaw
    pool = pool_of(only, clock)
    with pytest.raises(ChainError) as info:
        await pool.quantity("eth_gasPrice")
    assert info.value.code == flaw.code
    assert sum(clock.slept) <= BOUND_SECONDS
    assert 2 <= only.asked.count("eth_gasPrice") <= 8
    await pool.close()


@pytest.mark.parametrize(
    "answer",
    [
        "the method eth_gasPrice does not exist/is not available",
        "missing trie node 0xab",
        "query timeout exceeded",
        "execution reverted",
    ],
)
async def test_what_would_be_answered_the_same_is_asked_once(answer: str) -> None:
    clock, only = ManualClock(), ScriptedRpc("only")
    only.replies["eth_gasPrice"] = refusal(answer)
    pool = pool_of(only, clock)
    with pytest.raises(RpcError):
        await pool.quantity("eth_gasPrice")
    assert (only.asked.count("eth_gasPrice"), clock.slept) == (1, [])
    await pool.close()


async def test_reads_that_belong_together_are_repeated_together() -> None:
    clock, only = ManualClock(), ScriptedRpc("only")
    heads = iter(["0x5", "0x6"])
    only.replies["eth_blockNumber"] = lambda: next(heads)
    failing(only, "eth_gasPrice", refusal("header not found"), then="0x1")

    async def read(one: Rpc) -> tuple[int, int]:
        return await one.quantity("eth_blockNumber"), await one.quantity("eth_gasPrice")

    pool = pool_of(only, clock)
    assert await pool.together(read) == (6, 1)
    await pool.close()


async def test_an_endpoint_of_which_a_quarter_fails_answers_everything() -> None:
    clock, only, chance = ManualClock(), ScriptedRpc("only"), Random(3)

    def answer() -> Any:
        return "0x1" if chance.random() < 3 / 4 else chance.choice(FLAWS)

    only.replies["eth_gasPrice"] = answer
    pool = pool_of(only, clock)
    for _ in range(30):
        assert await pool.quantity("eth_gasPrice") == 1
        clock.time += 60
    await pool.close()


@pytest.mark.parametrize("flaw", [refusal("internal error"), ChainError("rpc-unreachable", "502")])
async def test_a_transaction_is_offered_again_with_the_same_bytes(flaw: ChainError) -> None:
    """Whoever took it and said otherwise knows it by then."""
    clock, only = ManualClock(), ScriptedRpc("only")
    offered: list[str] = []
    answers = iter([flaw, refusal("already known")])

    def take(raw: str) -> Any:
        offered.append(raw)
        return next(answers)

    only.replies[SEND] = take
    pool = pool_of(only, clock)
    assert await pool.request(SEND, RAW)
    assert offered == [RAW, RAW]
    await pool.close()


async def test_a_refused_transaction_is_offered_once() -> None:
    clock, only = ManualClock(), ScriptedRpc("only")
    only.replies[SEND] = refusal("transaction underpriced")
    pool = pool_of(only, clock)
    with pytest.raises(RpcError):
        await pool.request(SEND, RAW)
    assert (only.asked.count(SEND), clock.slept) == (1, [])
    await pool.close()
