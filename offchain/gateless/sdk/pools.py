"""An executor's receipt pools: the stake that backs what it signs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from gateless.adapters.chain import calls, court_calls
from gateless.adapters.chain.permit import sign_permit
from gateless.core.claims import CourtLimits, PoolInfo, PoolState
from gateless.core.errors import InputError
from gateless.core.types import ExecutorProfile
from gateless.sdk.progress import ProgressSink, ignore
from gateless.sdk.results import SentTransaction
from gateless.sdk.staking import Staking
from gateless.sdk.terms import checked_address


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """What each pool of a run is to be.

    Attributes:
        bond: stake behind each receipt, in token units.
        capacity: receipts that an epoch can have.
        challenge_bond: what a challenger must put up: it pays for the proof of a true receipt.
    """

    bond: int
    capacity: int
    challenge_bond: int


@dataclass(frozen=True, slots=True)
class BackedEpochs:
    """Pools of consecutive epochs; no ``transactions`` where nothing was left to do."""

    first_epoch: int
    pools: tuple[PoolInfo, ...]
    transactions: tuple[SentTransaction, ...]


class Pools(Staking):
    """Opens and releases the signer's receipt pools."""

    async def back_receipts(
        self,
        terms: PoolTerms,
        *,
        epochs: int = 1,
        first_epoch: int | None = None,
        receipt_key: str | None = None,
        progress: ProgressSink = ignore,
    ) -> BackedEpochs:
        """Sees to it that the signer has pools for some epochs; run again, it sends nothing.

        Stake that is missing comes from what is free, then from the wallet. Epochs that have a pool
        keep it as it is, whatever its terms.

        Args:
            terms: of the pools that are opened.
            epochs: how many.
            first_epoch: the first of them; default: the current one.
            receipt_key: address that signs receipts; default: the one of the profile, else the
                signer's own. A pool keeps the key that the profile has when it is opened.
            progress: told about each step.

        Raises:
            InputError: ``pool-terms-out-of-range``; nothing was sent.
            FundsError: ``stake-too-low``, ``token-balance-too-low``; nothing was sent.
        """
        court = self.chain.court
        limits = await court.limits()
        current = limits.epoch_at((await self.chain.block("pending")).timestamp)
        first = current if first_epoch is None else first_epoch
        _check_terms(terms, limits, epochs, first, current)
        wanted = range(first, first + epochs)
        missing = [
            epoch
            for epoch in wanted
            if (await court.pool(self.signer.address, epoch)).state is PoolState.NONE
        ]
        sent: list[SentTransaction] = []
        if missing:
            sent += await self._allocate(terms.bond * terms.capacity * len(missing), progress)
            sent += await self._name_key(checked_address(receipt_key, "receipt key"), progress)
            for start, count in _runs(missing):
                call = court_calls.open_pools(
                    start,
                    count,
                    bond=terms.bond,
                    capacity=terms.capacity,
                    challenge_bond=terms.challenge_bond,
                )
                sent.append((await self._send(call, progress))[1])
        pools = [await court.pool(self.signer.address, epoch) for epoch in wanted]
        return BackedEpochs(first, tuple(pools), tuple(sent))

    async def name_receipt_key(
        self, key: str, *, progress: ProgressSink = ignore
    ) -> tuple[SentTransaction, ...]:
        """Publishes the key that signs receipts; sends nothing where the profile names it.

        Pools keep the key that the profile named when they were opened.

        Raises:
            InputError: ``invalid-address``.
            ContractError: the account has not staked.
        """
        return tuple(await self._name_key(checked_address(key, "receipt key"), progress))

    async def release_pool(
        self, epoch: int, *, executor: str | None = None, progress: ProgressSink = ignore
    ) -> SentTransaction:
        """Unlocks a pool (default: the signer's) that no receipt needs any more.

        Raises:
            ContractError: ``receipt-court-pool-still-needed``, ``receipt-court-no-pool``.
        """
        owner = checked_address(executor, "executor") or self.signer.address
        return (await self._send(court_calls.release_pool(owner, epoch), progress))[1]

    async def _allocate(self, needed: int, progress: ProgressSink) -> list[SentTransaction]:
        """Brings what the court can lock up to ``needed``."""
        staking, me = self.chain.staking, self.signer.address
        lacking = needed - (await staking.allocation(me, self.chain.court.address)).available
        if lacking <= 0:
            return []
        fresh = max(0, lacking - await staking.free_stake(me))
        await self._require_stake(await staking.total_stake(me) + fresh)
        sent: list[SentTransaction] = []
        if fresh:
            until = await self._permit_deadline()
            permit = await sign_permit(self.chain, self.signer, staking.address, fresh, until)
            sent.append((await self._send(calls.stake_with_permit(permit), progress))[1])
        call = calls.allocate(self.chain.court.address, lacking)
        return [*sent, (await self._send(call, progress))[1]]

    async def _name_key(self, wanted: str | None, progress: ProgressSink) -> list[SentTransaction]:
        """Publishes the receipt key where the profile names none, or another."""
        stated = await self.chain.staking.executor(self.signer.address)
        key = wanted or stated.receipt_key or self.signer.address
        if key == stated.receipt_key:
            return []
        call = calls.set_profile(
            ExecutorProfile(stated.endpoint, key, stated.min_price, stated.capacity or 1)
        )
        return [(await self._send(call, progress))[1]]


def _runs(epochs: list[int]) -> list[tuple[int, int]]:
    """Consecutive epochs as (first, how many)."""
    breaks = [0, *(at + 1 for at, (a, b) in enumerate(pairwise(epochs)) if b != a + 1)]
    ends = [*breaks[1:], len(epochs)]
    return [(epochs[start], end - start) for start, end in zip(breaks, ends, strict=True)]


def _check_terms(
    terms: PoolTerms, limits: CourtLimits, epochs: int, first: int, current: int
) -> None:
    for what, value, least, most in (
        ("bond of a receipt", terms.bond, limits.min_bond, None),
        ("capacity", terms.capacity, 1, limits.max_capacity),
        (
            "bond of a challenge",
            terms.challenge_bond,
            limits.min_challenge_bond,
            limits.max_challenge_bond,
        ),
        ("number of epochs", epochs, 1, None),
        ("first epoch", first, current, None),
    ):
        if value < least or (most is not None and value > most):
            raise InputError(
                "pool-terms-out-of-range",
                f"the {what} is {value}",
                hint=f"the court takes {least} or more"
                if most is None
                else f"the court takes {least} to {most}",
            )
