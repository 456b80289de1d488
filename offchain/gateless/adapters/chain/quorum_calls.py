"""Transactions of the quorum market and its members as values, see :mod:`.calls`."""

from __future__ import annotations

from gateless.adapters.chain.calls import Call, call_of
from gateless.core.quorums import MemberTerms, QuorumRequest, QuorumRound

QUORUM_MARKET = "QuorumMarket"
QUORUM_MEMBERS = "QuorumMembers"


# --- requesters ---


def request(asked: QuorumRequest, packed_input: bytes) -> Call:
    """Opens a request, paid from the balance at the market."""
    return call_of(QUORUM_MARKET, "ask a quorum", "request", asked.struct(), packed_input)


def request_signed(asked: QuorumRequest, signature: bytes, packed_input: bytes) -> Call:
    """Opens a request that its requester signed."""
    values = (asked.struct(), signature, packed_input)
    return call_of(QUORUM_MARKET, "open a signed quorum request", "requestSigned", *values)


def draw(asked: QuorumRequest, opened_block: int) -> Call:
    """Draws the members."""
    return call_of(QUORUM_MARKET, "draw a quorum", "draw", asked.struct(), opened_block)


def refund(asked: QuorumRequest, opened_block: int) -> Call:
    """Refunds a request that nobody drew in time."""
    return call_of(QUORUM_MARKET, "refund a quorum request", "refund", asked.struct(), opened_block)


# --- members ---


def commit(drawn: QuorumRound, seat: int, commitment: bytes) -> Call:
    """Commits to an output that nobody sees yet."""
    return call_of(QUORUM_MARKET, "commit", "commit", drawn.struct(), seat, commitment)


def reveal(drawn: QuorumRound, seat: int, salt: bytes, packed_output: bytes) -> Call:
    """Shows what was committed to."""
    values = (drawn.struct(), seat, salt, packed_output)
    return call_of(QUORUM_MARKET, "reveal", "reveal", *values)


def settle(drawn: QuorumRound, packed_output: bytes) -> Call:
    """Ends a round when nothing more can come."""
    return call_of(QUORUM_MARKET, "settle a quorum", "settle", drawn.struct(), packed_output)


def enroll(version_id: int, runtime_class: bytes, stake: int, terms: MemberTerms) -> Call:
    """Enrols for a version and runtime class, with stake allocated to the members' contract."""
    values = (version_id, runtime_class, stake, terms.struct())
    return call_of(QUORUM_MEMBERS, "enrol for quorums", "enroll", *values)


def set_terms(version_id: int, runtime_class: bytes, terms: MemberTerms) -> Call:
    """Changes what the sender works for."""
    values = (version_id, runtime_class, terms.struct())
    return call_of(QUORUM_MEMBERS, "change the terms for quorums", "setTerms", *values)


def wake(version_id: int, runtime_class: bytes) -> Call:
    """Lets the sender be drawn again."""
    return call_of(QUORUM_MEMBERS, "wake up for quorums", "wake", version_id, runtime_class)


def sleep(version_id: int, runtime_class: bytes) -> Call:
    """Stops draws of the sender."""
    return call_of(QUORUM_MEMBERS, "sleep", "sleep", version_id, runtime_class)


def unenroll(version_id: int, runtime_class: bytes) -> Call:
    """Ends the sender's enrolment and frees its stake."""
    return call_of(QUORUM_MEMBERS, "leave quorums", "unenroll", version_id, runtime_class)
