"""Handing a receipt to a watchtower: by HTTP, or as a file in its inbox."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from pydantic_core import from_json

from gateless.adapters.bounded_http import request_bounded
from gateless.adapters.storage.atomic_file import DigestingFile
from gateless.core.errors import InputError, StorageError
from gateless.core.handovers import MAX_HANDOVER_BYTES, Handover

_SECONDS = 30.0
_MAX_ANSWER_BYTES = 1 << 20


async def hand_over(given: Handover, place: str) -> str:
    """Hands a receipt over; returns where it can be looked up.

    Args:
        given: the receipt with what went with it.
        place: base URL of a watchtower, or the folder that it searches.

    Raises:
        InputError: ``handover-refused``: the watchtower does not want it; the message says why.
        StorageError: ``store-unreachable``.
    """
    if place.startswith(("http://", "https://")):
        return await _post(given, place.rstrip("/"))
    return str(await asyncio.to_thread(_write, given, place))


async def hand_input(case: str, packed_input: bytes, base: str) -> str:
    """Hands a watchtower the input of a lazy request whose answer it cannot judge without.

    Args:
        case: the request's id: 0x and 64 hex digits.
        packed_input: exactly as it was sent to the executor.
        base: base URL of a watchtower.

    Raises:
        InputError: ``handover-refused``.
        StorageError: ``store-unreachable``.
    """
    where = f"{base.rstrip('/')}/v1/cases/{case}"
    return await _request("PUT", f"{where}/input", packed_input, base, where)


async def _post(given: Handover, base: str) -> str:
    where = f"{base}/v1/cases/0x{given.signed.digest.hex()}"
    body = given.to_json().encode()
    return await _request("POST", f"{base}/v1/handovers", body, base, where)


async def _request(method: str, url: str, body: bytes, base: str, where: str) -> str:
    try:
        async with httpx.AsyncClient(timeout=_SECONDS) as http:
            answer = await request_bounded(http, method, url, most=_MAX_ANSWER_BYTES, content=body)
    except httpx.HTTPError as error:
        raise StorageError(
            "store-unreachable",
            f"the watchtower at {base} does not answer: {error or type(error).__name__}",
            hint="check the address, or use another watchtower",
        ) from error
    if answer.status_code != httpx.codes.ACCEPTED:
        raise InputError(
            "handover-refused",
            f"the watchtower at {base} refuses it: {_why(answer)}",
            hint="you may still challenge it yourself:"
            " gateless receipt challenge, or gateless lazy challenge",
            status=answer.status_code,
        )
    return where


def _why(answer: httpx.Response) -> str:
    try:
        return str(from_json(answer.content)["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return f"HTTP status {answer.status_code}"


def _write(given: Handover, place: str) -> Path:
    folder = Path(place).expanduser()
    path = folder / f"{given.signed.digest.hex()}.json"
    try:
        with DigestingFile(folder, where="the receipt", max_bytes=MAX_HANDOVER_BYTES) as file:
            file.write(given.to_json().encode())
            file.commit(path)
    except OSError as error:
        raise StorageError(
            "store-unreachable",
            f"cannot write into {folder}: {error.strerror or error}",
            hint="name the folder that the watchtower searches",
        ) from error
    return path
