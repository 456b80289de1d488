"""Everything about receipts that an executor's loop drives: the desk, the pools, the defence."""

from __future__ import annotations

from gateless.adapters.chain.court_calls import COURT
from gateless.adapters.signer import Signer
from gateless.executor.auditor import Auditor
from gateless.executor.parts import Parts
from gateless.executor.proofs import Proofs
from gateless.executor.receipts.defence import Defence
from gateless.executor.receipts.desk import ReceiptDesk
from gateless.executor.receipts.pools import PoolKeeper
from gateless.executor.status import Problem


class ReceiptCounter:
    """Receipts of one executor.

    Challenges are answered and pools let go of whether or not receipts are signed now: what was
    signed before may still be doubted.

    Args:
        parts: what to work with.
        proofs: makes them.
        auditor: looks at versions before receipts are signed for them.
        me: the executor.
        key: signs receipts; None signs none.

    Attributes:
        desk: answers direct calls; None where no receipts are signed.
    """

    def __init__(
        self, parts: Parts, proofs: Proofs, auditor: Auditor, me: str, key: Signer | None
    ) -> None:
        config = parts.config.receipts
        self._parts = parts
        self._auditor = auditor
        self.desk: ReceiptDesk | None = None
        self._defence: Defence | None = None
        self._pools: PoolKeeper | None = None
        if COURT not in parts.client.deployment.contracts:
            return
        self._defence = Defence(parts, proofs)
        self._pools = PoolKeeper(parts, me, None if key is None else key.address, config)
        if key is not None and config is not None:
            at_once = parts.config.intake.direct_at_once
            self.desk = ReceiptDesk(parts, auditor, me, key, config, at_once=at_once)

    @property
    def problems(self) -> list[Problem]:
        """What keeps receipts from being signed or kept."""
        return [
            problem
            for part in (self._defence, self._pools)
            if part is not None
            for problem in part.problems
        ]

    async def look(self) -> None:
        """Starts what is to be done; for the executor's loop."""
        if self.desk is not None:
            # The first who calls shall not wait for keys that take minutes.
            self._auditor.look((await self._parts.standing.current()).enrolled)
        if self._defence is not None:
            self._defence.look()
        if self._pools is not None:
            self._pools.look()

    def close(self) -> None:
        """Signs and opens nothing more; challenges are still answered."""
        if self.desk is not None:
            self.desk.close()
        if self._pools is not None:
            self._pools.close()

    async def drain(self) -> None:
        """Waits for the answers that are under way."""
        if self._defence is not None:
            await self._defence.drain()

    async def stop(self) -> None:
        """Stops at once; the journal knows where to go on."""
        await self._auditor.stop()
        for part in (self._defence, self._pools):
            if part is not None:
                await part.stop()
