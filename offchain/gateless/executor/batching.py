"""Which requests share a proof. Pure: sizes, times and gas in, a choice out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

#: Most gas of a transaction, https://eips.ethereum.org/EIPS/eip-7825
_MAX_TRANSACTION_GAS = 1 << 24
#: Part of a block that a transaction may ask for and still be mined soon.
_BLOCK_SHARE = 0.8
#: Generous figures: the exact limit comes from the node's estimate. See docs/gas.md.
_BASE_GAS = 700_000
_GAS_PER_WORD = 1_300
_GAS_PER_BYTE = 80
_GAS_PER_REQUEST = 80_000
_CALLBACK_RESERVE = 30_000


@dataclass(frozen=True, slots=True)
class BatchCircuit:
    """A batch circuit as far as batching is concerned.

    Attributes:
        index: in the version.
        size: requests that one proof answers.
        words: public words of its proofs.
        row_bytes: packed input and output of one row.
        seconds: measured time of a proof; None before the first.
    """

    index: int
    size: int
    words: int
    row_bytes: int
    seconds: float | None


def choose(
    circuits: Sequence[BatchCircuit], requests: int, *, least_fill: float
) -> BatchCircuit | None:
    """The circuit for so many requests that wait: the smallest that holds them, else the largest.

    None where one by one is better: for a single request, and where so many rows would stay empty
    that the proof, whose time grows with its rows, is mostly wasted.
    """
    if requests < 2 or not circuits:
        return None
    holding = [circuit for circuit in circuits if circuit.size >= requests]
    best = (
        min(holding, key=lambda circuit: circuit.size)
        if holding
        else max(circuits, key=lambda circuit: circuit.size)
    )
    return best if requests >= least_fill * best.size else None


def transaction_gas(block_gas_limit: int) -> int:
    """Most gas that one transaction should ask for on a chain with such blocks."""
    return min(int(block_gas_limit * _BLOCK_SHARE), _MAX_TRANSACTION_GAS)


def parts_within(estimated: Iterable[tuple[T, int]], budget: int) -> list[list[tuple[T, int]]]:
    """Things in their order, divided so that each part has the gas of one transaction.

    Args:
        estimated: each with the gas that it needs.
        budget: of a transaction. What needs more is a part of its own.
    """
    parts: list[list[tuple[T, int]]] = []
    left = 0
    for thing, gas in estimated:
        if not parts or gas > left:
            parts.append([])
            left = budget
        parts[-1].append((thing, gas))
        left -= gas
    return parts


def within_gas(circuit: BatchCircuit, callback_gas: Sequence[int], block_gas_limit: int) -> int:
    """How many of some requests, in their order, one transaction can settle.

    Args:
        circuit: which proves them.
        callback_gas: gas promised to the callback of each request, 0 where there is none.
        block_gas_limit: of the chain.
    """
    budget = transaction_gas(block_gas_limit)
    budget -= _BASE_GAS + circuit.words * _GAS_PER_WORD
    budget -= circuit.size * circuit.row_bytes * _GAS_PER_BYTE
    fitting = 0
    for promised in callback_gas[: circuit.size]:
        budget -= _GAS_PER_REQUEST
        if promised:
            # EIP-150 keeps back one 64th of the gas at a call.
            budget -= promised * 64 // 63 + _CALLBACK_RESERVE
        if budget < 0:
            break
        fitting += 1
    return fitting


def seconds_to_prove(
    requests: int,
    single_seconds: float,
    circuits: Sequence[BatchCircuit],
    *,
    least_fill: float,
    alone: int = 0,
    doubtful: int = 0,
) -> float:
    """Time until so many requests of a version are proven, one proof after the other.

    The worst of what may come: they may be proven in full batches, or come apart and be proven in
    batches that are almost too empty, or one by one.

    Args:
        requests: all of them.
        single_seconds: of a proof for one; infinite where that is not known.
        circuits: those that may be used.
        least_fill: share of a circuit's rows below which requests are proven one by one.
        alone: requests among them that no batch takes.
        doubtful: requests among the others of which it is not known whether a batch takes them:
            they may be left over when its proof was tried in vain.
    """
    measured = [circuit for circuit in circuits if circuit.seconds is not None]
    sharing = requests - alone
    if sharing < 2 or not measured:
        return requests * single_seconds
    largest = max(measured, key=lambda circuit: circuit.size)
    proofs = math.ceil(sharing / largest.size)
    together = proofs * max(circuit.seconds or 0.0 for circuit in measured)
    apart = min(sharing, math.ceil(least_fill * largest.size) + doubtful)
    # Of none that are left over the time is nothing, also where it is not known.
    return together + ((alone + apart) * single_seconds if alone + apart else 0.0)


def proofs_at_once(requests: Mapping[int, int], sizes: Mapping[int, int]) -> int:
    """Proofs that the requests of some versions amount to, where those of a version share them.

    Args:
        requests: how many by version.
        sizes: most requests that share a proof, by version; 1 where it is missing.
    """
    return sum(math.ceil(count / sizes.get(version, 1)) for version, count in requests.items())
