"""Which work to take. Pure: facts in, a verdict out, always with the reason."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from gateless.core.types import ExecutorInfo, RequestInfo, TrustMode
from gateless.executor.admission import Forecast
from gateless.executor.config import PolicyConfig, Serving
from gateless.executor.costs import Effort, Rates, cost_of, least_price


class Answer(StrEnum):
    """What to do with a request."""

    TAKE = "take"
    WAIT = "wait"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer and why; ``reason`` is a code, ``hint`` what the operator can do."""

    answer: Answer
    reason: str = ""
    text: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the chain says about this executor.

    Attributes:
        profile: its stake and profile.
        enrolled: versions that it enrolled for.
        available: stake that the market could still lock.
        locked: stake behind requests for proofs that are not settled yet.
        earnings: its balance in the market.
        lazily_used: stake behind lazy requests that are not settled yet.
    """

    profile: ExecutorInfo
    enrolled: frozenset[int]
    available: int
    locked: int
    earnings: int
    lazily_used: int = 0

    @property
    def at_risk(self) -> int:
        """Stake behind requests that are not settled yet."""
        return self.locked + self.lazily_used


TAKE = Verdict(Answer.TAKE)


class Announced(Protocol):
    """What is known of a request from its creation alone."""

    @property
    def version_id(self) -> int:
        """The version asked for."""
        ...

    @property
    def requester(self) -> str:
        """Who asks."""
        ...

    @property
    def mode(self) -> TrustMode:
        """How the output is to become final."""
        ...

    @property
    def named_executor(self) -> str | None:
        """The only account that may answer, if there is one."""
        ...


class Policy:
    """The operator's rules.

    Args:
        config: the rules.
        me: this executor's address.
        load: share of the capacity that is in use, from 0 to 1.
    """

    def __init__(
        self, config: PolicyConfig, me: str, load: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.config = config
        self._me = me.lower()
        self._load = load

    @property
    def rates(self) -> Rates:
        """What work costs now: what is left of the capacity goes to those who pay more for it."""
        rates = self.config.rates
        return replace(
            rates, profit_bps=rates.profit_bps + round(self.config.busy_bps * self._load())
        )

    def capacity(self, standing: Standing) -> int:
        """Requests to work on at once."""
        if self.config.max_concurrent is not None:
            return self.config.max_concurrent
        return max(1, standing.profile.capacity)

    def is_me(self, account: str) -> bool:
        """Whether an account is this executor's."""
        return account.lower() == self._me

    def serves(self, version_id: int, standing: Standing) -> bool:
        """Whether this executor works for a version at all."""
        if self.config.lists.denies_version(version_id):
            return False
        if self.config.serving is Serving.ALL:
            return True
        if self.config.serving is Serving.LISTED:
            return version_id in self.config.versions
        return version_id in standing.enrolled

    def judge(
        self,
        request: RequestInfo,
        standing: Standing,
        *,
        now: int,
        prove_seconds: float | None,
        proved: bool = False,
        gas_price: int = 0,
    ) -> Verdict:
        """Whether to take an open request.

        Args:
            request: the request as the chain has it.
            standing: what the chain says about this executor.
            now: the later of the block's time and this machine's.
            prove_seconds: measured time of a proof for the version; None before the first.
            proved: whether the proof is there already.
            gas_price: wei per gas.
        """
        return (
            self.judge_announced(request, standing)
            or self._judge_money(
                request, standing, now, 0.0 if proved else prove_seconds, gas_price
            )
            or self._judge_time(request, now, 0.0 if proved else prove_seconds)
            or self.judge_risk(request.collateral, standing)
            or self._judge_stake(request, standing)
            or TAKE
        )

    def least_price(self, standing: Standing) -> int:
        """The price below which no request is taken."""
        minimum = self.config.min_price
        return standing.profile.min_price if minimum is None else minimum

    def needs_seconds(self, prove_seconds: float | None) -> float:
        """Time to ask for between lock and lock deadline."""
        return (prove_seconds or 0.0) * self.config.time_factor + self.config.margin_seconds

    def judge_announced(self, request: Announced, standing: Standing) -> Verdict | None:
        """Why a request is none for this executor, whatever becomes of it; None where it may be."""
        if request.mode is not TrustMode.ZK or not self.config.proofs:
            return _skip("mode-not-served", f"trust mode {request.mode.name} is not served here")
        named = request.named_executor
        if named is not None and named.lower() != self._me:
            return _skip("named-another", f"it is for {named} only")
        return self.judge_parties(request.version_id, request.requester, standing)

    def judge_parties(self, version_id: int, requester: str, standing: Standing) -> Verdict | None:
        """Why a version is not served, or not for somebody; None where it is."""
        unwanted = self.config.lists.refusal(version_id, requester)
        if unwanted:
            return _skip("not-wanted", unwanted)
        if not self.serves(version_id, standing):
            return _skip("version-not-served", f"version {version_id} is not served here")
        return None

    def judge_queue(self, seconds_left: float, outlook: Forecast) -> Verdict | None:
        """Why what is promised already leaves no room for one more now; None where it does."""
        needed = self.needs_seconds(outlook.seconds)
        if math.isinf(needed):
            return Verdict(
                Answer.WAIT,
                "busy",
                "a proof is owed, and how long it takes was never measured here",
                "it is looked at again when that proof is done",
            )
        if seconds_left < needed:
            return Verdict(
                Answer.WAIT,
                "busy",
                f"{seconds_left:.0f} s would be left, with what is promised before it the proof"
                f" takes up to {needed:.1f} s",
                "it is looked at again as proofs are done; a faster machine takes more at once",
            )
        if outlook.endangered > 0:
            return Verdict(
                Answer.WAIT,
                "busy",
                f"it would come before other promises and make one {outlook.endangered:.1f} s late",
                "it is looked at again as proofs are done; a faster machine takes more at once",
            )
        return None

    def judge_risk(self, collateral: int, standing: Standing) -> Verdict | None:
        """Why no more stake is put at risk now; None where it is."""
        most = self.config.max_at_risk
        if most is None or standing.at_risk + collateral <= most:
            return None
        if collateral > most:
            return _skip("collateral-too-high", f"collateral {collateral} is above {most}")
        return Verdict(
            Answer.WAIT,
            "at-risk-limit",
            f"{standing.at_risk} is at risk; with collateral {collateral} it would be more than"
            f" {most}",
            "wait until requests are settled, or raise max_at_risk",
        )

    def asking(
        self,
        request: RequestInfo,
        standing: Standing,
        *,
        prove_seconds: float | None,
        gas_price: int,
    ) -> int:
        """The price from which on a request is taken: the least one, or what covers its cost."""
        rates = self.rates
        minimum = self.least_price(standing)
        if not rates.are_set:
            return minimum
        effort = Effort(
            proof_seconds=prove_seconds or 0.0,
            gas=self.config.gas_estimate + request.callback_gas,
            stake=request.collateral,
            stake_seconds=request.lock_duration,
        )
        # More than it costs: for nothing nobody needs to work.
        covered = cost_of(effort, rates, gas_price) + 1
        return max(minimum, least_price(covered, rates, request.royalty_bps))

    def _judge_money(
        self,
        request: RequestInfo,
        standing: Standing,
        now: int,
        prove_seconds: float | None,
        gas_price: int,
    ) -> Verdict | None:
        minimum = self.least_price(standing)
        price = request.price_at(now)
        if request.price < minimum:  # what is in escrow is the most
            return _skip("price-too-low", f"price {request.price} is below {minimum}")
        limit = self.config.max_collateral
        if limit is not None and request.collateral > limit:
            return _skip("collateral-too-high", f"collateral {request.collateral} is above {limit}")
        asking = self.asking(request, standing, prove_seconds=prove_seconds, gas_price=gas_price)
        if request.price < asking:
            # Gas prices fall again, so this is worth another look.
            return Verdict(
                Answer.WAIT,
                "not-profitable",
                f"price {request.price} does not cover what it costs: {asking}",
                "wait for lower gas prices, or check token_per_native and proof_second_price",
            )
        if price < asking:
            return Verdict(
                Answer.WAIT,
                "price-rising",
                f"price {price} is below {asking}, and rises to {request.price}",
                "wait for it, or lower the least price",
            )
        return None

    def _judge_time(
        self, request: RequestInfo, now: int, prove_seconds: float | None
    ) -> Verdict | None:
        # The lock ends with the request, so a late lock is a short one.
        left = min(request.lock_duration, request.deadline - now)
        needed = self.needs_seconds(prove_seconds)
        if left < needed:
            return _skip(
                "too-little-time", f"{left} s are left, proving here takes up to {needed:.1f} s"
            )
        return None

    def _judge_stake(self, request: RequestInfo, standing: Standing) -> Verdict | None:
        missing = request.collateral - standing.available
        if missing > 0:
            return Verdict(
                Answer.WAIT,
                "stake-too-low",
                f"request {request.request_id} asks for collateral {request.collateral},"
                f" {standing.available} is available",
                f"stake {missing} token units more: gateless executor stake",
            )
        return None


def _skip(reason: str, text: str) -> Verdict:
    return Verdict(Answer.SKIP, reason, text)
