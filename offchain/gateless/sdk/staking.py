"""Becoming an executor and leaving again.

Both flows look at the chain before each step, so that running them again continues where an
interrupted run stopped.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateless.adapters.chain import calls
from gateless.adapters.chain.court_calls import COURT
from gateless.adapters.chain.lazy_calls import LAZY_MARKET
from gateless.adapters.chain.permit import sign_permit
from gateless.adapters.chain.purses import read_purses
from gateless.adapters.chain.quorum_calls import QUORUM_MEMBERS
from gateless.core.amounts import format_amount, plain_amount
from gateless.core.errors import FundsError, InputError
from gateless.core.ids import split_version_id
from gateless.core.types import ExecutorProfile
from gateless.sdk.accounts import Accounts
from gateless.sdk.progress import ProgressSink, ignore
from gateless.sdk.results import (
    ExecutorState,
    SentTransaction,
    StakeResult,
    Transfer,
    UnstakeResult,
)
from gateless.sdk.terms import checked_address

#: What stake can be behind, and the contract that it is allocated to.
BEHIND = {
    "proofs": calls.MARKET,
    "lazy": LAZY_MARKET,
    "receipts": COURT,
    "quorums": QUORUM_MEMBERS,
}


class Staking(Accounts):
    """The stake, profile and versions of the signer as an executor."""

    async def executor(self, address: str | None = None) -> ExecutorState:
        """Stake, profile, earnings and versions of an executor (default: the signer)."""
        owner = checked_address(address, "executor") or self.signer.address
        staking = self.chain.staking
        labels: list[str] = []
        for version in await staking.enrolled_versions(owner):
            model_id, index = split_version_id(version)
            labels.append(f"{(await self.chain.registry.model(model_id)).name}@{index}")
        return ExecutorState(
            executor=await staking.executor(owner),
            allocation=await staking.allocation(owner, self.chain.market.address),
            behind={
                what: found
                for what in BEHIND
                if BEHIND[what] in self.chain.deployment.contracts
                and (found := await staking.allocation(owner, self._slasher(what))).allocated
            },
            earnings=await self.chain.market.balance_of(owner),
            compensations=await staking.credit_of(owner),
            purses=await read_purses(self.chain, owner),
            versions=tuple(labels),
        )

    async def stake(
        self,
        amount: int,
        *,
        serve: Sequence[str | int] = (),
        endpoint: str | None = None,
        min_price: int | None = None,
        capacity: int | None = None,
        keep_free: bool = False,
        progress: ProgressSink = ignore,
    ) -> StakeResult:
        """Stakes, allocates all free stake to the market, states the profile and enrols.

        Args:
            amount: token units to add to the stake; 0 to change the rest only.
            serve: references of versions to enrol for.
            endpoint: base URL of the executor's content store; unchanged where ``None``.
            min_price: lowest price it works for, in token units; unchanged where ``None``.
            capacity: requests it works on at once; unchanged where ``None``.
            keep_free: leaves stake free, for quorums, lazy answers and receipts to take.
            progress: told about each step.

        Raises:
            FundsError: ``stake-too-low``, ``token-balance-too-low``; nothing was sent.
        """
        if amount < 0:
            raise InputError("invalid-amount", "a stake cannot be negative")
        versions = [(await self.resolve(ref)).version.version_id for ref in serve]
        before = await self.executor()
        await self._require_stake(before.executor.total + amount)
        sent: list[SentTransaction] = []
        staking = self.chain.staking
        if amount:
            deadline = await self._permit_deadline()
            permit = await sign_permit(self.chain, self.signer, staking.address, amount, deadline)
            sent.append((await self._send(calls.stake_with_permit(permit), progress))[1])
        free = await staking.free_stake(self.signer.address)
        if free and not keep_free:
            call = calls.allocate(self.chain.market.address, free)
            sent.append((await self._send(call, progress))[1])
        profile = ExecutorProfile(
            endpoint=before.executor.endpoint if endpoint is None else endpoint,
            receipt_key=before.executor.receipt_key or self.signer.address,
            min_price=before.executor.min_price if min_price is None else min_price,
            capacity=(before.executor.capacity or 1) if capacity is None else capacity,
        )
        stated = ExecutorProfile(
            before.executor.endpoint,
            before.executor.receipt_key,
            before.executor.min_price,
            before.executor.capacity,
        )
        # Who has nothing allocated has no profile yet, and for stake that is free none is needed.
        wished = (endpoint, min_price, capacity) != (None, None, None)
        if profile != stated and (wished or versions or not keep_free):
            sent.append((await self._send(calls.set_profile(profile), progress))[1])
        sent.extend(await self._enroll(versions, progress))
        return StakeResult(await self.executor(), tuple(sent))

    async def leave(
        self, refs: Sequence[str | int], *, progress: ProgressSink = ignore
    ) -> tuple[SentTransaction, ...]:
        """Stops serving versions; a bare model name means every version of it that is served.

        Raises:
            InputError: ``not-enrolled``; nothing was sent.
        """
        enrolled = await self.chain.staking.enrolled_versions(self.signer.address)
        leaving: list[int] = []
        for ref in refs:
            wanted = await self._meant(ref, enrolled)
            meant = [version for version in enrolled if version in wanted]
            if not meant:
                raise InputError(
                    "not-enrolled",
                    f"this executor does not serve {ref}",
                    hint="see what it serves: gateless executor status",
                )
            leaving += [version for version in meant if version not in leaving]
        return tuple(
            [(await self._send(calls.unenroll(version), progress))[1] for version in leaving]
        )

    async def _meant(self, ref: str | int, enrolled: Sequence[int]) -> set[int]:
        """The versions that a reference means to somebody who serves ``enrolled``."""
        resolved = await self.resolve(ref)
        if str(ref) != resolved.model.name:
            return {resolved.version.version_id}
        model_id = resolved.model.model_id
        return {version for version in enrolled if split_version_id(version)[0] == model_id}

    async def unstake(
        self,
        amount: int | None = None,
        *,
        behind: str = "proofs",
        progress: ProgressSink = ignore,
    ) -> UnstakeResult:
        """Takes stake out: asks for the exit first, and returns the money once the delay is over.

        Run it again after the time it states. Free stake returns at once. Stake that backs an open
        request stays until it ends.

        Args:
            amount: how much is to leave; default: all. Only for the run that asks for the exit.
            behind: what the stake backs: ``proofs``, ``lazy``, ``receipts`` or ``quorums``.
            progress: told about each step.

        Raises:
            FundsError: ``nothing-staked``.
            InputError: ``unknown-backing``.
        """
        staking, slasher = self.chain.staking, self._slasher(behind)
        sent: list[SentTransaction] = []
        allocation = await staking.allocation(self.signer.address, slasher)
        now = (await self.chain.block("pending")).timestamp
        if allocation.exiting:
            if now >= allocation.exit_ready_at and allocation.available + allocation.exiting:
                sent.append((await self._send(calls.complete_exit(slasher), progress))[1])
        elif allocation.allocated:
            wanted = allocation.allocated if amount is None else amount
            sent.append((await self._send(calls.request_exit(slasher, wanted), progress))[1])
        free = await staking.free_stake(self.signer.address)
        if free:
            call = calls.staking_withdraw(free, self.signer.address)
            sent.append((await self._send(call, progress))[1])
        if not sent and not allocation.exiting:
            elsewhere = [what for what in (await self.executor()).behind if what != behind]
            raise FundsError(
                "nothing-staked",
                f"this account has no stake behind {behind}",
                hint=f"it has some elsewhere: gateless executor unstake --behind {elsewhere[0]}"
                if elsewhere
                else "become an executor: gateless executor stake AMOUNT",
            )
        after = await staking.allocation(self.signer.address, slasher)
        return UnstakeResult(free, after.exiting, after.exit_ready_at, tuple(sent))

    async def cancel_unstake(
        self, *, behind: str = "proofs", progress: ProgressSink = ignore
    ) -> SentTransaction:
        """Stops an exit: the stake backs requests again.

        Args:
            behind: as for :meth:`unstake`.
            progress: told about each step.
        """
        call = calls.cancel_exit(self._slasher(behind))
        return (await self._send(call, progress))[1]

    async def withdraw_compensations(
        self, *, to: str | None = None, progress: ProgressSink = ignore
    ) -> Transfer:
        """Moves compensations for other executors' missed locks to ``to``."""
        owed = await self.chain.staking.credit_of(self.signer.address)
        if owed == 0:
            raise FundsError(
                "nothing-to-withdraw",
                "no compensation is owed to this account",
                hint="see what the account owns: gateless wallet balance",
            )
        target = checked_address(to, "recipient") or self.signer.address
        _, sent = await self._send(calls.withdraw_credit(target), progress)
        return Transfer(owed, target, sent)

    def _slasher(self, behind: str) -> str:
        """The contract that may slash stake behind something.

        Raises:
            InputError: ``unknown-backing``.
            ConfigError: ``unknown-contract`` where the network has none.
        """
        if behind not in BEHIND:
            raise InputError(
                "unknown-backing",
                f"stake can be behind {', '.join(BEHIND)}, not {behind[:40]!r}",
                hint="gateless executor status shows where it is",
            )
        return self.chain.deployment.address(BEHIND[behind])

    async def _require_stake(self, total: int) -> None:
        minimum = (await self.chain.staking.limits()).min_stake
        if total < minimum:
            token = self.chain.deployment.token
            raise FundsError(
                "stake-too-low",
                f"a stake of {format_amount(total, token)} is below the minimum of"
                f" {format_amount(minimum, token)}",
                hint=f"add {plain_amount(minimum - total, token)} or more",
                missing=minimum - total,
                minimum=minimum,
            )

    async def _enroll(
        self, versions: Sequence[int], progress: ProgressSink
    ) -> list[SentTransaction]:
        enrolled = set(await self.chain.staking.enrolled_versions(self.signer.address))
        sent: list[SentTransaction] = []
        for version in dict.fromkeys(versions):
            if version not in enrolled:
                sent.append((await self._send(calls.enroll(version), progress))[1])
        return sent
