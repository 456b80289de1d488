"""Makes a version ready to be served or judged, before any money is put on it.

The chain names the manifest, the manifest names the files by digest. Here everything is fetched,
compared with the chain, and the proving key is made again from the published circuit, so that
nothing that a publisher claims has to be believed. Files that were damaged since are fetched again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from gateless_proofs import Bundle, KeyCache, load_bundle
from gateless_proofs.intactness import require_intact

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.storage import fetch_bundle
from gateless.core.errors import GatelessError, ProofError, StorageError
from gateless.core.manifest import Binding, FileRole
from gateless.core.types import CircuitRole, InputBinding, VersionInfo
from gateless.daemon.content import ContentSources

log = structlog.get_logger(__name__)

_BINDINGS = {Binding.PACKED: InputBinding.PACKED, Binding.KZG: InputBinding.KZG}


@dataclass(frozen=True, slots=True)
class ReadyVersion:
    """A version whose files and keys are here and are what the chain says.

    ``circuit_index`` is the circuit that proves single inferences.
    """

    info: VersionInfo
    bundle: Bundle
    circuit_index: int

    @property
    def batch_circuits(self) -> tuple[int, ...]:
        """The circuits that prove several inferences at once."""
        return tuple(
            index
            for index, circuit in enumerate(self.info.circuits)
            if circuit.role == CircuitRole.WHOLE and circuit.batch_size > 1
        )

    def batch_size(self, circuit_index: int) -> int:
        """Inferences that one proof of a circuit is for."""
        return self.info.circuits[circuit_index].batch_size


class Versions:
    """Prepares versions, each once, and again where its files were damaged.

    Args:
        client: the chain.
        sources: where bundles come from.
        keys: makes proving keys again and compares them. Whoever shares them and finds a damaged
            file has it fetched again.
        bundles: folder in which bundles are laid out, by manifest digest.
        me: own address: the own endpoint is not asked.
        max_bundle_bytes: largest bundle that is fetched.
    """

    def __init__(
        self,
        client: ChainClient,
        sources: ContentSources,
        keys: KeyCache,
        bundles: Path,
        me: str,
        *,
        max_bundle_bytes: int,
    ) -> None:
        self._client = client
        self._sources = sources
        self._keys = keys
        self._bundles = bundles
        self._me = me
        self._max_bundle_bytes = max_bundle_bytes
        self._ready: dict[int, ReadyVersion] = {}
        self._unproven: dict[int, tuple[VersionInfo, Bundle]] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._making = asyncio.Lock()

    @property
    def ready(self) -> tuple[ReadyVersion, ...]:
        """The versions that were prepared since the start."""
        return tuple(self._ready.values())

    def known(self, version_id: int) -> ReadyVersion | None:
        """A version that was prepared before; None where that has not happened yet."""
        return self._ready.get(version_id)

    async def prepare(self, version_id: int) -> ReadyVersion:
        """A version ready to be served.

        Raises:
            NotFoundError: ``unknown-version``.
            StorageError: ``content-not-found``, ``content-tampered``, ``store-unreachable``,
                ``manifest-mismatch``, ...
            ProofError: ``key-mismatch``, ``vka-not-registered``, ``wrong-srs``,
                ``no-usable-circuit``.
        """
        async with self._locks.setdefault(version_id, asyncio.Lock()):
            ready = self._ready.get(version_id)
            if ready is None:
                ready = await self._prepare(version_id)
            else:
                ready = replace(ready, bundle=await self._intact(ready.info, ready.bundle))
            self._ready[version_id] = ready
            return ready

    async def make_key(self, bundle: Bundle, circuit_index: int) -> None:
        """Makes the proving key of a circuit, and its reference string, where they are missing.

        One at a time: it is done beside the proofs, outside of the memory that is theirs.

        Raises:
            ProofError: ``key-mismatch``, ``srs-mismatch``, ``setup-failed``.
            SandboxError: ``memory-limit``, ``time-limit``, ``worker-crashed``.
            StorageError: ``bundle-damaged``.
        """
        async with self._making:
            try:
                await self._keys.proving_key(bundle, circuit_index)
            except (GatelessError, OSError):
                await require_intact(bundle, self._keys.fingerprints, anew=True)
                raise

    async def _prepare(self, version_id: int) -> ReadyVersion:
        info = await self._client.registry.version(version_id)
        index = _circuit_of(info)
        if not await self._client.verifier.is_registered(info.circuits[index].vka_digest):
            raise ProofError(
                "vka-not-registered",
                f"the verifying key of version {version_id} is not on chain",
                hint="anyone may register it; until then no proof of this version can be verified",
                version_id=version_id,
            )
        bundle = await self._files(info)
        if bundle.manifest.required_srs.kind != self._client.deployment.srs:
            raise ProofError(
                "wrong-srs",
                f"version {version_id} was made with the {bundle.manifest.required_srs.kind} SRS",
                hint=f"this network accepts {self._client.deployment.srs} only",
            )
        await self.make_key(bundle, index)
        return ReadyVersion(info, bundle, index)

    async def unproven(self, version_id: int) -> tuple[VersionInfo, Bundle]:
        """A version's files, compared with the chain, for answers that nobody proves.

        Raises:
            NotFoundError: ``unknown-version``.
            StorageError: as :meth:`prepare`.
        """
        async with self._locks.setdefault(version_id, asyncio.Lock()):
            known = self._unproven.get(version_id)
            if known is None:
                info = await self._client.registry.version(version_id)
                bundle = await self._files(info)
            else:
                info, bundle = known[0], await self._intact(*known)
            self._unproven[version_id] = (info, bundle)
            return info, bundle

    async def _intact(self, info: VersionInfo, bundle: Bundle) -> Bundle:
        """A version's files, fetched again where they are not what they were.

        Raises:
            StorageError: as :meth:`prepare`.
        """
        try:
            await require_intact(bundle, self._keys.fingerprints)
        except StorageError as error:
            log.warning("bundle-damaged", version_id=info.version_id, message=error.message)
            bundle = await self._files(info)
            log.info("bundle-repaired", version_id=info.version_id)
        return bundle

    async def _files(self, info: VersionInfo) -> Bundle:
        store = await self._sources.store_for(info, self._client, self._me)
        root = await fetch_bundle(
            store,
            info.manifest_digest,
            self._bundles / info.manifest_digest,
            max_bytes=self._max_bundle_bytes,
        )
        bundle = await asyncio.to_thread(load_bundle, root, info.manifest_digest)
        _compare(info, bundle)
        await self._keep(bundle)
        return bundle

    async def _keep(self, bundle: Bundle) -> None:
        """Puts what is missing into the own store: whoever serves a version serves its files."""
        store = self._sources.local
        for entry in bundle.manifest.files:
            if not await store.has(entry.sha256):
                await store.put(bundle.path(entry.sha256))


def _circuit_of(info: VersionInfo) -> int:
    for index, circuit in enumerate(info.circuits):
        if circuit.role == CircuitRole.WHOLE and circuit.batch_size == 1:
            return index
    raise ProofError(
        "no-usable-circuit",
        f"version {info.version_id} has no circuit for single inferences",
        hint="it can be neither served nor judged here",
    )


def _compare(info: VersionInfo, bundle: Bundle) -> None:
    """Refuses a bundle that tells another story than the chain."""
    manifest = bundle.manifest
    if len(manifest.circuits) != len(info.circuits):
        raise _mismatch(info, "circuits")
    for stated, pinned in zip(manifest.circuits, info.circuits, strict=True):
        if (
            bytes.fromhex(stated.vka_digest.removeprefix("0x")) != pinned.vka_digest
            or stated.proof_length != pinned.proof_length
            or stated.batch_size != pinned.batch_size
            or stated.digit_bits != pinned.digit_bits
            or stated.digits_per_word != pinned.digits_per_word
        ):
            raise _mismatch(info, "circuits")
    if manifest.schema_of_io().encode() != info.io_schema:
        raise _mismatch(info, "tensors")
    if _BINDINGS[manifest.binding] is not info.binding:
        raise _mismatch(info, "input binding")
    if manifest.file(FileRole.MODEL).sha256 != info.model_digest:
        raise _mismatch(info, "model")
    if info.binding is InputBinding.KZG and len(manifest.inputs) > 1:
        raise ProofError(
            "no-usable-circuit",
            f"version {info.version_id} commits to {len(manifest.inputs)} input tensors",
            hint="only versions that commit to one input tensor are served or judged",
        )


def _mismatch(info: VersionInfo, what: str) -> StorageError:
    return StorageError(
        "manifest-mismatch",
        f"the manifest of version {info.version_id} and the chain disagree about its {what}",
        hint="the publisher made a mistake or cheats; do not use this version",
        version_id=info.version_id,
    )
