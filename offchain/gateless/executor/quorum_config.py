"""What an executor may be told about quorums."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateless.core.quorums import MemberTerms


@dataclass(frozen=True, slots=True)
class QuorumEnrolment:
    """A version for whose quorums an executor may be drawn.

    Attributes:
        version_id: the version.
        stake: what it puts up there, in token units; weighs in draws.
        terms: what it works for.
        runtime_class: its class; None for that of this machine.
    """

    version_id: int
    stake: int
    terms: MemberTerms = field(default_factory=lambda: MemberTerms(capacity=4))
    runtime_class: bytes | None = None


@dataclass(frozen=True, slots=True)
class QuorumConfig:
    """Quorums of an executor; it takes part in none without enrolments.

    Attributes:
        enrolments: where it may be drawn.
    """

    enrolments: tuple[QuorumEnrolment, ...] = ()
