"""Checking that a published version is what it says: its key comes from its model."""

from __future__ import annotations

from gateless_proofs import AuditReport, Check, Limits, audit_bundle

from gateless.core.manifest import FileRole, Manifest
from gateless.core.types import VersionInfo
from gateless.sdk.content import Content, binding_of
from gateless.sdk.progress import ProgressSink, fractions, ignore
from gateless.sdk.results import ResolvedVersion


class Auditing(Content):
    """Audits of versions."""

    async def audit(
        self, ref: str | int, *, limits: Limits | None = None, progress: ProgressSink = ignore
    ) -> tuple[ResolvedVersion, AuditReport]:
        """Fetches a version's bundle, makes its keys again and compares them with the chain.

        Trusts nobody: neither the publisher, nor the stores, nor the deployment's owner.
        """
        resolved = await self.resolve(ref)
        bundle = await self._bundle_of(resolved, progress)
        report = await audit_bundle(
            bundle,
            self.services.keys,
            onchain=[circuit.vka_digest for circuit in resolved.version.circuits],
            limits=limits or Limits(),
            progress=fractions(progress, "audit "),
        )
        stated = registry_check(resolved.version, bundle.manifest)
        return resolved, AuditReport(report.ok and stated.ok, (stated, *report.checks))


def registry_check(version: VersionInfo, manifest: Manifest) -> Check:
    """Whether the registry says of the version what its manifest says."""
    pinned = [(circuit.batch_size, circuit.proof_length) for circuit in version.circuits]
    listed = [(circuit.batch_size, circuit.proof_length) for circuit in manifest.circuits]
    differing = [
        name
        for name, same in (
            ("model digest", version.model_digest == manifest.file(FileRole.MODEL).sha256),
            ("tensors", version.io_schema == manifest.schema_of_io().encode()),
            ("input binding", version.binding is binding_of(manifest)),
            ("circuits", pinned == listed),
            ("repeatability", version.repeatable == manifest.execution.repeatable),
            ("proof time", version.proof_seconds == manifest.proof_seconds),
        )
        if not same
    ]
    detail = f"differs: {', '.join(differing)}" if differing else "registry and manifest agree"
    return Check("registry", not differing, detail)
