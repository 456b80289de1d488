"""Typed view of ``ModelRegistry``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from gateless.adapters.chain.calls import MARKET
from gateless.adapters.chain.contract import BoundContract
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.registry_calls import REGISTRY
from gateless.adapters.chain.rpc import Rpc
from gateless.core.errors import NotFoundError
from gateless.core.ids import split_version_id
from gateless.core.types import Circuit, InputBinding, ModelInfo, VersionInfo

DEFAULT_PAGE = 50


class RegistryReader(BoundContract):
    """Reads models, versions and aliases."""

    def __init__(self, rpc: Rpc, deployment: Deployment) -> None:
        super().__init__(rpc, deployment, REGISTRY)
        # Royalties are the market's business; a model's page shows them all the same.
        self._market = BoundContract(rpc, deployment, MARKET)

    async def model_count(self) -> int:
        """Number of models."""
        return int(await self.call("modelCount"))

    async def model_id_of(self, name: str) -> int:
        """Id of the model called ``name``.

        Raises:
            NotFoundError: ``unknown-model``.
        """
        model_id = int(await self.call("modelIdOf", name))
        if model_id == 0:
            raise NotFoundError(
                "unknown-model",
                f"there is no model {name!r}",
                hint="gateless model list shows what there is",
                name=name,
            )
        return model_id

    async def model(self, model_id: int) -> ModelInfo:
        """A model by id.

        Raises:
            NotFoundError: ``unknown-model``.
        """
        name, holder, count, royalties = await asyncio.gather(
            self.call("nameOf", model_id),
            self.call("ownerOf", model_id),
            self.call("versionCount", model_id),
            self._market.call("royaltyOf", model_id),
        )
        return ModelInfo(model_id, name, holder, int(count), int(royalties))

    async def models(self, offset: int = 0, limit: int = DEFAULT_PAGE) -> list[ModelInfo]:
        """A page of models in order of creation."""
        ids = await self.call("models", offset, limit)
        return list(await asyncio.gather(*(self.model(model_id) for model_id in ids)))

    async def version(self, version_id: int) -> VersionInfo:
        """A version by id.

        Raises:
            NotFoundError: ``unknown-version``.
        """
        stored, circuits, uri, io_schema = await asyncio.gather(
            self.call("version", version_id),
            self.call("circuits", version_id),
            self.call("uri", version_id),
            self.call("ioSchema", version_id),
        )
        if stored["publishedAt"] == 0:
            raise NotFoundError(
                "unknown-version",
                f"there is no version {version_id}",
                hint="gateless model show lists a model's versions",
                version_id=version_id,
            )
        return _version(version_id, stored, circuits, uri, io_schema)

    async def versions(
        self, model_id: int, offset: int = 0, limit: int = DEFAULT_PAGE
    ) -> list[VersionInfo]:
        """A page of a model's versions in order of publication.

        Raises:
            NotFoundError: ``unknown-model``.
        """
        ids = await self.call("versions", model_id, offset, limit)
        return list(await asyncio.gather(*(self.version(version_id) for version_id in ids)))

    async def resolve_alias(self, model_id: int, alias: str) -> int:
        """Id of the version that an alias points at now.

        Raises:
            NotFoundError: ``unknown-model``, ``unknown-alias``.
        """
        return int(await self.call("resolveAlias", model_id, alias))

    async def holder_of(self, model_id: int) -> str:
        """Who holds the model's token.

        Raises:
            NotFoundError: ``unknown-model``.
        """
        return str(await self.call("ownerOf", model_id))


def _version(
    version_id: int,
    stored: Mapping[str, Any],
    circuits: list[Mapping[str, Any]],
    uri: str,
    io_schema: bytes,
) -> VersionInfo:
    model_id, index = split_version_id(version_id)
    return VersionInfo(
        version_id=version_id,
        model_id=model_id,
        index=index,
        model_digest=stored["modelDigest"].hex(),
        manifest_digest=stored["manifestDigest"].hex(),
        circuits_hash=stored["circuitsHash"],
        published_at=stored["publishedAt"],
        royalty_bps=stored["royaltyBps"],
        modes=stored["modes"],
        binding=InputBinding(stored["binding"]),
        proof_seconds=stored["proofSeconds"],
        repeatable=stored["repeatable"],
        deprecated=stored["deprecated"],
        uri=uri,
        io_schema=io_schema,
        circuits=tuple(
            Circuit(
                vka_digest=circuit["vkaDigest"],
                role=circuit["role"],
                batch_size=circuit["batchSize"],
                proof_length=circuit["proofLength"],
                digit_bits=circuit["digitBits"],
                digits_per_word=circuit["digitsPerWord"],
            )
            for circuit in circuits
        ),
    )
