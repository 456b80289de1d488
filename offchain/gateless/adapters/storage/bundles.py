"""Bundles in a content store: a manifest and the files that it lists."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from gateless.adapters.storage.atomic_file import sync_directory
from gateless.adapters.storage.protocol import DEFAULT_MAX_BYTES, BlobStore
from gateless.core.errors import StorageError
from gateless.core.ids import parse_digest, sha256_hex
from gateless.core.manifest import MAX_MANIFEST_BYTES, Manifest, parse_manifest

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

    A ``dest`` that holds this bundle already, every digest right, is returned as it is; any other
    is replaced.

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
    if await asyncio.to_thread(_is_complete, dest, manifest, digest):
        return dest
    partial = dest.parent / f".{dest.name}.{secrets.token_hex(6)}.part"
    try:
        await asyncio.to_thread(partial.mkdir, parents=True)
        total = max(1, sum(entry.size for entry in manifest.files))
        done = 0
        for entry in manifest.files:
            # The listed size is a limit too: a file can never grow beyond what was announced.
            await store.fetch_to(entry.sha256, partial / entry.name, max_bytes=entry.size)
            done += entry.size
            if progress is not None:
                progress(entry.name, done / total)
        await asyncio.to_thread(_finish, partial, dest, data)
    finally:
        await asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True)
    return dest


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


def _is_complete(dest: Path, manifest: Manifest, digest: str) -> bool:
    try:
        if sha256_hex((dest / MANIFEST_NAME).read_bytes()) != digest:
            return False
        return all(_digest_of(dest / entry.name) == entry.sha256 for entry in manifest.files)
    except OSError:
        return False


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _finish(partial: Path, dest: Path, manifest: bytes) -> None:
    (partial / MANIFEST_NAME).write_bytes(manifest)
    sync_directory(partial)
    if dest.exists():
        shutil.rmtree(dest)
    partial.rename(dest)
    sync_directory(dest.parent)
