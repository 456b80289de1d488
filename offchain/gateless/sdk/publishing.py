"""Publishing a bundle as a new version.

Every step looks at the chain before it acts, so a second run after an interruption continues where
the first one stopped and never publishes the same manifest twice.
"""

from __future__ import annotations

from gateless_proofs import Bundle

from gateless.adapters.chain import registry_calls
from gateless.adapters.storage import put_bundle
from gateless.core.errors import ChainError, ConfigError, InputError, NotFoundError
from gateless.core.ids import split_version_id
from gateless.core.manifest import Binding, FileRole, Manifest
from gateless.core.types import (
    Circuit,
    CircuitRole,
    ModelInfo,
    TrustMode,
    VersionParams,
    mask_of,
)
from gateless.sdk.content import Content, binding_of
from gateless.sdk.progress import ProgressSink, Step, ignore
from gateless.sdk.references import check_model_name
from gateless.sdk.results import PublishResult, SentTransaction

_BASIS_POINTS = 10_000
_PENDING_SECONDS = 60.0
_ROLES = {"whole": CircuitRole.WHOLE}
_PROVEN = (TrustMode.ZK, TrustMode.LAZY_ZK)


class Publishing(Content):
    """Writes to the registry."""

    async def publish(
        self,
        bundle: Bundle,
        name: str,
        *,
        royalty_bps: int = 0,
        modes: tuple[TrustMode, ...] | None = None,
        uri: str = "",
        alias: str | None = None,
        progress: ProgressSink = ignore,
    ) -> PublishResult:
        """Publishes a bundle as the next version of the model ``name``.

        Registers the model and the keys where they are new, puts the files into the own store and
        points ``latest`` (and ``alias``) at the version.

        Args:
            bundle: what ``gateless_proofs.build_bundle`` made.
            name: name of the model; the signer must hold its token, or the name must be free.
            royalty_bps: the holder's part of every price, in basis points.
            modes: trust modes that requests may choose; by default those with proofs, or quorums
                where the bundle has no circuit.
            uri: address of a content store that serves the bundle; a hint, executors serve it too.
            alias: further alias to point at the version, such as ``stable``.
            progress: told about each step.

        Raises:
            InputError: ``invalid-name``, ``name-taken``, ``invalid-royalty``, ``no-modes``,
                ``no-circuit``, ``not-repeatable``.
            ConfigError: ``wrong-srs``.
        """
        check_model_name(name)
        if modes is None:
            modes = _PROVEN if bundle.manifest.circuits else (TrustMode.QUORUM,)
        check_modes(bundle.manifest, modes)
        self._check_terms(bundle, royalty_bps)
        for circuit in bundle.manifest.circuits:
            bundle.schema.check_row(
                packed_inputs=bundle.manifest.binding is Binding.PACKED,
                batch_size=circuit.batch_size,
                digits_per_word=circuit.digits_per_word,
            )
        sent: list[SentTransaction] = []
        await self._require_nothing_pending()
        model = await self._own_model(name)
        progress(Step("store-bundle", "putting the files into the content store"))
        digest = await put_bundle(self.services.store, bundle.root)
        found = await self._published(model, digest) if model is not None else None
        if found is None:
            await self._register_keys(bundle, sent, progress)
            if model is None:
                receipt, transaction = await self._send(
                    registry_calls.register_model(name), progress
                )
                sent.append(transaction)
                model_id = int(receipt.event("ModelRegistered").args["modelId"])
            else:
                model_id = model.model_id
            params = _version_params(bundle, digest, royalty_bps, modes, uri)
            receipt, transaction = await self._send(
                registry_calls.publish_version(model_id, params), progress
            )
            sent.append(transaction)
            version_id = int(receipt.event("VersionPublished").args["versionId"])
        else:
            model_id, version_id = split_version_id(found)[0], found
        if alias is not None and not await self._points_at(model_id, alias, version_id):
            _, transaction = await self._send(
                registry_calls.set_alias(model_id, alias, version_id), progress
            )
            sent.append(transaction)
        return PublishResult(
            model_id=model_id,
            name=name,
            version_id=version_id,
            index=split_version_id(version_id)[1],
            manifest_digest=digest,
            alias=alias,
            already_published=found is not None,
            transactions=tuple(sent),
        )

    async def set_alias(
        self, ref: str | int, alias: str, *, progress: ProgressSink = ignore
    ) -> SentTransaction:
        """Points an alias of the model at the version that ``ref`` means now."""
        version = (await self.resolve(ref)).version
        call = registry_calls.set_alias(version.model_id, alias, version.version_id)
        return (await self._send(call, progress))[1]

    async def deprecate(
        self,
        ref: str | int,
        reason: str,
        *,
        deprecated: bool = True,
        progress: ProgressSink = ignore,
    ) -> SentTransaction:
        """Advises against a version, or withdraws the advice. Forbids nothing."""
        version = (await self.resolve(ref)).version
        call = registry_calls.set_deprecated(version.version_id, deprecated, reason)
        return (await self._send(call, progress))[1]

    async def _require_nothing_pending(self) -> None:
        """Waits for transactions of an interrupted run, which might be this very publication."""
        clock = self.services.clock
        end = clock.monotonic() + _PENDING_SECONDS
        owner = self.signer.address
        while True:
            mined = await self.chain.rpc.quantity("eth_getTransactionCount", owner, "latest")
            known = await self.chain.rpc.quantity("eth_getTransactionCount", owner, "pending")
            if known <= mined:
                return
            if clock.monotonic() >= end:
                raise ChainError(
                    "transactions-pending",
                    f"{known - mined} earlier transactions of {owner} are not mined yet",
                    hint="one of them may be this publication; run the command again later",
                )
            await clock.sleep(self.services.poll_seconds)

    def _check_terms(self, bundle: Bundle, royalty_bps: int) -> None:
        if not 0 <= royalty_bps <= _BASIS_POINTS:
            raise InputError(
                "invalid-royalty",
                f"a royalty of {royalty_bps} basis points is not between 0 and {_BASIS_POINTS}",
                hint="100 basis points are 1 %",
            )
        accepted, srs = self.chain.deployment.srs, bundle.manifest.srs
        if srs is not None and srs.kind != accepted:
            raise ConfigError(
                "wrong-srs",
                f"the bundle's keys come from the {srs.kind} SRS,"
                f" {self.chain.deployment.name} accepts {accepted} only",
                hint="build the bundle for this network: gateless model publish MODEL.onnx …",
            )

    async def _own_model(self, name: str) -> ModelInfo | None:
        """The model of that name, which must be the signer's; ``None`` where the name is free."""
        try:
            model = await self._model_named(name)
        except NotFoundError as error:
            if error.code != "unknown-model":
                raise
            return None
        if model.holder.lower() != self.signer.address.lower():
            raise InputError(
                "name-taken",
                f"the model {name!r} belongs to {model.holder}",
                hint="choose another --name, or sign with the holder's wallet (--wallet)",
                holder=model.holder,
            )
        return model

    async def _published(self, model: ModelInfo, manifest_digest: str) -> int | None:
        for version in await self._versions(model.model_id, model.version_count):
            if version.manifest_digest == manifest_digest:
                return version.version_id
        return None

    async def _register_keys(
        self, bundle: Bundle, sent: list[SentTransaction], progress: ProgressSink
    ) -> None:
        for index, circuit in enumerate(bundle.manifest.circuits):
            digest = bytes.fromhex(circuit.vka_digest.removeprefix("0x"))
            if await self.chain.verifier.is_registered(digest):
                continue
            words = bundle.vka_words(index)
            sent.append((await self._send(registry_calls.register_vka(words), progress))[1])

    async def _points_at(self, model_id: int, alias: str, version_id: int) -> bool:
        try:
            current = await self.chain.registry.resolve_alias(model_id, alias)
        except NotFoundError:
            return False
        return int(current) == version_id


def check_modes(manifest: Manifest, modes: tuple[TrustMode, ...]) -> None:
    """Refuses modes that the version cannot keep.

    Raises:
        InputError: ``no-modes``, ``no-circuit``, ``not-repeatable``.
    """
    if not modes:
        raise InputError(
            "no-modes",
            "a version allows one trust mode at least",
            hint="name some of " + ", ".join(mode.name.lower() for mode in TrustMode),
        )
    proven = [mode.name for mode in modes if mode in _PROVEN]
    if proven and not manifest.circuits:
        raise InputError(
            "no-circuit",
            f"{manifest.name} has no circuit, so nothing can be proven under {' or '.join(proven)}",
            hint="build it with one of these modes, or publish it with --mode quorum",
        )
    if TrustMode.QUORUM in modes and not manifest.execution.repeatable:
        raise InputError(
            "not-repeatable",
            f"the outputs of {manifest.name} do not repeat to the byte, so no quorum would agree:"
            f" they changed {', '.join(manifest.execution.differing())}",
            hint="publish it for other modes, or remove what is random from the model",
            differing=list(manifest.execution.differing()),
        )


def _version_params(
    bundle: Bundle,
    manifest_digest: str,
    royalty_bps: int,
    modes: tuple[TrustMode, ...],
    uri: str,
) -> VersionParams:
    manifest = bundle.manifest
    return VersionParams(
        model_digest=manifest.file(FileRole.MODEL).sha256,
        manifest_digest=manifest_digest,
        io_schema=manifest.schema_of_io().encode(),
        binding=binding_of(manifest),
        modes=mask_of(modes),
        royalty_bps=royalty_bps,
        proof_seconds=manifest.proof_seconds,
        repeatable=manifest.execution.repeatable,
        circuits=tuple(
            Circuit(
                vka_digest=bytes.fromhex(circuit.vka_digest.removeprefix("0x")),
                role=_ROLES[circuit.role],
                batch_size=circuit.batch_size,
                proof_length=circuit.proof_length,
                digit_bits=circuit.digit_bits,
                digits_per_word=circuit.digits_per_word,
            )
            for circuit in manifest.circuits
        ),
        uri=uri,
    )
