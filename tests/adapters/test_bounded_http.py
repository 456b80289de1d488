"""Of an answer without end no more is read than it may have."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from gateless.adapters.bounded_http import AnswerTooLongError, request_bounded


class Endless(httpx.AsyncByteStream):
    def __init__(self) -> None:
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.sent += 1_000
            yield b"0" * 1_000


async def test_an_endless_answer_is_left() -> None:
    stream = Endless()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=stream))
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(AnswerTooLongError):
            await request_bounded(http, "GET", "http://example.org", most=10_000)
    assert stream.sent == 11_000


async def test_other_answers_are_as_they_were() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(404, content=b'{"code": "x"}'))
    async with httpx.AsyncClient(transport=transport) as http:
        answer = await request_bounded(http, "PUT", "http://example.org", most=100, content=b"1")
        assert (answer.status_code, answer.content) == (404, b'{"code": "x"}')
        with pytest.raises(httpx.HTTPStatusError):
            answer.raise_for_status()
