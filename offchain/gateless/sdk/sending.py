"""Bytes on their way to an executor."""

from __future__ import annotations

import httpx

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
        return await http.request(method, url, content=body, timeout=seconds)
    except _STALE:
        return await http.request(method, url, content=body, timeout=seconds)
