"""Typed view of ``ResultBoard`` and its transactions as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateless.adapters.chain.calls import Call, call_of
from gateless.adapters.chain.contract import BoundContract
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.rpc import Rpc
from gateless.core.attested import AttestedRequest
from gateless.core.lazy import Finality, LazyRequest
from gateless.core.quorums import QuorumRequest
from gateless.core.results_board import Acceptance, BoardResult
from gateless.core.types import TrustMode, mask_of

RESULT_BOARD = "ResultBoard"


def has_board(deployment: Deployment) -> bool:
    """Whether a network has a board of results."""
    return RESULT_BOARD in deployment.contracts


class BoardReader(BoundContract):
    """Reads final results by version and input.

    Raises:
        ConfigError: ``unknown-contract`` where the network has none.
    """

    def __init__(self, rpc: Rpc, deployment: Deployment) -> None:
        super().__init__(rpc, deployment, RESULT_BOARD)

    async def latest(
        self, version_id: int, input_binding: bytes, acceptance: Acceptance
    ) -> BoardResult | None:
        """The newest result that is accepted; None where there is none.

        Raises:
            ContractError: ``result-board-needs-terms``.
        """
        terms = {
            "modes": mask_of(acceptance.modes),
            "minBond": acceptance.min_bond,
            "runtimeClass": acceptance.runtime_class,
            "verifier": acceptance.verifier,
            "policy": acceptance.policy,
        }
        shown = await self.call("latestUnder", version_id, input_binding, terms)
        return None if shown["how"] == Finality.NONE else _result(shown)

    async def standing(self, topic: bytes, offset: int = 0, limit: int = 50) -> list[BoardResult]:
        """A page of what nothing hides, from the newest."""
        return [_result(entry) for entry in await self.call("standing", topic, offset, limit)]

    async def topic(
        self, version_id: int, input_binding: bytes, mode: TrustMode, terms: bytes = bytes(32)
    ) -> bytes:
        """What results are kept by."""
        return bytes(await self.call("topicOf", version_id, input_binding, int(mode), terms))


def publish_proven(request_id: int) -> Call:
    """Shows the result of a paid request of mode ``ZK``."""
    return _call("publishProven", request_id)


def publish_lazy(request: LazyRequest) -> Call:
    """Shows the result of a final lazy request."""
    return _call("publishLazy", request.struct())


def publish_quorum(request: QuorumRequest) -> Call:
    """Shows the result of a quorum."""
    return _call("publishQuorum", request.struct())


def publish_attested(request: AttestedRequest) -> Call:
    """Shows the result of an attested request."""
    return _call("publishAttested", request.struct())


def _call(function: str, value: Any) -> Call:
    return call_of(RESULT_BOARD, "show a result", function, value)


def _result(shown: Mapping[str, Any]) -> BoardResult:
    return BoardResult(
        market=str(shown["market"]),
        request_id=int(shown["requestId"]),
        mode=TrustMode(shown["mode"]),
        how=Finality(shown["how"]),
        final_at=int(shown["finalAt"]),
        bond=int(shown["bond"]),
        output_digest=bytes(shown["outputDigest"]),
    )
