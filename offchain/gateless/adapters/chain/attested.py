"""Typed view of ``AttestedMarket``, its transactions as values, and what keys sign."""

from __future__ import annotations

from typing import Any

from gateless.adapters.chain.calls import Call, call_of
from gateless.adapters.chain.contract import LATEST
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.record_results import RecordReader
from gateless.adapters.chain.rpc import Rpc
from gateless.core.attested import AttestedRequest, AttestedState
from gateless.core.types import Event

ATTESTED_MARKET = "AttestedMarket"
KEY_SET_VERIFIER = "KeySetVerifier"


def has_attested_market(deployment: Deployment) -> bool:
    """Whether a network has a market of attested answers and a verifier for key sets."""
    return ATTESTED_MARKET in deployment.contracts and KEY_SET_VERIFIER in deployment.contracts


class AttestedReader(RecordReader):
    """Reads states, results and balances of the market of attested answers.

    Raises:
        ConfigError: ``unknown-contract`` where the network has none.
    """

    def __init__(self, rpc: Rpc, deployment: Deployment) -> None:
        super().__init__(rpc, deployment, ATTESTED_MARKET)
        self._lifetime: int | None = None

    async def max_lifetime(self) -> int:
        """Longest time to a request's deadline; it cannot change."""
        if self._lifetime is None:
            self._lifetime = int(await self.call("MAX_LIFETIME"))
        return self._lifetime

    async def state(self, request_id: int, *, block: str = LATEST) -> AttestedState:
        """Where a request stands; ``NONE`` for one that the market never saw."""
        return AttestedState(await self.call("stateOf", request_id, block=block))

    async def id_of(self, request: AttestedRequest) -> int:
        """Id of a request, by the market's own reckoning."""
        return int(await self.call("idOf", request.struct()))


def opened(event: Event) -> tuple[AttestedRequest, bytes]:
    """Request and input of an ``AttestedOpened`` event."""
    return AttestedRequest.of_struct(event.args["request"]), bytes(event.args["input"])


def request(asked: AttestedRequest, packed_input: bytes = b"") -> Call:
    """Opens a request, paid from the balance at the market."""
    return _call("ask for an attested answer", "request", asked.struct(), packed_input)


def fulfill(
    asked: AttestedRequest, packed_output: bytes, evidence: bytes, least_price: int = 0
) -> Call:
    """Answers with evidence that names the sender."""
    values = (asked.struct(), least_price, packed_output, evidence)
    return _call("answer with an attestation", "fulfill", *values)


def fulfill_signed(
    asked: AttestedRequest,
    signature: bytes,
    packed_output: bytes,
    evidence: bytes,
    least_price: int = 0,
) -> Call:
    """Answers a request that its requester signed."""
    values = (asked.struct(), signature, least_price, packed_output, evidence)
    return _call("answer a signed request with an attestation", "fulfillSigned", *values)


def refund(asked: AttestedRequest) -> Call:
    """Refunds a request whose deadline is over."""
    return _call("refund an attested request", "refund", asked.struct())


def _call(label: str, function: str, *values: Any) -> Call:
    return call_of(ATTESTED_MARKET, label, function, *values)
