"""What the SDK tells of requests that quorums and keys answer, and of results that others had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateless.core.attested import AttestedRequest, AttestedState
from gateless.core.lazy import FinalResult
from gateless.core.packing import FloatArray
from gateless.core.quorums import QuorumRequest, QuorumRound, QuorumState, RefundReason
from gateless.core.results_board import BoardResult
from gateless.sdk.results import ResolvedVersion, SentTransaction


@dataclass(frozen=True, slots=True)
class Outputs:
    """An output, by the version's manifest.

    Attributes:
        reals: real numbers per output tensor.
        integers: fixed-point integers per output tensor.
        label: name of the highest score, where the model is a classifier.
        packed: bytes as on chain.
    """

    reals: Mapping[str, FloatArray]
    integers: Mapping[str, tuple[int, ...]]
    label: str | None
    packed: bytes


@dataclass(frozen=True, slots=True)
class QuorumAsked:
    """A request to a quorum that is on chain and paid.

    Attributes:
        opened_block: its block; what came later has no influence on the draw.
    """

    request_id: int
    request: QuorumRequest
    resolved: ResolvedVersion
    opened_block: int
    transactions: tuple[SentTransaction, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuorumAnswer:
    """Where a request to a quorum stands.

    Attributes:
        request: what was asked.
        opened_block: when.
        round: who was drawn; None before.
        agreed: how many members gave the output; 0 without one.
        result: how it became final.
        outputs: what they agreed on; None without a quorum.
        reason: why it was refunded.
    """

    request_id: int
    state: QuorumState
    version_label: str
    request: QuorumRequest
    opened_block: int
    round: QuorumRound | None
    agreed: int
    result: FinalResult
    outputs: Outputs | None
    reason: RefundReason | None


@dataclass(frozen=True, slots=True)
class AttestedAsked:
    """A request for an attested answer that is on chain and paid."""

    request_id: int
    request: AttestedRequest
    resolved: ResolvedVersion
    transactions: tuple[SentTransaction, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttestedAnswerInfo:
    """Where a request for an attested answer stands.

    Attributes:
        executor: who answered; None before.
        outputs: what keys vouch for; None without an answer.
    """

    request_id: int
    state: AttestedState
    version_label: str
    request: AttestedRequest
    executor: str | None
    result: FinalResult
    outputs: Outputs | None


@dataclass(frozen=True, slots=True)
class KnownResult:
    """A result on the board, for an input of a version.

    Attributes:
        shown: what the board says.
        outputs: the output itself, found in the market's events; None where no node knows it.
    """

    version_label: str
    input_binding: bytes
    shown: BoardResult
    outputs: Outputs | None
