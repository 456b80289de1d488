"""Proving keys and reference strings, cached by content and shared by all processes of a machine.

A key is made once: under a file lock, into a temporary folder, renamed into place when it is whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from gateless.core.errors import ProofError
from gateless.core.ids import sha256_hex

from gateless_proofs.bundle import Bundle
from gateless_proofs.fingerprints import Fingerprints
from gateless_proofs.sandbox import Limits, Progress, run_worker
from gateless_proofs.srs import SrsKind, g2_of, srs_bytes
from gateless_proofs.vka import g2_of_vka, parse_vka, vka_digest

PROVING_KEY = "pk.key"
VERIFYING_KEY = "vk.key"
_VKA = "vka.bin"
#: SHA-256 of the files beside it: a key that was damaged on disk makes proofs that nobody accepts.
_DIGESTS = "sha256"
_LOCK_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class CircuitKeys:
    """Keys of one compiled circuit.

    Attributes:
        proving_key: kept in the cache.
        verifying_key: bytes, to go into a bundle.
        vka: bytes of the key artifact.
        vka_digest: keccak256 of its words.
    """

    proving_key: Path
    verifying_key: bytes
    vka: bytes
    vka_digest: str


class KeyCache:
    """Keys by content under one folder.

    Args:
        root: created on first use.
        limits: of the subprocess that makes keys.

    Attributes:
        fingerprints: of the files that keys are made of, and of the keys.
    """

    def __init__(self, root: Path, limits: Limits | None = None) -> None:
        self.root = root.resolve()
        self.limits = limits or Limits()
        self.fingerprints = Fingerprints()
        self._made: dict[str, CircuitKeys] = {}

    async def srs(self, kind: SrsKind, logrows: int, progress: Progress | None = None) -> Path:
        """The reference string of a kind for ``2**logrows`` rows."""
        folder = self.root / "srs"
        path = folder / f"{kind}-{logrows}.srs"
        # It gets its name when it is whole: whoever finds it needs no lock.
        if _has_size(path, srs_bytes(logrows)):
            return path
        async with self._locked(f"srs-{kind}-{logrows}"):
            if _has_size(path, srs_bytes(logrows)):
                return path
            folder.mkdir(parents=True, exist_ok=True)
            if kind == "development":
                request = {"logrows": logrows, "folder": str(folder)}
                await run_worker("srs", request, limits=self.limits, progress=progress)
                return path
            return await self._download(path, logrows, progress)

    async def _download(self, target: Path, logrows: int, progress: Progress | None) -> Path:
        temporary = target.with_suffix(".part")
        try:
            await run_worker(
                "public_srs",
                {
                    "logrows": logrows,
                    "path": str(temporary),
                    "target": str(target),
                },
                limits=self.limits,
                progress=progress,
            )
            await asyncio.to_thread(temporary.rename, target)
            return target
        finally:
            temporary.unlink(missing_ok=True)

    async def proving_key(
        self, bundle: Bundle, index: int = 0, progress: Progress | None = None
    ) -> Path:
        """The proving key of a bundle's circuit, made from compiled circuit and SRS if needed.

        Raises:
            ProofError: ``key-mismatch`` where the bundle's key is not that circuit's.
        """
        entry = bundle.circuit(index)
        keys = await self.circuit_keys(
            bundle.compiled(index),
            bundle.settings(index),
            bundle.manifest.required_srs.kind,
            entry.logrows,
            progress=progress,
        )
        if keys.vka_digest != entry.vka_digest:
            raise ProofError(
                "key-mismatch",
                "the bundle's verifying key was not made from its compiled circuit",
                hint="do not serve or trust this version; its publisher must build it again",
                expected=entry.vka_digest,
                found=keys.vka_digest,
            )
        return keys.proving_key

    async def circuit_keys(
        self,
        compiled: Path,
        settings: Path,
        kind: SrsKind,
        logrows: int,
        *,
        progress: Progress | None = None,
        limits: Limits | None = None,
    ) -> CircuitKeys:
        """Keys of a compiled circuit, from the cache or made now.

        Raises:
            ProofError: ``srs-mismatch``, ``setup-failed``.
        """
        # The settings shape the key artifact, so they are part of its name: otherwise a bundle with
        # foreign settings could leave a foreign artifact for an honest one to be compared with.
        parts = [await self.fingerprints.sha256(path) for path in (compiled, settings)]
        name = sha256_hex("-".join((*parts, kind, str(logrows))).encode())
        folder = self.root / "keys" / name
        if name in self._made and await self._is_whole(folder):
            return self._made[name]
        srs = await self.srs(kind, logrows, progress)
        async with self._locked(name):
            if not await self._is_whole(folder):
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                await self._make(folder, compiled, settings, srs, progress, limits)
        vka = (folder / _VKA).read_bytes()
        words = parse_vka(vka)
        if g2_of_vka(words) != g2_of(kind):
            raise ProofError(
                "srs-mismatch",
                f"the cached reference string is not the {kind} one",
                hint=f"remove {self.root} and try again",
            )
        made = CircuitKeys(
            proving_key=folder / PROVING_KEY,
            verifying_key=(folder / VERIFYING_KEY).read_bytes(),
            vka=vka,
            vka_digest=vka_digest(words),
        )
        self._made[name] = made
        return made

    async def _make(
        self,
        folder: Path,
        compiled: Path,
        settings: Path,
        srs: Path,
        progress: Progress | None,
        limits: Limits | None,
    ) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".making-"))
        try:
            await run_worker(
                "setup",
                {
                    "compiled": str(compiled),
                    "settings": str(settings),
                    "srs": str(srs),
                    "out": str(temporary),
                },
                limits=limits or self.limits,
                progress=progress,
            )
            (temporary / _DIGESTS).write_text(await self._digests(temporary))
            await asyncio.to_thread(temporary.rename, folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    async def _is_whole(self, folder: Path) -> bool:
        """Whether keys are as they were made. Files are read again where they were changed."""
        try:
            return (folder / _DIGESTS).read_text() == await self._digests(folder)
        except OSError:
            return False

    async def _digests(self, folder: Path) -> str:
        names = (PROVING_KEY, VERIFYING_KEY, _VKA)
        return "\n".join([await self.fingerprints.sha256(folder / name) for name in names])

    @contextlib.asynccontextmanager
    async def _locked(self, name: str) -> AsyncIterator[None]:
        """Holds a lock that other processes and other tasks respect."""
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while True:
                # Polled, since a thread that waits in flock cannot be cancelled.
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(_LOCK_POLL_SECONDS)
            yield
        finally:
            os.close(descriptor)


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False
