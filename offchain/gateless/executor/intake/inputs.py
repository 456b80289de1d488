"""Inputs that are handed in: kept for a while, so that signed requests can point to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from eth_hash.auto import keccak

from gateless.adapters.clock import Clock
from gateless.adapters.storage import LocalStore
from gateless.adapters.storage.atomic_file import DigestingFile
from gateless.core.errors import InputError, StorageError
from gateless.daemon.limits import body_too_large
from gateless.executor.journal import Journal

#: What was handed in later than that is not given up for newer inputs.
_KEPT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class HeldInput:
    """An input that was handed in: as requests name it, as stores name it, and its length."""

    digest: bytes
    sha256: str
    size: int


class InputRoom:
    """A store of its own for inputs, of bounded size: the oldest give way.

    Args:
        root: its folder.
        journal: knows them by the digest that requests name.
        clock: what time it is.
        max_input_bytes: largest input.
        max_stored_bytes: of all together.
    """

    def __init__(
        self,
        root: Path,
        journal: Journal,
        clock: Clock,
        *,
        max_input_bytes: int,
        max_stored_bytes: int,
    ) -> None:
        self.store = LocalStore(root, max_bytes=max_input_bytes)
        self._journal = journal
        self._clock = clock
        self._most = max_input_bytes
        self._room = max_stored_bytes
        self._turn = asyncio.Lock()

    async def take(self, chunks: AsyncIterator[bytes], expected: bytes | None = None) -> HeldInput:
        """Keeps an input while it comes in; it is durable when this returns.

        Args:
            chunks: its bytes.
            expected: keccak256 that it must have, where it is known beforehand.

        Raises:
            InputError: ``body-too-large``, ``no-input``, ``input-digest-mismatch``.
            StorageError: ``intake-full``.
        """
        digest = keccak.new(b"")
        incoming = DigestingFile(
            self.store.root / "incoming", where="the upload", max_bytes=self._most
        )
        with incoming as file:
            async for chunk in chunks:
                if file.size + len(chunk) > self._most:
                    raise body_too_large(self._most)
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
            if not file.size:
                raise InputError("no-input", "the body is empty", hint="send the packed input")
            found = digest.digest()
            if expected is not None and found != expected:
                raise InputError(
                    "input-digest-mismatch",
                    f"the input has the digest 0x{found.hex()}, not 0x{expected.hex()}",
                    hint="hand it in under the keccak256 of its bytes",
                )
            async with self._turn:
                await self._make_room(file.size)
                name = self.store.path_of(file.digest())
                sha256 = await asyncio.to_thread(file.commit, name)
                await self._journal.keep_input(found, sha256, file.size)
            return HeldInput(found, sha256, file.size)

    async def keep(self, data: bytes, expected: bytes | None = None) -> HeldInput:
        """Keeps an input that is here already."""

        async def whole() -> AsyncIterator[bytes]:
            yield data

        return await self.take(whole(), expected)

    async def find(self, digest: bytes) -> bytes | None:
        """An input by the keccak256 that requests name; None where it is not here (any more)."""
        sha256 = await self._journal.input_of(digest)
        if sha256 is None:
            return None
        try:
            return await self.store.get(sha256, max_bytes=self._most)
        except StorageError:
            await self._journal.drop_input(digest)
            return None

    async def _make_room(self, size: int) -> None:
        while await self._journal.stored_input_bytes() + size > self._room:
            oldest = await self._journal.oldest_input(self._clock.now() - _KEPT_SECONDS)
            if oldest is None:
                raise StorageError(
                    "intake-full",
                    "there is no room for another input now",
                    hint="try again in some minutes, or serve the input from a store of your own",
                )
            digest, sha256 = oldest
            await asyncio.to_thread(self.store.path_of(sha256).unlink, missing_ok=True)
            await self._journal.drop_input(digest)


class ServedStore(LocalStore):
    """What an executor serves: its own content store, then the inputs that were handed in.

    Args:
        content: its store.
        inputs: store of the inputs.
    """

    def __init__(self, content: LocalStore, inputs: LocalStore) -> None:
        super().__init__(content.root, max_bytes=content.max_bytes)
        self._inputs = inputs

    async def has(self, sha256: str) -> bool:
        """Whether either has it."""
        return await super().has(sha256) or await self._inputs.has(sha256)

    def open_verified(self, sha256: str) -> tuple[BufferedReader, int]:
        """Opens content, its digest checked."""
        try:
            return super().open_verified(sha256)
        except StorageError as error:
            if error.code != "content-not-found":
                raise
        return self._inputs.open_verified(sha256)
