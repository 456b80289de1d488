"""Bytes on their way to an executor."""

from __future__ import annotations

import httpx

from gateless.adapters.bounded_http import request_bounded

#: Longest answer: an output with what belongs to it.
MAX_ANSWER_BYTES = 16 << 20
#: A kept connection that the other side closed meanwhile shows only when it is used again.
_STALE = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)


async def send(
    http: httpx.AsyncClient, method: str, url: str, body: bytes, seconds: float
) -> httpx.Response:
    """Sends, and once more where the connection broke.

    Executors know inputs, requests and questions by their digests or ids, so that what arrives
    twice counts once.

    Raises:
        httpx.HTTPError: there is no answer.
        httpx.InvalidURL: there is no such address.
    """
    try:
        return await _sent(http, method, url, body, seconds)
    except _STALE:
        return await _sent(http, method, url, body, seconds)


async def _sent(
    http: httpx.AsyncClient, method: str, url: str, body: bytes, seconds: float
) -> httpx.Response:
    return await request_bounded(
        http, method, url, most=MAX_ANSWER_BYTES, content=body, timeout=seconds
    )
