"""Handing a receipt to a watchtower: by HTTP, or as a file in its inbox."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from pydantic_core import from_json

from gateless.adapters.storage.atomic_file import DigestingFile
from gateless.core.errors import InputError, StorageError
from gateless.core.handovers import MAX_HANDOVER_BYTES, Handover

_SECONDS = 30.0


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


async def _post(given: Handover, base: str) -> str:
    try:
        async with httpx.AsyncClient(timeout=_SECONDS) as http:
            answer = await http.post(f"{base}/v1/handovers", content=given.to_json())
    except httpx.HTTPError as error:
        raise StorageError(
            "store-unreachable",
            f"the watchtower at {base} does not answer: {error or type(error).__name__}",
            hint="check the address, or hand it to another watchtower",
        ) from error
    if answer.status_code != httpx.codes.ACCEPTED:
        raise InputError(
            "handover-refused",
            f"the watchtower at {base} refuses the receipt: {_why(answer)}",
            hint="it may still be worth a challenge of your own: gateless receipt challenge",
            status=answer.status_code,
        )
    return f"{base}/v1/cases/0x{given.signed.digest.hex()}"


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
