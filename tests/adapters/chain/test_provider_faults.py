"""What real providers say, and what we make of it."""

from __future__ import annotations

from typing import Any

import pytest
from gateless.adapters.chain.log_range import INITIAL_BLOCKS, MAX_BLOCKS, LogRange
from gateless.adapters.chain.provider_faults import (
    allowed_blocks,
    is_rate_limit,
    is_too_large,
    is_unable,
)
from gateless.adapters.chain.rpc import RpcError, shown


def said(message: str, code: int = -32000, data: Any = None) -> RpcError:
    return RpcError("eth_getLogs", code, message, data)


ALCHEMY = (
    "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and"
    " no limit on the response size, or you can request any block range with a cap of 10K logs in"
    " the response. Based on your parameters and the response size limit, this block range should"
    " work: [0xeea5c0, 0xeeb042]"
)


@pytest.mark.parametrize(
    ("error", "allowed"),
    [
        (said(ALCHEMY, -32602), 0xEEB042 - 0xEEA5C0 + 1),
        (said("You can make eth_getLogs requests with up to a 10 block range."), 10),
        (said("query returned more than 10000 results", -32005), None),
        (
            said("query returned more than 10000 results. Try with this block range [0x10, 0x1f]."),
            16,
        ),
        (said("range 1000000 exceeds limit of 10000", -32602), 10_000),
        (said("eth_getLogs is limited to a 10,000 range", -32614), 10_000),
        (said("eth_getLogs and eth_newFilter are limited to a 10,000 blocks range"), 10_000),
        (said("block range is too wide", -32600), None),
        (said("block range too large"), None),
        (said("Max range: 800", -32047), 800),
        (said("exceed maximum block range: 5000"), 5000),
        (said("requested too many blocks from 1 to 90000, maximum is set to 2048"), 2048),
        (said("range is too large, max is 1k blocks"), 1000),
        (said("query exceeds max results 20000, retry with the range 25766988-25766999"), 12),
        (
            said("invalid params", -32602, {"payload": "range 9 is bigger than range limit 2000"}),
            2000,
        ),
        (said("backend response too large", -32020), None),
        (said("response size is larger than 150MB limit"), None),
        (said("query timeout exceeded"), None),
        (said("logs matched by query exceeds limit of 10000"), 10_000),
    ],
)
def test_ranges_that_are_too_large(error: RpcError, allowed: int | None) -> None:
    assert is_too_large(error)
    assert not is_rate_limit(error)
    assert allowed_blocks(error) == allowed


@pytest.mark.parametrize(
    "error",
    [
        said("slow down", 429),
        said("Too Many Requests"),
        said("project ID request rate exceeded", -32005),
        said("daily request count exceeded, request rate limited", -32005),
        said("limit exceeded", -32005),
        said("Your app has exceeded its compute units per second capacity", 429),
    ],
)
def test_limits_of_the_rate(error: RpcError) -> None:
    assert is_rate_limit(error)


@pytest.mark.parametrize(
    "error",
    [
        said("header not found"),
        said("missing trie node 1f (path )"),
        said("block range extends beyond current head block"),
        said("One of the blocks specified in filter (fromBlock, toBlock) cannot be found."),
        said("the method eth_getLogs does not exist/is not available", -32601),
        said("Internal error", -32603),
    ],
)
def test_what_another_node_may_do_better(error: RpcError) -> None:
    assert is_unable(error)
    assert not is_rate_limit(error)


@pytest.mark.parametrize(
    "error",
    [
        said("execution reverted: rate limit reached", 3, "0x08c379a0"),
        said("insufficient funds for gas * price + value"),
        said("nonce too low"),
        said("exceeds block gas limit"),
        said("max fee per gas less than block base fee"),
    ],
)
def test_answers_are_no_faults(error: RpcError) -> None:
    assert not is_rate_limit(error)
    assert not is_unable(error)


def test_a_range_doubles_until_it_is_refused_and_then_grows_slowly() -> None:
    log_range = LogRange()
    log_range.answered(INITIAL_BLOCKS)
    assert log_range.blocks == 2 * INITIAL_BLOCKS
    log_range.refused(2 * INITIAL_BLOCKS)
    assert log_range.blocks == INITIAL_BLOCKS
    seen = []
    for _ in range(200):
        log_range.answered(log_range.blocks)
        seen.append(log_range.blocks)
    assert seen[0] == INITIAL_BLOCKS
    assert INITIAL_BLOCKS < seen[20] < 1.2 * INITIAL_BLOCKS
    for _ in range(2000):
        log_range.answered(log_range.blocks)
    assert log_range.blocks == MAX_BLOCKS


def test_a_refusal_takes_back_to_what_was_answered_or_what_it_names() -> None:
    log_range = LogRange(800)
    log_range.answered(800)
    log_range.refused(900)
    assert log_range.blocks == 800
    log_range.refused(800)
    assert log_range.blocks == 400
    log_range.refused(400, 7)
    assert log_range.blocks == 7
    log_range.refused(7, 7)
    assert log_range.blocks == 3
    log_range.refused(1)
    assert log_range.blocks == 1


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("https://eth.example/v2/secret", "https://eth.example/…"),
        ("https://user:secret@eth.example:444/?key=secret", "https://eth.example:444/…"),
        ("http://[::1]:8545/", "http://[::1]:8545"),
    ],
)
def test_credentials_are_not_shown(url: str, name: str) -> None:
    assert shown(url) == name
