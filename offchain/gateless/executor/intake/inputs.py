"""Inputs that are handed in: kept for a while, so that signed requests can point to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from eth_hash.auto import keccak

from gateless.adapters.clock import Clock
from gateless.adapters.storage import LocalStore
from gateless.adapters.storage.atomic_file import DigestingFile, remove_leftovers
from gateless.core.errors import InputError, StorageError
from gateless.daemon.limits import body_too_large
from gateless.daemon.versions import ReadyVersion
from gateless.executor.checks import require_length
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

    What is still coming in counts too. What a killed process left of uploads is removed when the
    first one of this process comes.

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
        self._looked = False
        #: Bytes of uploads that are not whole yet.
        self.coming = 0
        self._stored: int | None = None

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
        await self._look_around()
        with (
            self._counted() as counted,
            DigestingFile(self._incoming, where="the upload", max_bytes=self._most) as file,
        ):
            async for chunk in chunks:
                if file.size + len(chunk) > self._most:
                    raise body_too_large(self._most)
                await counted(len(chunk))
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
                await self._make_room()
                name = self.store.path_of(file.digest())
                sha256 = await asyncio.to_thread(file.commit, name)
                await self._journal.keep_input(found, sha256, file.size)
                self._stored = None
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

    async def of_request(
        self, packed: bytes | None, digest: bytes, hint: str, ready: ReadyVersion | None
    ) -> bytes | None:
        """The input of a signed request; None where its hint says where it is.

        Args:
            packed: what came along with it, kept here then; None for nothing.
            digest: keccak256 that it must have.
            hint: where else it is; empty for nowhere.
            ready: the request's version, where it is prepared.

        Raises:
            InputError: ``wrong-length``, ``input-digest-mismatch``, ``no-input``.
        """
        if packed is not None and ready is not None:
            require_length(packed, ready)
        if packed is None:
            packed = await self.find(digest)
        elif keccak(packed) != digest:
            raise InputError(
                "input-digest-mismatch",
                "the input is not the one that the request's digest names",
                hint="hand in the packed input that was signed for",
            )
        else:
            # Should the request be set aside and looked at again. It is kept with it as well.
            with suppress(StorageError, InputError):
                await self.keep(packed, digest)
        if packed is None and not hint:
            raise InputError(
                "no-input",
                "the input is not here, and the request does not say where it is",
                hint="send it along, or hand it in first: PUT /v1/inputs/0x…",
            )
        return packed

    @property
    def _incoming(self) -> Path:
        return self.store.root / "incoming"

    async def _look_around(self) -> None:
        """Cleans up, the first time. Nobody else writes to the folder."""
        async with self._turn:
            if not self._looked:
                await asyncio.to_thread(remove_leftovers, self._incoming)
                self._looked = True

    @contextmanager
    def _counted(self) -> Iterator[Callable[[int], Awaitable[None]]]:
        """Counts an upload for as long as it is one."""
        size = 0

        async def count(more: int) -> None:
            nonlocal size
            size += more
            self.coming += more
            if self._stored is None or self._stored + self.coming > self._room:
                async with self._turn:
                    await self._make_room()

        try:
            yield count
        finally:
            self.coming -= size

    async def _make_room(self) -> None:
        """Lets the oldest inputs go until those that are here and those that come have room."""
        while True:
            self._stored = await self._journal.stored_input_bytes()
            if self._stored + self.coming <= self._room:
                return
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
