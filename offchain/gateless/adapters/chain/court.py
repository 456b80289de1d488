"""Typed view of ``ReceiptCourt``."""

from __future__ import annotations

import asyncio

from gateless.adapters.chain.contract import LATEST, PENDING, BoundContract, optional
from gateless.adapters.chain.court_calls import COURT
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.rpc import Rpc
from gateless.core.claims import (
    ClaimInfo,
    ClaimQueue,
    ClaimState,
    CourtLimits,
    PoolInfo,
    PoolState,
    ReceiptFlaw,
    SlotState,
)
from gateless.core.errors import NotFoundError
from gateless.core.receipts import Court, Receipt, SignedReceipt

_LIMITS = (
    "EPOCH_LENGTH",
    "MAX_RECEIPT_LIFE",
    "RESPONSE_WINDOW",
    "MIN_BOND",
    "MIN_CHALLENGE_BOND",
    "MAX_CHALLENGE_BOND",
    "MAX_CAPACITY",
    "REWARD_BPS",
    "EXECUTOR_BPS",
    "MAX_INPUT_LENGTH",
)


class CourtReader(BoundContract):
    """Reads pools, claims and balances of the court.

    Raises:
        ConfigError: ``unknown-contract`` where the network has no court.
    """

    def __init__(self, rpc: Rpc, deployment: Deployment) -> None:
        super().__init__(rpc, deployment, COURT)
        self._limits: CourtLimits | None = None
        #: What receipts for this court are signed for.
        self.court = Court(deployment.chain_id, self.address)

    async def limits(self) -> CourtLimits:
        """The contract's constants; read once, they cannot change."""
        if self._limits is None:
            values = await asyncio.gather(*(self.call(name) for name in _LIMITS))
            self._limits = CourtLimits(*(int(value) for value in values))
        return self._limits

    # --- pools ---

    async def pool(self, executor: str, epoch: int, *, block: str = LATEST) -> PoolInfo:
        """What backs an executor's receipts of an epoch; state ``NONE`` where nothing does."""
        stored = await self.call("poolOf", executor, epoch, block=block)
        return PoolInfo(
            pool_id=stored["poolId"],
            state=PoolState(stored["state"]),
            receipt_key=stored["receiptKey"],
            bond=stored["bond"],
            challenge_bond=stored["challengeBond"],
            capacity=stored["capacity"],
            slashed_slots=stored["slashedSlots"],
            open_claims=stored["openClaims"],
            reporter=optional(stored["reporter"]),
            locked=stored["locked"],
            starts=stored["starts"],
            ends=stored["ends"],
            releasable_at=stored["releasableAt"],
            in_exit=stored["inExit"],
        )

    async def slot(self, executor: str, epoch: int, slot: int) -> SlotState:
        """What a slot is worth now."""
        return SlotState(await self.call("slotOf", executor, epoch, slot))

    # --- receipts ---

    async def digest(self, receipt: Receipt) -> bytes:
        """EIP-712 digest of a receipt, by the court's own reckoning."""
        return bytes(await self.call("digestOf", receipt.struct()))

    async def flaw(self, signed: SignedReceipt) -> ReceiptFlaw:
        """What would keep a challenge from being mined now; ``NONE`` where nothing does."""
        values = (signed.receipt.struct(), signed.signature)
        return ReceiptFlaw(await self.call("flawOf", *values, block=PENDING))

    async def is_proven(self, receipt: Receipt) -> bool:
        """Whether what the receipt says was ever proven here: then it cannot be challenged."""
        return bool(
            await self.call(
                "isProven", receipt.version_id, receipt.input_binding, receipt.output_digest
            )
        )

    # --- claims ---

    async def claim_count(self) -> int:
        """Number of claims ever entered; ids go from 1 to this."""
        return int(await self.call("claimCount"))

    async def claim(self, claim_id: int) -> ClaimInfo:
        """A claim.

        Raises:
            NotFoundError: ``unknown-claim``.
        """
        stored = await self.call("claimOf", claim_id)
        if stored["state"] == ClaimState.NONE:
            raise NotFoundError(
                "unknown-claim",
                f"there is no claim {claim_id}",
                hint="check the claim's number and the network",
                claim_id=claim_id,
            )
        return ClaimInfo(
            claim_id=claim_id,
            state=ClaimState(stored["state"]),
            challenger=stored["challenger"],
            committed_block=stored["committedBlock"],
            commitment=stored["commitment"],
            deadline=stored["deadline"],
            subject=stored["subject"],
            version_id=stored["versionId"],
            pool_id=stored["poolId"],
            slot=stored["slot"],
            beneficiary=optional(stored["beneficiary"]),
            price=stored["price"],
        )

    async def queue(self, executor: str) -> ClaimQueue:
        """An executor's open claims."""
        stored = await self.call("queueOf", executor)
        return ClaimQueue(stored["open"], stored["lastDeadline"], stored["everOpened"])

    # --- money ---

    async def balance_of(self, account: str) -> int:
        """What an account can withdraw or challenge with."""
        return int(await self.call("balanceOf", account))

    async def pending_burn(self) -> int:
        """What failed challenges left for burning."""
        return int(await self.call("pendingBurn"))
