"""HTTP requests whose answers are held in memory: of a bounded length, whoever sends them."""

from __future__ import annotations

from typing import Any

import httpx


class AnswerTooLongError(httpx.TransportError):
    """An answer is longer than what was asked for can be."""


async def request_bounded(
    http: httpx.AsyncClient, method: str, url: str, *, most: int, **given: Any
) -> httpx.Response:
    """As ``http.request``; the answer keeps its status and its body.

    Args:
        http: the client.
        method: of HTTP.
        url: what is asked.
        most: bytes that the body may have, decompressed.
        **given: further arguments of ``http.stream``.

    Raises:
        httpx.HTTPError: there is no answer; :class:`AnswerTooLongError` where there is too much.
    """
    body = bytearray()
    async with http.stream(method, url, **given) as response:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > most:
                raise AnswerTooLongError(
                    f"it answers with more than {most:,} bytes", request=response.request
                )
    return httpx.Response(response.status_code, content=bytes(body), request=response.request)
