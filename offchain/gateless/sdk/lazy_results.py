"""What the SDK tells of requests that are answered without a proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateless.core.lazy import FinalResult, LazyClaim, LazyDispute, LazyRequest, LazyState
from gateless.core.packing import FloatArray
from gateless.sdk.results import ResolvedVersion, SentTransaction


@dataclass(frozen=True, slots=True)
class LazyAsked:
    """A lazy request on its way.

    Attributes:
        request_id: its id, also before the market knows it.
        request: what was asked.
        handed_to: base URL of the executor that took the signed request; None where it was sent to
            the chain.
        signature: of a signed request; empty where it was sent.
    """

    request_id: int
    request: LazyRequest
    resolved: ResolvedVersion
    packed_input: bytes
    handed_to: str | None
    signature: bytes
    transactions: tuple[SentTransaction, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LazyAnswer:
    """What a lazy request brought, and how sure it is.

    Attributes:
        state: where the request stands; the output counts from ``FINAL`` on.
        claim: what its executor answers for; None before he answered.
        dispute: why a proof is due; None where nobody doubts it.
        result: how it became final and what stood behind it.
        outputs: real numbers per output tensor; empty before the answer.
        integers: fixed-point integers per output tensor.
        label: name of the highest score, where the model is a classifier.
        packed_output: bytes as on chain.
    """

    request_id: int
    state: LazyState
    version_label: str
    claim: LazyClaim | None
    dispute: LazyDispute | None
    result: FinalResult
    outputs: Mapping[str, FloatArray]
    integers: Mapping[str, tuple[int, ...]]
    label: str | None
    packed_output: bytes


@dataclass(frozen=True, slots=True)
class LazyEnd:
    """What a step about a lazy request did. Amounts are in token units.

    Attributes:
        state: where the request stands now.
        amounts: what moved, by name, such as ``fee``, ``refunded`` or ``reward``.
    """

    request_id: int
    state: LazyState
    amounts: Mapping[str, int]
    transactions: tuple[SentTransaction, ...]
