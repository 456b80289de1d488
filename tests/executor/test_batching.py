"""Which requests share a proof: the pure part."""

from __future__ import annotations

import math

from gateless.executor.batching import (
    BatchCircuit,
    choose,
    proofs_at_once,
    seconds_to_prove,
    within_gas,
)
from hypothesis import given
from hypothesis import strategies as st

BLOCK_GAS = 30_000_000


def circuit(size: int, seconds: float | None = 1.0, words: int = 100) -> BatchCircuit:
    return BatchCircuit(index=size, size=size, words=words, row_bytes=64, seconds=seconds)


circuits = st.lists(st.integers(2, 128), unique=True, max_size=4).map(
    lambda sizes: [circuit(size) for size in sizes]
)
fills = st.floats(0, 1)


@given(circuits, st.integers(0, 300), fills)
def test_a_chosen_circuit_is_filled_enough_and_none_smaller_would_do(
    offered: list[BatchCircuit], requests: int, fill: float
) -> None:
    chosen = choose(offered, requests, least_fill=fill)
    if chosen is None:
        return
    assert requests >= 2
    assert requests >= fill * chosen.size
    smaller = [entry for entry in offered if entry.size < chosen.size]
    assert all(entry.size < requests for entry in smaller)
    if chosen.size < requests:
        assert chosen.size == max(entry.size for entry in offered)


def test_the_smallest_that_holds_them_then_the_largest_then_none() -> None:
    offered = [circuit(8), circuit(32)]
    sizes = {n: choose(offered, n, least_fill=0.25) for n in (1, 2, 8, 9, 32, 100)}
    assert {n: entry and entry.size for n, entry in sizes.items()} == {
        1: None,
        2: 8,
        8: 8,
        9: 32,
        32: 32,
        100: 32,
    }
    assert choose([circuit(32)], 7, least_fill=0.25) is None
    assert choose([circuit(32)], 8, least_fill=0.25) == circuit(32)
    assert choose([], 5, least_fill=0) is None


@given(
    st.lists(st.integers(0, 2_000_000), min_size=1, max_size=128),
    st.integers(1_000_000, 60_000_000),
)
def test_requests_beyond_the_gas_of_a_transaction_wait(callbacks: list[int], block: int) -> None:
    fitting = within_gas(circuit(128), callbacks, block)
    assert 0 <= fitting <= len(callbacks)
    promised = sum(callbacks[:fitting])
    assert promised <= min(block, 1 << 24)
    # More room never means fewer, and cheaper callbacks neither.
    assert within_gas(circuit(128), callbacks, 2 * block) >= fitting
    assert within_gas(circuit(128), [0] * len(callbacks), block) >= fitting


def test_callbacks_limit_a_batch() -> None:
    assert within_gas(circuit(32), [0] * 32, BLOCK_GAS) == 32
    assert within_gas(circuit(32), [0] * 40, BLOCK_GAS) == 32, "never more than there are rows"
    heavy = within_gas(circuit(32), [1_000_000] * 32, BLOCK_GAS)
    assert 10 <= heavy <= 15
    assert within_gas(circuit(32), [0] * 32, 500_000) == 0


@given(circuits, st.integers(1, 200), st.floats(0.1, 100), fills)
def test_more_requests_never_take_less_time(
    offered: list[BatchCircuit], requests: int, single: float, fill: float
) -> None:
    one_by_one = requests * single
    expected = seconds_to_prove(requests, single, offered, least_fill=fill)
    assert expected > 0
    more = seconds_to_prove(requests + 1, single, offered, least_fill=fill)
    assert more >= expected or requests == 1
    if not offered:
        assert expected == one_by_one


def test_time_counts_full_batches_and_a_rest_that_comes_apart() -> None:
    batch = circuit(8, seconds=5.0)
    # 17 requests: three batches, and up to two that are proven alone.
    assert seconds_to_prove(17, 1.0, [batch], least_fill=0.25) == 3 * 5.0 + 2 * 1.0
    assert seconds_to_prove(1, 1.0, [batch], least_fill=0.25) == 1.0
    assert seconds_to_prove(3, 1.0, [circuit(8, seconds=None)], least_fill=0.25) == 3.0
    assert seconds_to_prove(1, math.inf, [], least_fill=0.25) == math.inf
    assert seconds_to_prove(8, math.inf, [batch], least_fill=0.0) == 5.0


def test_time_counts_those_that_no_batch_takes_and_those_that_perhaps_none_takes() -> None:
    batch = circuit(8, seconds=5.0)

    def seconds(requests: int, **known: int) -> float:
        return seconds_to_prove(requests, 1.0, [batch], least_fill=0.25, **known)

    # Eight that fit, then a full batch that is proven in vain and comes apart.
    assert seconds(8) == 5.0 + 2.0
    assert seconds(8, doubtful=8) == 5.0 + 8.0
    assert seconds(8, doubtful=3) == 5.0 + 2.0 + 3.0
    # Those set apart take their own time and no row.
    assert seconds(10, alone=2) == 5.0 + 2.0 + 2.0
    assert seconds(17, alone=1, doubtful=2) == 2 * 5.0 + 2.0 + 2.0 + 1.0
    assert seconds(3, alone=2) == 3.0
    assert seconds(3, alone=3) == 3.0


@given(
    circuits,
    st.integers(1, 200),
    st.integers(0, 200),
    st.integers(0, 200),
    fills,
)
def test_not_knowing_never_takes_less_time(
    offered: list[BatchCircuit], requests: int, alone: int, doubtful: int, fill: float
) -> None:
    """Whatever a doubt leads to: to all rows proven together, or each alone after that."""
    alone = min(alone, requests)
    doubtful = min(doubtful, requests - alone)
    expected = seconds_to_prove(
        requests, 1.0, offered, least_fill=fill, alone=alone, doubtful=doubtful
    )
    assert expected >= seconds_to_prove(requests, 1.0, offered, least_fill=fill, alone=alone)
    assert expected >= alone + doubtful
    if doubtful:
        turned_out = seconds_to_prove(
            requests, 1.0, offered, least_fill=fill, alone=alone + doubtful
        )
        assert expected >= turned_out


def test_requests_that_can_share_a_proof_count_as_one() -> None:
    assert proofs_at_once({}, {}) == 0
    assert proofs_at_once({1: 8, 2: 1}, {1: 8}) == 2
    assert proofs_at_once({1: 9, 2: 3}, {1: 8}) == 5
