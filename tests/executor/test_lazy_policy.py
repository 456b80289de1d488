"""The rules by which lazy requests are taken, beside what they cost."""

from __future__ import annotations

import pytest
from gateless.executor import PolicyConfig
from gateless.executor.config import LazyConfig
from gateless.executor.lazy.policy import LazyPolicy
from gateless.executor.policy import Answer, Policy

ME = "0x00000000000000000000000000000000000000AA"
RULES = LazyPolicy(Policy(PolicyConfig(), ME), LazyConfig())


@pytest.mark.parametrize("length", [0, 99, 100])
def test_an_output_that_the_market_takes_can_be_answered(length: int) -> None:
    assert RULES.judge_output(bytes(length), 100) is None


def test_nothing_is_locked_for_an_output_that_could_not_be_sent() -> None:
    verdict = RULES.judge_output(bytes(101), 100)
    assert verdict is not None
    assert (verdict.answer, verdict.reason) == (Answer.SKIP, "output-too-long")
    assert "101" in verdict.text and "100" in verdict.text
