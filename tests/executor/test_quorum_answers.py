"""What a member commits to: its output, or nothing where no reveal could carry it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from gateless.executor.quorum_steps import quorum_answer
from gateless_proofs import Bundle, KeyCache, Prover
from quorum_fixtures import LIMITS, ROW, unproven_bundle

INPUT = np.array(ROW, dtype="<f4").tobytes()
OUTPUT = (2 * np.array(ROW, dtype="<f4")).tobytes()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return asyncio.run(unproven_bundle(tmp_path_factory.mktemp("unproven")))


@pytest.fixture
def prover(tmp_path: Path) -> Prover:
    return Prover(KeyCache(tmp_path, LIMITS), LIMITS)


async def test_the_longest_output_that_the_market_takes(bundle: Bundle, prover: Prover) -> None:
    assert await quorum_answer(prover, bundle, INPUT, len(OUTPUT)) == OUTPUT


async def test_nothing_where_no_reveal_could_carry_it(bundle: Bundle, prover: Prover) -> None:
    assert await quorum_answer(prover, bundle, INPUT, len(OUTPUT) - 1) == b""


async def test_nothing_where_the_model_takes_no_such_input(bundle: Bundle, prover: Prover) -> None:
    assert await quorum_answer(prover, bundle, INPUT[:-1], len(OUTPUT)) == b""
