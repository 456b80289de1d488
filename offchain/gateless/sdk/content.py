"""Manifests and bundles, by their digest, from wherever they are held.

Order: the own store, the URI that the publisher stated, the stores of the executors who serve the
version. None of them is trusted; the digest on chain decides.
"""

from __future__ import annotations

import asyncio
import shutil

from gateless_proofs import Bundle, load_bundle

from gateless.adapters.storage import BlobStore, CachingStore, HttpStore, fetch_bundle
from gateless.core.errors import InputError, StorageError
from gateless.core.manifest import MAX_MANIFEST_BYTES, Binding, Manifest, parse_manifest
from gateless.core.types import InputBinding, VersionInfo
from gateless.sdk.catalogue import Catalogue
from gateless.sdk.progress import ProgressSink, Step, ignore
from gateless.sdk.results import ResolvedVersion

_BINDINGS = {Binding.PACKED: InputBinding.PACKED, Binding.KZG: InputBinding.KZG}


def binding_of(manifest: Manifest) -> InputBinding:
    """The manifest's input binding as the chain numbers it."""
    return _BINDINGS[manifest.binding]


class Content(Catalogue):
    """Fetches the files of versions."""

    async def manifest(self, ref: str | int, *, progress: ProgressSink = ignore) -> Manifest:
        """The manifest of a version, checked against the chain.

        Raises:
            StorageError: ``content-not-found``, ``content-tampered``, ``manifest-mismatch``, ...
        """
        return await self._manifest_of(await self.resolve(ref), progress)

    async def bundle(self, ref: str | int, *, progress: ProgressSink = ignore) -> Bundle:
        """The bundle of a version, fetched where needed, every digest checked."""
        return await self._bundle_of(await self.resolve(ref), progress)

    async def _manifest_of(self, resolved: ResolvedVersion, progress: ProgressSink) -> Manifest:
        version = resolved.version
        progress(Step("fetch-manifest", f"fetching the manifest of {resolved.label}"))
        sources = await self._sources(version)
        manifest = parse_manifest(
            await sources.get(version.manifest_digest, max_bytes=MAX_MANIFEST_BYTES)
        )
        # The digest proves that it is the publisher's file; it must also tell the chain's story.
        if manifest.schema_of_io().encode() != version.io_schema:
            raise StorageError(
                "manifest-mismatch",
                f"the manifest of {resolved.label} describes other tensors than the chain",
                hint="its publisher made a mistake or cheats; use another version",
            )
        return manifest

    async def _bundle_of(self, resolved: ResolvedVersion, progress: ProgressSink) -> Bundle:
        digest = resolved.version.manifest_digest
        root = self.services.bundles / digest
        stage = f"fetching the files of {resolved.label}"

        def report(_name: str, fraction: float) -> None:
            progress(Step("fetch-bundle", stage, fraction=fraction))

        report("", 0.0)
        sources = await self._sources(resolved.version)
        await fetch_bundle(sources, digest, root, report)
        try:
            return await asyncio.to_thread(load_bundle, root, digest)
        except StorageError:
            # A copy that was damaged on disk after it had been fetched: replaced once.
            await asyncio.to_thread(shutil.rmtree, root)
            await fetch_bundle(sources, digest, root, report)
            return await asyncio.to_thread(load_bundle, root, digest)

    async def _sources(self, version: VersionInfo) -> BlobStore:
        urls = [version.uri]
        for address in await self.chain.staking.enrolled_executors(version.version_id):
            urls.append((await self.chain.staking.executor(address)).endpoint)
        usable: list[str] = []
        for url in dict.fromkeys(urls):
            try:
                HttpStore([url], self.services.http)
            except InputError:
                continue  # empty, or a scheme of the future: others may still serve the content
            usable.append(url)
        return CachingStore(self.services.store, HttpStore(usable, self.services.http))
