"""Quorums and attested answers."""

from __future__ import annotations

from collections.abc import Iterator

from eth_utils.crypto import keccak
from gateless.core.types import ZERO_ADDRESS

from benchmarks.indexing.story.world import UNIT, Request, Told, World


class Rounds(World):
    """`QuorumMarket`, `QuorumMembers` and `AttestedMarket`."""

    def _quorum_step(self, request: Request) -> Iterator[Told]:
        here = {"requestId": request.request_id}
        choice = self._random.random()
        if request.state == "open" and choice < 0.1:
            yield self._quorum_refund(request, reason=1)
        elif request.state == "open":
            request.state = "drawn"
            request.members = self._random.sample(self._executors, 3)
            yield (
                "QuorumMarket",
                "QuorumDrawn",
                here
                | {
                    "round": {
                        "requestId": request.request_id,
                        "requester": request.requester,
                        "versionId": request.version_id,
                        "runtimeClass": keccak(text="runtime"),
                        "inputDigest": self._digest(),
                        "price": request.price,
                        "threshold": 2,
                        "commitDeadline": 2_000_000_000,
                        "revealDeadline": 2_000_000_000,
                        "callback": ZERO_ADDRESS,
                        "callbackGas": 0,
                        "members": request.members,
                    }
                },
            )
        elif len(request.revealed) < 3 and choice < 0.8:
            seat = len(request.revealed)
            seated = here | {"member": request.members[seat], "seat": seat}
            output = b"\x01" if choice < 0.7 else b"\x02"
            request.revealed[seat] = output
            yield "QuorumMarket", "QuorumCommitted", seated | {"commitment": self._digest()}
            yield (
                "QuorumMarket",
                "QuorumRevealed",
                seated
                | {
                    "outputDigest": keccak(output),
                    "output": output,
                },
            )
        else:
            yield from self._settle(request)

    def _settle(self, request: Request) -> Iterator[Told]:
        agreed = [seat for seat, output in request.revealed.items() if output == b"\x01"]
        reached = len(agreed) >= 2
        royalty = request.price // 20
        if reached:
            yield (
                "QuorumMarket",
                "QuorumReached",
                {
                    "requestId": request.request_id,
                    "versionId": request.version_id,
                    "requester": request.requester,
                    "agreed": len(agreed),
                    "share": (request.price - royalty) // len(agreed),
                    "royalty": royalty,
                    "output": b"\x01",
                },
            )
        for seat, member in enumerate(request.members):
            if seat in agreed or (seat in request.revealed and not reached):
                continue
            yield self._slash(member, "QuorumMembers", UNIT)
            yield (
                "QuorumMembers",
                "MemberSlashed",
                {
                    "requestId": request.request_id,
                    "account": member,
                    "amount": UNIT,
                    "beneficiary": ZERO_ADDRESS if reached else request.requester,
                    "compensation": 0 if reached else UNIT // 2,
                },
            )
        if not reached:
            yield self._quorum_refund(request, reason=2)
        self._end(request, final=reached)

    def _quorum_refund(self, request: Request, reason: int) -> Told:
        self._end(request)
        return (
            "QuorumMarket",
            "QuorumRefunded",
            {
                "requestId": request.request_id,
                "requester": request.requester,
                "price": request.price,
                "compensation": 0,
                "reason": reason,
            },
        )

    def _attested_step(self, request: Request) -> Iterator[Told]:
        if self._random.random() < 0.2:
            yield (
                "AttestedMarket",
                "AttestedRefunded",
                {
                    "requestId": request.request_id,
                    "requester": request.requester,
                    "price": request.price,
                },
            )
            self._end(request)
            return
        yield from self._attest(request)

    def _attest(self, request: Request) -> Iterator[Told]:
        royalty = request.price // 20
        yield (
            "AttestedMarket",
            "AttestedFulfilled",
            {
                "requestId": request.request_id,
                "versionId": request.version_id,
                "executor": self._pick_executor(),
                "requester": request.requester,
                "fee": request.price - royalty,
                "royalty": royalty,
                "output": self._bytes(20),
            },
        )
        self._end(request, final=True)
