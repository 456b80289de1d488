"""Bundles in a content store: a manifest and the files that it lists."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from gateless.adapters.storage.atomic_file import DigestingFile, sync_directory
from gateless.adapters.storage.protocol import DEFAULT_MAX_BYTES, BlobStore
from gateless.core.errors import StorageError
from gateless.core.ids import parse_digest, sha256_hex
from gateless.core.manifest import MAX_MANIFEST_BYTES, BundleFile, Manifest, parse_manifest

MANIFEST_NAME = "manifest.json"

#: Most files that a bundle may list; a manifest naming more is refused before anything is fetched.
MAX_BUNDLE_FILES = 256

#: Called with a file's name and the share of the bundle (0 to 1) that is there.
BundleProgress = Callable[[str, float], None]


async def put_bundle(store: BlobStore, root: Path) -> str:
    """Stores a bundle's files, then its manifest; returns the manifest's digest.

    The manifest comes last, so that whoever finds it finds the files.

    Raises:
        StorageError: ``invalid-manifest``, ``content-tampered`` where a file is not the listed one.
    """
    data = await asyncio.to_thread(_read_manifest, root)
    manifest = parse_manifest(data)
    _check_names(manifest)
    for entry in manifest.files:
        stored = await store.put(root / entry.name)
        if stored != entry.sha256:
            raise StorageError(
                "content-tampered",
                f"{entry.name} is not the file that the manifest lists",
                hint="build the bundle again",
                sha256=entry.sha256,
                found=stored,
            )
    return await store.put(data)


async def fetch_bundle(
    store: BlobStore,
    manifest_digest: str,
    dest: Path,
    progress: BundleProgress | None = None,
    *,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> Path:
    """Fetches a bundle into ``dest``, which is complete or absent; returns ``dest``.

    A ``dest`` that holds this bundle already, every digest right, is returned as it is. One with
    damaged or missing files is repaired in place, file by file, each whole at once: processes that
    were given the folder go on seeing it. Any other is replaced.

    Args:
        store: where the files are.
        manifest_digest: sha256 of the manifest, as pinned on chain.
        dest: directory of the bundle.
        progress: called after each file.
        max_bytes: largest total size of the files.

    Raises:
        StorageError: as :meth:`BlobStore.get`, and ``invalid-manifest``.
    """
    digest = parse_digest(manifest_digest)
    data = await store.get(digest, max_bytes=MAX_MANIFEST_BYTES)
    manifest = parse_manifest(data)
    _check_names(manifest)
    if sum(entry.size for entry in manifest.files) > max_bytes:
        raise StorageError(
            "content-too-large",
            f"the bundle is larger than the {max_bytes} bytes allowed here",
            hint="raise the size limit if you want to serve this model",
            max_bytes=max_bytes,
        )
    if await asyncio.to_thread(_holds_nothing_else, dest, manifest):
        await _repair(store, dest, manifest, data, progress)
        return dest
    partial = dest.parent / f".{dest.name}.{secrets.token_hex(6)}.part"
    try:
        await asyncio.to_thread(partial.mkdir, parents=True)
        await _fetch(store, partial, manifest.files, progress)
        await asyncio.to_thread(_finish, partial, dest, data)
    finally:
        await asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True)
    return dest


async def _fetch(
    store: BlobStore, folder: Path, files: Sequence[BundleFile], progress: BundleProgress | None
) -> None:
    total = max(1, sum(entry.size for entry in files))
    done = 0
    for entry in files:
        # The listed size is a limit too: a file can never grow beyond what was announced.
        await store.fetch_to(entry.sha256, folder / entry.name, max_bytes=entry.size)
        done += entry.size
        if progress is not None:
            progress(entry.name, done / total)


async def _repair(
    store: BlobStore,
    dest: Path,
    manifest: Manifest,
    data: bytes,
    progress: BundleProgress | None,
) -> None:
    """Fetches what is damaged or missing in a bundle's folder."""
    damaged = await asyncio.to_thread(_damaged, dest, manifest)
    await _fetch(store, dest, damaged, progress)
    await asyncio.to_thread(_write_manifest, dest, data)


def _read_manifest(root: Path) -> bytes:
    try:
        with (root / MANIFEST_NAME).open("rb") as file:
            return file.read(MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise StorageError(
            "invalid-manifest",
            f"{root} holds no {MANIFEST_NAME}",
            hint="name the folder of a built bundle",
        ) from error


def _check_names(manifest: Manifest) -> None:
    """Refuses names that would leave the folder, collide, or stand for the manifest itself.

    The manifest's own pattern forbids separators already; this does not rely on it, because a name
    becomes a path here. Collisions are judged without case: some file systems ignore it.
    """
    seen = {MANIFEST_NAME}
    for entry in manifest.files:
        plain = entry.name.lower()
        if entry.name != Path(entry.name).name or "\\" in plain or plain.startswith("."):
            raise StorageError("invalid-manifest", f"{entry.name!r} is no plain file name")
        if plain in seen:
            raise StorageError("invalid-manifest", f"two files are named {entry.name!r}")
        seen.add(plain)
    if len(manifest.files) > MAX_BUNDLE_FILES:
        raise StorageError(
            "invalid-manifest", f"the manifest lists more than {MAX_BUNDLE_FILES} files"
        )


def _holds_nothing_else(dest: Path, manifest: Manifest) -> bool:
    """Whether a folder is there with files of this bundle's names alone, whatever is in them."""
    names = {MANIFEST_NAME, *(entry.name for entry in manifest.files)}
    try:
        found = list(dest.iterdir())
    except OSError:
        return False
    return bool(found) and all(path.name in names and path.is_file() for path in found)


def _damaged(dest: Path, manifest: Manifest) -> list[BundleFile]:
    return [entry for entry in manifest.files if _digest_of(dest / entry.name) != entry.sha256]


def _digest_of(path: Path) -> str:
    """The sha256 of a file; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _write_manifest(dest: Path, manifest: bytes) -> None:
    """Puts the manifest into a folder where it is not there as it should be."""
    if _digest_of(dest / MANIFEST_NAME) == sha256_hex(manifest):
        return
    with DigestingFile(dest, where=str(dest), max_bytes=MAX_MANIFEST_BYTES) as file:
        file.write(manifest)
        file.commit(dest / MANIFEST_NAME)


def _finish(partial: Path, dest: Path, manifest: bytes) -> None:
    _write_manifest(partial, manifest)
    sync_directory(partial)
    if dest.exists():
        shutil.rmtree(dest)
    partial.rename(dest)
    sync_directory(dest.parent)
