"""A content store behind HTTP: several servers, none of them trusted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from gateless.adapters.storage.atomic_file import CHUNK_BYTES, DigestingFile
from gateless.adapters.storage.protocol import (
    DEFAULT_MAX_BYTES,
    ByteProgress,
    address_refused,
    not_found,
    tampered,
    too_large,
    unreachable,
)
from gateless.core.errors import InputError, StorageError
from gateless.core.ids import parse_digest, sha256_hex

CONTENT_PATH = "/v1/content/"

#: What is tried with one server after the other, given its base URL.
_Attempt = Callable[[str], Awaitable[bytes]]


class RefusedAddressError(httpx.TransportError):
    """A client does not connect to where a URL leads."""


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """How long a server may take.

    Attributes:
        connect_seconds: until a connection stands.
        stall_seconds: between two chunks; ends transfers that hang.
        total_seconds: for a whole file; ends transfers that trickle for ever.
        start_seconds: of these, for a file of no size at all.
        bytes_per_second: and the least that must come in a second, over the whole transfer.
    """

    connect_seconds: float = 5.0
    stall_seconds: float = 20.0
    total_seconds: float = 900.0
    start_seconds: float = 60.0
    bytes_per_second: float = 64 << 10

    def timeout(self) -> httpx.Timeout:
        """As httpx spells it."""
        return httpx.Timeout(self.stall_seconds, connect=self.connect_seconds)

    def seconds_for(self, size: int) -> float:
        """Time for a file of at most so many bytes."""
        return min(self.total_seconds, self.start_seconds + size / self.bytes_per_second)


class HttpStore:
    """Fetches content from the first of several servers that serves it unharmed.

    A server that lacks the content, fails, stalls or lies is passed over; the error that is raised
    when none is left names the worst of what happened.

    Args:
        base_urls: servers in order of preference; content lies at ``<base>/v1/content/<sha256>``.
        http: the client to use; not closed here. Redirects are never followed.
        limits: time limits.
    """

    def __init__(
        self, base_urls: Sequence[str], http: httpx.AsyncClient, limits: StoreLimits | None = None
    ) -> None:
        self.base_urls = tuple(check_base_url(url) for url in base_urls)
        self._http = http
        self._limits = limits or StoreLimits()

    async def get(self, sha256: str, *, max_bytes: int = DEFAULT_MAX_BYTES) -> bytes:
        """The content as bytes, its digest checked."""
        digest = parse_digest(sha256)

        async def read(base: str) -> bytes:
            parts = [chunk async for chunk in self._chunks(base, digest, max_bytes, None)]
            content = b"".join(parts)
            if (found := sha256_hex(content)) != digest:
                raise tampered(digest, found, base)
            return content

        return await self._first(digest, read)

    async def fetch_to(
        self,
        sha256: str,
        dest: Path,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        progress: ByteProgress | None = None,
    ) -> None:
        """Downloads to ``dest``; what is incomplete or wrong is removed."""
        digest = parse_digest(sha256)

        async def download(base: str) -> bytes:
            with DigestingFile(
                dest.parent, where=base, max_bytes=max_bytes, expected=digest
            ) as file:
                async for chunk in self._chunks(base, digest, max_bytes, progress):
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(file.commit, dest)
            return b""

        await self._first(digest, download)

    async def has(self, sha256: str) -> bool:
        """Whether any of the servers says that it has the content."""
        digest = parse_digest(sha256)
        for base in self.base_urls:
            try:
                response = await self._http.head(
                    base + CONTENT_PATH + digest,
                    timeout=self._limits.timeout(),
                    follow_redirects=False,
                )
            except httpx.HTTPError:
                continue
            if response.status_code == httpx.codes.OK:
                return True
        return False

    async def put(self, data: bytes | Path) -> str:
        """Uploads to the first server that takes uploads; returns the sha256.

        Raises:
            StorageError: ``store-read-only`` where no server takes uploads, ``store-unreachable``,
                ``content-too-large``.
        """
        content = data if isinstance(data, bytes) else await asyncio.to_thread(data.read_bytes)
        digest = sha256_hex(content)

        async def upload(base: str) -> bytes:
            try:
                async with asyncio.timeout(self._limits.total_seconds):
                    response = await self._http.put(
                        base + CONTENT_PATH + digest,
                        content=content,
                        timeout=self._limits.timeout(),
                        follow_redirects=False,
                    )
            except (httpx.HTTPError, TimeoutError) as error:
                raise unreachable(base, _reason(error)) from error
            if response.status_code in (httpx.codes.OK, httpx.codes.CREATED):
                return b""
            if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
                raise too_large(len(content) - 1, base)
            if response.status_code in (httpx.codes.METHOD_NOT_ALLOWED, httpx.codes.FORBIDDEN):
                raise StorageError(
                    "store-read-only",
                    f"the content store {base} takes no uploads",
                    hint="serve the files from a store of your own",
                    store=base,
                )
            raise unreachable(base, f"it answered {response.status_code}")

        await self._first(digest, upload)
        return digest

    async def _first(self, digest: str, attempt: _Attempt) -> bytes:
        """Result of the first server for which ``attempt`` succeeds."""
        failures: list[StorageError] = []
        for base in self.base_urls:
            try:
                return await attempt(base)
            except StorageError as error:
                failures.append(error)
        for code in _WORST_FIRST:
            for failure in failures:
                if failure.code == code:
                    raise failure
        raise not_found(digest, ", ".join(self.base_urls) or "an empty list of stores")

    async def _chunks(
        self, base: str, digest: str, max_bytes: int, progress: ByteProgress | None
    ) -> AsyncIterator[bytes]:
        done = 0
        try:
            async with (
                asyncio.timeout(self._limits.seconds_for(max_bytes)),
                self._http.stream(
                    "GET",
                    base + CONTENT_PATH + digest,
                    # Compressed transfers would let a small download become a huge file.
                    headers={"Accept-Encoding": "identity"},
                    timeout=self._limits.timeout(),
                    follow_redirects=False,
                ) as response,
            ):
                if response.status_code in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
                    raise not_found(digest, base)
                if response.status_code != httpx.codes.OK:
                    raise unreachable(base, f"it answered {response.status_code}")
                length = _content_length(response)
                if length is not None and length > max_bytes:
                    raise too_large(max_bytes, base)
                async for chunk in response.aiter_raw(CHUNK_BYTES):
                    done += len(chunk)
                    if done > max_bytes:
                        raise too_large(max_bytes, base)
                    if progress is not None:
                        progress(done, length)
                    yield chunk
        except RefusedAddressError as error:
            raise address_refused(base, _reason(error)) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise unreachable(base, _reason(error)) from error


#: A lie outranks an absence: the user should hear of it even where other servers lack the file.
_WORST_FIRST = (
    "content-tampered",
    "content-too-large",
    "store-unreachable",
    "store-address-refused",
    "store-read-only",
    "content-not-found",
)


def check_base_url(url: str) -> str:
    """A store's base URL without trailing slash.

    Raises:
        InputError: ``invalid-store-url``.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise InputError(
            "invalid-store-url",
            f"{url!r} is no address of a content store",
            hint="give a URL such as https://store.example.org",
        )
    return url.rstrip("/")


def _content_length(response: httpx.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
