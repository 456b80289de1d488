"""What providers' error texts mean: there is no standard for them, so they are known by heart.

Sources: the documentation and error texts of Alchemy, Ankr, BlockPI, Cloudflare, Infura, QuickNode
and Tenderly, and of geth, Erigon, Nethermind, reth, avalanchego and bsc.
"""

from __future__ import annotations

import re

from gateless.adapters.chain.rpc import RpcError, revert_data

_RATE_LIMIT = re.compile(
    r"rate.?limit|too many requests|requests? per second|request (count|limit|rate)|call rate"
    r"|(?<!gas )limit exceeded"
    r"|compute units|throughput|capacity exceeded|credits|quota|throttl",
)
_TOO_LARGE = re.compile(
    r"more than [\d,]+ (results|logs)|max(imum)? results|too many (blocks|logs|results|matches)"
    r"|(response|result|payload|content|entity)( is| size)?.{0,24}(too (big|large)|exceed|larger"
    r"|greater)|response size|range.{0,40}(too|exceed|limit|max|wide|large|big|greater|allowed)"
    r"|(exceed|max|limit|up to|at most|larger|greater).{0,40}(range|blocks)|logs matched"
    r"|query.{0,24}(timeout|timed out|too)|timeout exceeded|took too long|execution timeout",
)
_RANGE_HEX = re.compile(r"\[\s*(0x[0-9a-f]+)\s*,\s*(0x[0-9a-f]+)\s*\]")
_RANGE_DECIMAL = re.compile(r"range (\d+)\s*-\s*(\d+)")
_LIMIT = re.compile(
    r"(?:limited to|limit(?: of| is)?|up to|maximum|max|at most|exceeds?)[^\d\[]{0,40}"
    r"(\d[\d,]*)(k?)\b(?!\s*(?:results|logs|bytes|mb|kb|m\b))"
)
#: What the same endpoint may do a moment later: it works badly now, or is about to get a block.
_PASSING = re.compile(
    r"header not found|unknown block|block not found|(cannot|could not) be found"
    r"|beyond (the )?(current )?head|after last accepted"
    r"|no backend|upstream|bad gateway|service unavailable|temporarily|try again|overloaded"
    r"|not synced|syncing|timeout|timed out|internal error|internal server error",
)
#: What it will not do: it keeps no such states, or does not know the method.
_LACKING = re.compile(
    r"missing trie node|pruned|history is not available"
    r"|method.{0,80}(not (found|supported|available|allowed)|does not exist)",
)


def _text(error: RpcError) -> str:
    """All that an error says; some keep what matters in its data."""
    data = "" if error.data is None else str(error.data)
    return f"{error.rpc_message} {data}".lower()


def is_too_large(error: RpcError) -> bool:
    """Whether logs were refused because of how many blocks or results were asked for."""
    return _TOO_LARGE.search(_text(error)) is not None


def is_rate_limit(error: RpcError) -> bool:
    """Whether a refusal says that there were too many requests, not that this one is wrong."""
    if error.rpc_code == 429:
        return True
    if revert_data(error) is not None or is_too_large(error):
        return False
    return _RATE_LIMIT.search(_text(error)) is not None


def is_unable(error: RpcError) -> bool:
    """Whether another node may do what this one could not: it lacks blocks, or works badly."""
    return is_passing(error) or (revert_data(error) is None and _lacks(error))


def is_passing(error: RpcError) -> bool:
    """Whether the same node may do in a moment what it could not do now."""
    if revert_data(error) is not None or is_too_large(error) or _lacks(error):
        return False
    return _PASSING.search(_text(error)) is not None


def _lacks(error: RpcError) -> bool:
    return _LACKING.search(_text(error)) is not None


def allowed_blocks(error: RpcError) -> int | None:
    """How many blocks' logs a refusal says may be asked for; None where it does not say."""
    text = _text(error)
    named = _RANGE_HEX.search(text)
    if named is not None:
        return int(named[2], 16) - int(named[1], 16) + 1
    named = _RANGE_DECIMAL.search(text)
    if named is not None:
        return int(named[2]) - int(named[1]) + 1
    for limit in _LIMIT.finditer(text):
        return int(limit[1].replace(",", "")) * (1000 if limit[2] else 1)
    return None
