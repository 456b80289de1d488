"""Typed view of ``ExecutorStaking``."""

from __future__ import annotations

import asyncio
from typing import Any

from gateless.adapters.chain.calls import STAKING
from gateless.adapters.chain.contract import BoundContract, optional
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.rpc import Rpc
from gateless.core.types import AllocationInfo, ExecutorInfo, StakingLimits

PAGE = 100


class StakingReader(BoundContract):
    """Reads stakes, allocations and executors' profiles."""

    def __init__(self, rpc: Rpc, deployment: Deployment) -> None:
        super().__init__(rpc, deployment, STAKING)

    async def limits(self) -> StakingLimits:
        """The contract's constants."""
        delay, minimum, burn = await asyncio.gather(
            self.call("EXIT_DELAY"), self.call("MIN_STAKE"), self.call("BURN_ADDRESS")
        )
        return StakingLimits(int(delay), int(minimum), burn)

    async def free_stake(self, executor: str) -> int:
        """Stake that backs nothing."""
        return int(await self.call("freeStake", executor))

    async def total_stake(self, executor: str) -> int:
        """Free plus allocated stake."""
        return int(await self.call("totalStake", executor))

    async def credit_of(self, account: str) -> int:
        """Compensations that the account can withdraw."""
        return int(await self.call("creditOf", account))

    async def allocation(self, executor: str, slasher: str) -> AllocationInfo:
        """Stake that an executor allocated to a slasher."""
        stored, available = await asyncio.gather(
            self.call("allocation", executor, slasher), self.call("available", executor, slasher)
        )
        return AllocationInfo(
            allocated=stored["allocated"],
            locked=stored["locked"],
            exiting=stored["exiting"],
            exit_ready_at=stored["exitReadyAt"],
            available=int(available),
        )

    async def executor_count(self) -> int:
        """Number of executors that ever set a profile."""
        return int(await self.call("executorCount"))

    async def executors(self, offset: int = 0, limit: int = PAGE) -> list[ExecutorInfo]:
        """A page of executors that ever set a profile."""
        addresses = await self.call("executors", offset, limit)
        return list(await asyncio.gather(*(self.executor(address) for address in addresses)))

    async def executor(self, address: str) -> ExecutorInfo:
        """Stake and profile of an executor; zeros for an account that never staked."""
        profile, free, total = await asyncio.gather(
            self.call("profileOf", address), self.free_stake(address), self.total_stake(address)
        )
        return ExecutorInfo(
            address=address,
            free=free,
            total=total,
            endpoint=profile["endpoint"],
            receipt_key=optional(profile["receiptKey"]),
            min_price=profile["minPrice"],
            capacity=profile["capacity"],
        )

    async def enrolled_executors(self, version_id: int) -> list[str]:
        """Addresses of all executors that serve a version."""
        return [str(entry) for entry in await self._pages("enrolledExecutors", version_id)]

    async def enrolled_versions(self, executor: str) -> list[int]:
        """Ids of all versions that an executor serves."""
        return [int(entry) for entry in await self._pages("enrolledVersions", executor)]

    async def is_enrolled(self, executor: str, version_id: int) -> bool:
        """Whether an executor serves a version."""
        return bool(await self.call("isEnrolled", executor, version_id))

    async def _pages(self, function: str, key: Any) -> list[Any]:
        found: list[Any] = []
        while True:
            page = await self.call(function, key, len(found), PAGE)
            found.extend(page)
            if len(page) < PAGE:
                return found
