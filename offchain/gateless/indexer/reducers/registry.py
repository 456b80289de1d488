"""Models and versions: ``ModelRegistry``."""

from __future__ import annotations

from gateless.indexer.facts import Fact
from gateless.indexer.reducers.requests import Reducers
from gateless.indexer.workset import WorkingSet

#: The alias of the version that a holder wants a model to be shown by.
STABLE = "stable"


def _registered(rows: WorkingSet, fact: Fact) -> None:
    model = rows.edit("models", fact.args["modelId"])
    model["name"] = fact.args["name"]
    model["creator"] = fact.args["creator"]
    model["created_at"] = fact.at


def _transferred(rows: WorkingSet, fact: Fact) -> None:
    rows.edit("models", fact.args["tokenId"])["holder"] = fact.args["to"]


def _published(rows: WorkingSet, fact: Fact) -> None:
    params = fact.args["params"]
    version = rows.edit("versions", fact.args["versionId"])
    version.update(
        model_id=fact.args["modelId"],
        publisher=fact.args["publisher"],
        model_digest=params["modelDigest"].removeprefix("0x"),
        manifest_digest=params["manifestDigest"].removeprefix("0x"),
        io_schema=params["ioSchema"],
        binding=params["binding"],
        modes=params["modes"],
        royalty_bps=params["royaltyBps"],
        proof_seconds=params["proofSeconds"],
        repeatable=params["repeatable"],
        circuits=params["circuits"],
        uri=params["uri"],
        published_at=fact.at,
    )
    model = rows.edit("models", fact.args["modelId"])
    model["versions"] += 1
    model["latest"] = fact.args["versionId"]


def _deprecated(rows: WorkingSet, fact: Fact) -> None:
    version = rows.edit("versions", fact.args["versionId"])
    version["deprecated"] = fact.args["deprecated"]
    version["deprecation_reason"] = fact.args["reason"]


def _aliased(rows: WorkingSet, fact: Fact) -> None:
    alias, version = fact.args["aliasName"], fact.args["versionId"]
    rows.edit("aliases", fact.args["modelId"], alias).update(version_id=version, set_at=fact.at)
    if alias == STABLE:
        rows.edit("models", fact.args["modelId"])["stable"] = version


REGISTRY: Reducers = {
    "ModelRegistered": _registered,
    "Transfer": _transferred,
    "VersionPublished": _published,
    "VersionDeprecated": _deprecated,
    "AliasSet": _aliased,
}
