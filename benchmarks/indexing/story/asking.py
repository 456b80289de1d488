"""Requests of every mode are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eth_utils.crypto import keccak
from gateless.core.types import ZERO_ADDRESS

from benchmarks.indexing.story.proofs import Proofs
from benchmarks.indexing.story.rounds import Rounds
from benchmarks.indexing.story.world import UNIT, Request, Told


class Asking(Proofs, Rounds):
    """What is asked for."""

    def _ask(self) -> Iterator[Told]:
        mode = self._random.choices((0, 1, 2, 3), (5, 5, 2, 2))[0]
        requester = self._random.choice(self._users)
        request = Request(
            request_id=int.from_bytes(self._digest(), "big"),
            mode=mode,
            version_id=self._random.choice(self._versions),
            requester=requester,
            price=self._random.randrange(10, 300) * UNIT // 100,
        )
        self._open[request.request_id] = request
        head: dict[str, Any] = {
            "requestId": request.request_id,
            "versionId": request.version_id,
            "requester": requester,
        }
        digest, given = self._digest(), self._bytes(64)
        if mode == 0:
            params = self._terms(request, digest) | {"mode": 0, "lockDuration": 60}
            yield (
                "InferenceMarket",
                "RequestCreated",
                head
                | {
                    "params": params,
                    "input": given,
                    "inputHint": "",
                },
            )
        elif mode == 1:
            if self._random.random() < 0.3:
                yield from self._answer_signed(request, digest)
                return
            yield (
                "LazyMarket",
                "Requested",
                head
                | {
                    "request": self._terms(request, digest)
                    | {
                        "requester": requester,
                        "lockDuration": 60,
                        "challengeWindow": 100,
                        "responseWindow": 100,
                        "auditBps": 10,
                        "nonce": request.request_id,
                        "inputHint": "",
                    },
                    "input": given,
                },
            )
        elif mode == 2:
            yield (
                "QuorumMarket",
                "QuorumOpened",
                head
                | {
                    "request": {
                        "requester": requester,
                        "versionId": request.version_id,
                        "runtimeClass": keccak(text="runtime"),
                        "inputDigest": digest,
                        "inputBinding": digest,
                        "price": request.price,
                        "members": 3,
                        "threshold": 2,
                        "minEligible": 0,
                        "deadline": (1 << 64) - 1,  # nothing bounds it
                        "commitWindow": 60,
                        "revealWindow": 60,
                        "callback": ZERO_ADDRESS,
                        "callbackGas": 0,
                        "nonce": 1,
                        "inputHint": "",
                    },
                    "openedBlock": 1,
                    "input": given,
                },
            )
        else:
            if self._random.random() < 0.3:
                yield from self._attest(request)
                return
            yield (
                "AttestedMarket",
                "AttestedOpened",
                head
                | {
                    "request": self._terms(request, digest)
                    | {
                        "requester": requester,
                        "verifier": self._addresses["KeySetVerifier"],
                        "policy": keccak(text="policy"),
                        "nonce": 1,
                        "inputHint": "",
                    },
                    "input": given,
                },
            )
