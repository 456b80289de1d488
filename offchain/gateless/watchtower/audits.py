"""Whether a version's circuit allows one output only: before money is put on that.

A publisher could leave the weights open, or publish another circuit than the key's. Then a lie has
a proof, and whoever doubted it pays. So a version is audited before its first answer is challenged:
everything that makes its key sound is made again from the published files.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog
from gateless_proofs import KeyCache, Limits, audit_bundle
from gateless_proofs.audit import SOUNDNESS

from gateless.daemon.versions import ReadyVersion

log = structlog.get_logger(__name__)


class Audits(Protocol):
    """Whoever can say whether a version is sound."""

    async def flaw(self, ready: ReadyVersion) -> str:
        """What speaks against a version; empty where nothing does."""
        ...


class VersionAudits:
    """Audits versions, each that passes once.

    Args:
        keys: makes keys again.
        limits: of each subprocess.
    """

    def __init__(self, keys: KeyCache, limits: Limits) -> None:
        self._keys = keys
        self._limits = limits
        self._sound: set[int] = set()
        self._turn = asyncio.Lock()

    async def flaw(self, ready: ReadyVersion) -> str:
        """What speaks against a version; empty where nothing does."""
        version_id = ready.info.version_id
        async with self._turn:
            if version_id in self._sound:
                return ""
            report = await audit_bundle(
                ready.bundle,
                self._keys,
                onchain=[circuit.vka_digest for circuit in ready.info.circuits],
                limits=self._limits,
                only=SOUNDNESS,
            )
            for check in report.checks:
                if not check.ok:
                    log.warning("version-unsound", version_id=version_id, check=check.name)
                    return f"{check.name}: {check.detail}"
            self._sound.add(version_id)
            log.info("version-audited", version_id=version_id)
            return ""
