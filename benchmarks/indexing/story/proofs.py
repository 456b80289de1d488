"""Requests that are proven at once, lazily or never."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateless.core.types import ZERO_ADDRESS

from benchmarks.indexing.story.world import UNIT, Request, Told, World


class Proofs(World):
    """`InferenceMarket`, `LazyMarket` and `DisputeCourt`."""

    def _prove_step(self, request: Request) -> Iterator[Told]:
        here = {"requestId": request.request_id}
        choice = self._random.random()
        if choice < 0.1:
            slashed = 10 * UNIT if request.state == "locked" else 0
            if slashed:
                yield self._slash(request.executor, "InferenceMarket", slashed)
            yield (
                "InferenceMarket",
                "RequestRefunded",
                here
                | {
                    "requester": request.requester,
                    "amount": request.price,
                    "slashed": slashed,
                },
            )
            self._end(request)
        elif request.state == "open" or choice < 0.15:
            if request.state == "locked":
                yield "InferenceMarket", "LockMissed", here | {"executor": request.executor}
            request.state, request.executor = "locked", self._pick_executor()
            yield (
                "InferenceMarket",
                "RequestLocked",
                here
                | {
                    "executor": request.executor,
                    "price": request.price,
                    "lockDeadline": 2_000_000_000,
                },
            )
        else:
            royalty = request.price // 20
            yield (
                "InferenceMarket",
                "RequestFulfilled",
                here
                | {
                    "executor": request.executor,
                    "versionId": request.version_id,
                    "fee": request.price - royalty,
                    "royalty": royalty,
                    "output": self._bytes(self._random.choice((10, 3000))),
                },
            )
            self._end(request, final=True)

    def _answer_signed(self, request: Request, digest: bytes) -> Iterator[Told]:
        request.executor = self._pick_executor()
        yield self._answered(request, digest)

    def _answered(self, request: Request, digest: bytes) -> Told:
        request.state = "answered"
        return (
            "LazyMarket",
            "Answered",
            {
                "requestId": request.request_id,
                "executor": request.executor,
                "versionId": request.version_id,
                "claim": self._claim(request, digest),
                "output": self._bytes(10),
                "inputHint": "",
            },
        )

    def _claim(self, request: Request, digest: bytes) -> dict[str, Any]:
        return {
            "requestId": request.request_id,
            "versionId": request.version_id,
            "requester": request.requester,
            "executor": request.executor,
            "inputBinding": digest,
            "inputDigest": digest,
            "outputDigest": digest,
            "price": request.price,
            "royaltyBps": 500,
            "collateral": 10 * UNIT,
            "challengeDeadline": 2_000_000_000,
            "responseWindow": 100,
            "auditBps": 10,
            "answeredBlock": 1,
            "callback": ZERO_ADDRESS,
            "callbackGas": 0,
        }

    def _lazy_step(self, request: Request) -> Iterator[Told]:
        here = {"requestId": request.request_id}
        choice = self._random.random()
        if request.state == "open" or (request.state == "locked" and choice < 0.1):
            if request.state == "locked":
                yield (
                    "LazyMarket",
                    "LockMissed",
                    here
                    | {
                        "executor": request.executor,
                        "reward": 5 * UNIT,
                        "burned": 5 * UNIT,
                    },
                )
            request.state, request.executor = "locked", self._pick_executor()
            yield (
                "LazyMarket",
                "Locked",
                here
                | {
                    "executor": request.executor,
                    "lock": {
                        "executor": request.executor,
                        "price": request.price,
                        "royaltyBps": 500,
                        "lockBlock": 1,
                        "lockDeadline": 2_000_000_000,
                    },
                },
            )
        elif request.state == "locked" and choice < 0.2:
            yield (
                "LazyMarket",
                "RequestRefunded",
                here
                | {
                    "requester": request.requester,
                    "amount": request.price,
                    "slashed": 10 * UNIT,
                },
            )
            self._end(request)
        elif request.state == "locked":
            yield self._answered(request, self._digest())
        elif request.state == "answered" and choice < 0.3:
            yield from self._dispute(request)
        elif request.state == "answered":
            yield self._finalized(request, how=2)
        else:
            yield from self._judge(request)

    def _dispute(self, request: Request) -> Iterator[Told]:
        request.state = "disputed"
        request.challenger = self._random.choice(self._users)
        bond = self._random.choice((0, UNIT))
        told = {
            "requestId": request.request_id,
            "executor": request.executor,
            "claim": self._claim(request, self._digest()),
            "dispute": {
                "challenger": request.challenger,
                "bond": bond,
                "deadline": 2_000_000_000,
                "number": 1,
            },
        }
        # Anybody may take a made-up market to the court, with any id.
        yield "DisputeCourt", "Disputed", told | {"market": self._users[0]}
        yield "DisputeCourt", "Disputed", told | {"market": self._addresses["LazyMarket"]}

    def _judge(self, request: Request) -> Iterator[Told]:
        here = {
            "market": self._addresses["LazyMarket"],
            "requestId": request.request_id,
            "challenger": request.challenger,
        }
        if self._random.random() < 0.7:
            if self._random.random() < 0.7:
                yield (
                    "DisputeCourt",
                    "ChallengeFailed",
                    here
                    | {
                        "paid": UNIT // 2,
                        "burned": UNIT // 2,
                    },
                )
            yield self._finalized(request, how=1)
            return
        yield "DisputeCourt", "ChallengeWon", here | {"bond": UNIT}
        yield self._slash(request.executor, "LazyMarket", 10 * UNIT)
        yield (
            "LazyMarket",
            "ClaimSlashed",
            {
                "requestId": request.request_id,
                "executor": request.executor,
                "challenger": request.challenger,
                "compensation": UNIT,
                "reward": 2 * UNIT,
                "burned": 7 * UNIT,
            },
        )
        self._end(request)

    def _finalized(self, request: Request, how: int) -> Told:
        royalty = request.price // 20
        self._end(request, final=True)
        return (
            "LazyMarket",
            "Finalized",
            {
                "requestId": request.request_id,
                "executor": request.executor,
                "versionId": request.version_id,
                "outputDigest": self._digest(),
                "how": how,
                "fee": request.price - royalty,
                "royalty": royalty,
            },
        )
