"""Which lazy requests to take. Pure: facts in, a verdict out, always with the reason."""

from __future__ import annotations

from dataclasses import replace

from gateless.core.lazy import Backing, LazyRequest
from gateless.executor.config import LazyConfig
from gateless.executor.costs import Effort, cost_of, least_price
from gateless.executor.policy import Answer, Policy, Standing, Verdict

_TAKE = Verdict(Answer.TAKE)


class LazyPolicy:
    """The operator's rules for lazy requests.

    Args:
        policy: the rules for all requests.
        config: those for lazy ones.
    """

    def __init__(self, policy: Policy, config: LazyConfig) -> None:
        self._policy = policy
        self._config = config

    def judge_announced(self, request: LazyRequest, standing: Standing) -> Verdict | None:
        """Why a request is none for this executor, whatever becomes of it; None where it may be."""
        named = request.named_executor
        if named is not None and not self._policy.is_me(named):
            return _skip("named-another", f"it is for {named} only")
        return self._policy.judge_parties(request.version_id, request.requester, standing)

    def judge_output(self, packed_output: bytes, max_length: int) -> Verdict | None:
        """Why an answer that is right could not be sent; None where it can.

        Args:
            packed_output: the answer.
            max_length: most bytes that the market takes.
        """
        length = len(packed_output)
        if length > max_length:
            return _skip(
                "output-too-long", f"the output has {length} bytes, the market takes {max_length}"
            )
        return None

    def judge(
        self,
        request: LazyRequest,
        standing: Standing,
        backing: Backing,
        *,
        now: int,
        answer_seconds: float,
        prove_seconds: float,
        royalty_bps: int,
        gas_price: int,
        audits: int = 0,
        owed_seconds: float = 0.0,
    ) -> Verdict:
        """Whether to lock a request whose answer is known, or soon will be.

        Args:
            request: what is asked.
            standing: what the chain says about this executor.
            backing: what is behind its lazy answers.
            now: the later of the block's time and this machine's.
            answer_seconds: what is still to be done before the answer can be sent.
            prove_seconds: measured time of a proof for the version.
            royalty_bps: of the version.
            gas_price: wei per gas.
            audits: answers of its own on which the lot may fall.
            owed_seconds: of proofs that are owed within the request's response window.
        """
        return (
            self.judge_announced(request, standing)
            or self._judge_time(request, now, answer_seconds, prove_seconds)
            or self._judge_audits(request, prove_seconds, audits, owed_seconds)
            or self._judge_money(
                request,
                self.asking(request, standing, prove_seconds, royalty_bps, gas_price),
                now,
            )
            or self._policy.judge_risk(
                request.collateral, replace(standing, lazily_used=backing.used)
            )
            or self._judge_backing(request, backing)
            or _TAKE
        )

    def asking(
        self,
        request: LazyRequest,
        standing: Standing,
        prove_seconds: float,
        royalty_bps: int,
        gas_price: int,
    ) -> int:
        """The price from which on a request is taken."""
        config, rates = self._config, self._policy.rates
        minimum = config.min_price
        if minimum is None:
            minimum = self._policy.least_price(standing)
        lot, doubt = request.audit_bps / 10_000, config.doubt_bps / 10_000
        effort = Effort(
            gas=config.gas_estimate + request.callback_gas,
            stake=request.collateral,
            stake_seconds=request.challenge_window + doubt * request.response_window,
            doubt=1 - (1 - lot) * (1 - doubt),
            doubt_seconds=prove_seconds,
            doubt_gas=config.proof_gas_estimate,
        )
        return max(minimum, least_price(cost_of(effort, rates, gas_price), rates, royalty_bps))

    def _judge_time(
        self, request: LazyRequest, now: int, answer_seconds: float, prove_seconds: float
    ) -> Verdict | None:
        left = min(request.lock_duration, request.deadline - now)
        needed = answer_seconds + self._policy.config.margin_seconds
        if left < needed:
            return _skip("too-little-time", f"{left} s are left, answering takes {needed:.1f} s")
        proof = self._policy.needs_seconds(prove_seconds)
        if request.response_window < proof:
            return _skip(
                "response-window-too-short",
                f"doubt must be answered in {request.response_window} s, proving here takes up to"
                f" {proof:.1f} s",
            )
        return None

    def _judge_audits(
        self, request: LazyRequest, prove_seconds: float, audits: int, owed_seconds: float
    ) -> Verdict | None:
        """Lots do not queue: all that may fall at once must be proven within one window, beside
        what is owed by then.
        """
        needed = self._policy.needs_seconds(prove_seconds * (audits + 1) + owed_seconds)
        if request.audit_bps == 0 or needed <= request.response_window:
            return None
        return Verdict(
            Answer.WAIT,
            "audits-outstanding",
            f"lots may fall on {audits} answers; proving them, this one and what is owed takes up"
            f" to {needed:.1f} s, more than the {request.response_window} s of its response window",
            "it is taken when enough of them are proven or can be drawn no more",
        )

    def _judge_money(self, request: LazyRequest, asking: int, now: int) -> Verdict | None:
        price = request.price_at(now)
        if request.max_price < asking:
            return _skip("price-too-low", f"price {request.max_price} is below {asking}")
        if price < asking:
            return Verdict(
                Answer.WAIT,
                "price-rising",
                f"price {price} is below {asking}, and rises to {request.max_price}",
                "wait for it, or lower the least price",
            )
        limit = self._policy.config.max_collateral
        if limit is not None and request.collateral > limit:
            return _skip("collateral-too-high", f"collateral {request.collateral} is above {limit}")
        return None

    def _judge_backing(self, request: LazyRequest, backing: Backing) -> Verdict | None:
        missing = request.collateral - backing.free
        if missing > 0:
            return Verdict(
                Answer.WAIT,
                "backing-too-low",
                f"a lazy request asks for collateral {request.collateral}, {backing.free} is free",
                f"put {missing} token units more behind lazy answers: gateless lazy back",
            )
        return None


def _skip(reason: str, text: str) -> Verdict:
    return Verdict(Answer.SKIP, reason, text)
