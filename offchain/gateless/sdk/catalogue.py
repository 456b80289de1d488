"""Finding models and versions."""

from __future__ import annotations

from gateless.core.errors import NotFoundError
from gateless.core.ids import split_version_id, version_id
from gateless.core.types import ModelInfo, VersionInfo
from gateless.sdk.references import DEFAULT_ALIAS, Reference, check_model_name, parse_reference
from gateless.sdk.results import ModelDetails, ResolvedVersion
from gateless.sdk.services import Operations

PAGE = 100


class Catalogue(Operations):
    """Reads the registry."""

    async def models(self, offset: int = 0, limit: int = 50) -> tuple[ModelInfo, ...]:
        """A page of models in order of creation."""
        return tuple(await self.chain.registry.models(offset, limit))

    async def model_count(self) -> int:
        """Number of models in the registry."""
        return await self.chain.registry.model_count()

    async def model(self, name: str) -> ModelDetails:
        """A model with its versions and aliases.

        Raises:
            InputError: ``invalid-name``.
            NotFoundError: ``unknown-model``.
        """
        model = await self._model_named(check_model_name(name))
        return ModelDetails(
            model=model,
            versions=await self._versions(model.model_id, model.version_count),
            aliases=await self._aliases(model.model_id),
        )

    async def resolve(self, ref: str | int) -> ResolvedVersion:
        """The version that ``name``, ``name@alias``, ``name@3`` or a version id means now.

        A deprecated version is returned with a warning: the holder's advice forbids nothing.

        Raises:
            InputError: ``invalid-reference``.
            NotFoundError: ``unknown-model``, ``unknown-version``, ``unknown-alias``.
        """
        reference = parse_reference(ref)
        if reference.version_id is not None:
            version = await self.chain.registry.version(reference.version_id)
            model = await self.chain.registry.model(split_version_id(reference.version_id)[0])
        else:
            model = await self._model_named(str(reference.name))
            version = await self._version_of(model, reference)
        resolved = ResolvedVersion(model, version)
        return ResolvedVersion(model, version, _advice(resolved))

    async def _model_named(self, name: str) -> ModelInfo:
        registry = self.chain.registry
        return await registry.model(await registry.model_id_of(name))

    async def _version_of(self, model: ModelInfo, reference: Reference) -> VersionInfo:
        registry = self.chain.registry
        if reference.index is not None:
            if reference.index >= model.version_count:
                raise NotFoundError(
                    "unknown-version",
                    f"{model.name!r} has no version {reference.index}",
                    hint=f"see its versions: gateless model show {model.name}",
                )
            return await registry.version(version_id(model.model_id, reference.index))
        alias = reference.alias or DEFAULT_ALIAS
        if model.version_count == 0:
            raise NotFoundError(
                "unknown-version",
                f"{model.name!r} has no version yet",
                hint="its holder has not published any; choose another model",
            )
        return await registry.version(await registry.resolve_alias(model.model_id, alias))

    async def _versions(self, model_id: int, count: int) -> tuple[VersionInfo, ...]:
        found: list[VersionInfo] = []
        while len(found) < count:
            page = await self.chain.registry.versions(model_id, len(found), PAGE)
            if not page:
                break
            found.extend(page)
        return tuple(found)

    async def _aliases(self, model_id: int) -> dict[str, int]:
        """Aliases from the log: the registry keeps no list of them."""
        start = self.chain.deployment.start_block
        latest = await self.chain.block()
        events = await self.chain.events(["AliasSet"], start, latest.number)
        return {
            str(event.args["aliasName"]): int(event.args["versionId"])
            for event in events
            if int(event.args["modelId"]) == model_id
        }


def _advice(resolved: ResolvedVersion) -> tuple[str, ...]:
    if not resolved.version.deprecated:
        return ()
    return (
        f"{resolved.label} is deprecated: its publisher advises against using it"
        f" (see: gateless model show {resolved.model.name})",
    )
