"""A made-up but well-formed history of the network: events of every kind in an order that the
contracts allow, the same for the same seed."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from gateless.core.types import ZERO_ADDRESS

TOPICS = (
    "digits", "faces", "weather", "traffic", "text", "speech", "fraud", "plants", "stars", "price",
    "mood", "birds", "roads", "medical", "chess", "music", "satellite", "energy", "soil", "ships",
)  # fmt: skip
KINDS = ("classifier", "detector", "forecast", "ranker", "encoder", "segmenter", "tagger", "scorer")
_UNIT = 10**6

#: One event before it is in a block: contract, name, arguments.
Told = tuple[str, str, dict[str, Any]]


@dataclass
class _Request:
    """A request that has not ended."""

    request_id: int
    mode: int
    version_id: int
    requester: str
    price: int
    state: str = "open"
    executor: str = ""
    members: list[str] = field(default_factory=list)
    revealed: dict[int, bytes] = field(default_factory=dict)
    challenger: str = ""


class Story:
    """Events without end.

    Args:
        seed: which story.
        addresses: of the deployment's contracts, by name.
        models: how many models there are at most.
        executors: how many accounts execute.
        users: how many accounts ask.
    """

    def __init__(
        self,
        seed: int,
        addresses: Mapping[str, str],
        *,
        models: int = 40,
        executors: int = 20,
        users: int = 30,
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self._addresses = addresses
        self._most_models = models
        self._executors = [self._account(f"executor{number}") for number in range(executors)]
        # Executors ask too, now and then themselves.
        self._users = [self._account(f"user{number}") for number in range(users)]
        self._users += self._executors[:2]
        self._names: list[str] = []
        self._versions: list[int] = []
        self._counts: dict[int, int] = {}
        self._holders: dict[int, str] = {}
        self._known: set[str] = set()
        self._open: dict[int, _Request] = {}
        self._pools: dict[int, str] = {}
        self._claims: dict[int, tuple[str, int]] = {}
        self._published: list[_Request] = []
        self._number = 0

    def events(self) -> Iterator[Told]:
        """The events, one after the other, without end."""
        while True:
            yield from self.step()

    def step(self) -> list[Told]:
        """What happens next, at least one event."""
        if not self._names:
            return [*self._found_model(), *self._enter(self._executors[0])]
        steps: list[tuple[int, Callable[[], Iterator[Told]]]] = [
            (3, self._model_step),
            (6, self._executor_step),
            (30, self._ask),
            (60, self._go_on),
            (5, self._receipt_step),
        ]
        while True:
            choices = self._random.choices(steps, [weight for weight, _ in steps])
            told = list(choices[0][1]())
            if told:
                return told

    def fork(self, seed: int) -> Story:
        """The same up to here, and from here on something else."""
        other = copy.deepcopy(self)
        other._random = random.Random(seed)  # noqa: S311
        return other

    # --- models and executors ---

    def _model_step(self) -> Iterator[Told]:
        if len(self._names) < self._most_models and self._random.random() < 0.6:
            yield from self._found_model()
            return
        model = self._random.randrange(1, len(self._names) + 1)
        version = self._random.choice(self._versions)
        choice = self._random.random()
        if choice < 0.4:
            yield from self._publish(model)
        elif choice < 0.6:
            yield (
                "ModelRegistry",
                "AliasSet",
                {
                    "modelId": version >> 32,
                    "aliasName": "stable",
                    "versionId": version,
                },
            )
        elif choice < 0.8:
            yield (
                "ModelRegistry",
                "VersionDeprecated",
                {
                    "versionId": version,
                    "deprecated": self._random.random() < 0.5,
                    "reason": "superseded",
                },
            )
        else:
            to = self._random.choice(self._users)
            yield (
                "ModelRegistry",
                "Transfer",
                {
                    "from": self._holders[model],
                    "to": to,
                    "tokenId": model,
                },
            )
            self._holders[model] = to

    def _found_model(self) -> Iterator[Told]:
        number = len(self._names) + 1
        topic, kind = self._random.choice(TOPICS), self._random.choice(KINDS)
        name = f"{topic}-{kind}-{number}"
        creator = self._random.choice(self._users)
        self._names.append(name)
        self._holders[number] = creator
        self._counts[number] = 0
        yield "ModelRegistry", "Transfer", {"from": ZERO_ADDRESS, "to": creator, "tokenId": number}
        yield (
            "ModelRegistry",
            "ModelRegistered",
            {
                "modelId": number,
                "creator": creator,
                "name": name,
            },
        )
        yield from self._publish(number)

    def _publish(self, model: int) -> Iterator[Told]:
        version = model << 32 | self._counts[model]
        self._counts[model] += 1
        self._versions.append(version)
        yield (
            "ModelRegistry",
            "VersionPublished",
            {
                "versionId": version,
                "modelId": model,
                "publisher": self._holders[model],
                "params": {
                    "modelDigest": self._digest(),
                    "manifestDigest": self._digest(),
                    "ioSchema": self._bytes(24),
                    "binding": 0,
                    "modes": self._random.choice((3, 7, 15, 8)),
                    "royaltyBps": 500,
                    "proofSeconds": 4,
                    "repeatable": True,
                    "circuits": [
                        {
                            "vkaDigest": self._digest(),
                            "role": 0,
                            "batchSize": 1,
                            "proofLength": 2000,
                            "digitBits": 0,
                            "digitsPerWord": 0,
                        }
                    ],
                    "uri": "https://models.example",
                },
            },
        )
        yield (
            "ModelRegistry",
            "AliasSet",
            {
                "modelId": model,
                "aliasName": "latest",
                "versionId": version,
            },
        )

    def _enter(self, executor: str) -> Iterator[Told]:
        self._known.add(executor)
        amount = self._random.randrange(100, 1000) * _UNIT
        yield (
            "ExecutorStaking",
            "Staked",
            {
                "executor": executor,
                "payer": executor,
                "amount": amount,
            },
        )
        slasher = self._addresses["InferenceMarket"]
        yield (
            "ExecutorStaking",
            "Allocated",
            {
                "executor": executor,
                "slasher": slasher,
                "amount": amount // 2,
            },
        )
        yield self._profile(executor)
        yield (
            "ExecutorStaking",
            "Enrolled",
            {
                "executor": executor,
                "versionId": self._random.choice(self._versions),
            },
        )

    def _profile(self, executor: str) -> Told:
        return (
            "ExecutorStaking",
            "ProfileSet",
            {
                "executor": executor,
                "profile": {
                    "endpoint": "https://executor.example",
                    "receiptKey": executor,
                    "minPrice": self._random.randrange(1, 500) * _UNIT // 100,
                    "capacity": 4,
                },
            },
        )

    def _executor_step(self) -> Iterator[Told]:
        executor = self._random.choice(self._executors)
        if executor not in self._known:
            yield from self._enter(executor)
            return
        version = self._random.choice(self._versions)
        choice = self._random.random()
        if choice < 0.5:
            yield "ExecutorStaking", "Enrolled", {"executor": executor, "versionId": version}
        elif choice < 0.6:
            yield "ExecutorStaking", "Unenrolled", {"executor": executor, "versionId": version}
        elif choice < 0.7:
            yield self._profile(executor)
        elif choice < 0.8:
            yield (
                "ExecutorStaking",
                "ExitCompleted",
                {
                    "executor": executor,
                    "slasher": self._addresses["InferenceMarket"],
                    "amount": _UNIT,
                },
            )
        else:
            yield (
                "QuorumMembers",
                "MemberChanged",
                {
                    "versionId": version,
                    "runtimeClass": keccak(text="runtime"),
                    "account": executor,
                    "member": {
                        "stake": self._random.choice((0, 50)) * _UNIT,
                        "position": 1,
                        "capacity": 2,
                        "openSeats": 0,
                        "minPrice": _UNIT // 10,
                        "minSeconds": 5,
                        "isAwake": self._random.random() < 0.8,
                    },
                },
            )

    # --- requests ---

    def _ask(self) -> Iterator[Told]:
        mode = self._random.choices((0, 1, 2, 3), (5, 5, 2, 2))[0]
        requester = self._random.choice(self._users)
        request = _Request(
            request_id=int.from_bytes(self._digest(), "big"),
            mode=mode,
            version_id=self._random.choice(self._versions),
            requester=requester,
            price=self._random.randrange(10, 300) * _UNIT // 100,
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

    def _terms(self, request: _Request, digest: bytes) -> dict[str, Any]:
        return {
            "versionId": request.version_id,
            "inputDigest": digest,
            "inputBinding": digest,
            "maxPrice": request.price,
            "minPrice": 0,
            "rampStart": 0,
            "rampLength": 0,
            "collateral": 10 * _UNIT,
            "deadline": 2_000_000_000,
            "executor": ZERO_ADDRESS,
            "callback": ZERO_ADDRESS,
            "callbackGas": 0,
        }

    def _go_on(self) -> Iterator[Told]:
        if not self._open:
            return
        request = self._random.choice(list(self._open.values()))
        steps = (self._prove_step, self._lazy_step, self._quorum_step, self._attested_step)
        yield from steps[request.mode](request)

    def _prove_step(self, request: _Request) -> Iterator[Told]:
        here = {"requestId": request.request_id}
        choice = self._random.random()
        if choice < 0.1:
            slashed = 10 * _UNIT if request.state == "locked" else 0
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

    def _answer_signed(self, request: _Request, digest: bytes) -> Iterator[Told]:
        request.executor = self._pick_executor()
        yield self._answered(request, digest)

    def _answered(self, request: _Request, digest: bytes) -> Told:
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

    def _claim(self, request: _Request, digest: bytes) -> dict[str, Any]:
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
            "collateral": 10 * _UNIT,
            "challengeDeadline": 2_000_000_000,
            "responseWindow": 100,
            "auditBps": 10,
            "answeredBlock": 1,
            "callback": ZERO_ADDRESS,
            "callbackGas": 0,
        }

    def _lazy_step(self, request: _Request) -> Iterator[Told]:
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
                        "reward": 5 * _UNIT,
                        "burned": 5 * _UNIT,
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
                    "slashed": 10 * _UNIT,
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

    def _dispute(self, request: _Request) -> Iterator[Told]:
        request.state = "disputed"
        request.challenger = self._random.choice(self._users)
        bond = self._random.choice((0, _UNIT))
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

    def _judge(self, request: _Request) -> Iterator[Told]:
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
                        "paid": _UNIT // 2,
                        "burned": _UNIT // 2,
                    },
                )
            yield self._finalized(request, how=1)
            return
        yield "DisputeCourt", "ChallengeWon", here | {"bond": _UNIT}
        yield self._slash(request.executor, "LazyMarket", 10 * _UNIT)
        yield (
            "LazyMarket",
            "ClaimSlashed",
            {
                "requestId": request.request_id,
                "executor": request.executor,
                "challenger": request.challenger,
                "compensation": _UNIT,
                "reward": 2 * _UNIT,
                "burned": 7 * _UNIT,
            },
        )
        self._end(request)

    def _finalized(self, request: _Request, how: int) -> Told:
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

    def _quorum_step(self, request: _Request) -> Iterator[Told]:
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

    def _settle(self, request: _Request) -> Iterator[Told]:
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
            yield self._slash(member, "QuorumMembers", _UNIT)
            yield (
                "QuorumMembers",
                "MemberSlashed",
                {
                    "requestId": request.request_id,
                    "account": member,
                    "amount": _UNIT,
                    "beneficiary": ZERO_ADDRESS if reached else request.requester,
                    "compensation": 0 if reached else _UNIT // 2,
                },
            )
        if not reached:
            yield self._quorum_refund(request, reason=2)
        self._end(request, final=reached)

    def _quorum_refund(self, request: _Request, reason: int) -> Told:
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

    def _attested_step(self, request: _Request) -> Iterator[Told]:
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

    def _attest(self, request: _Request) -> Iterator[Told]:
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

    # --- receipts, results, royalties ---

    def _receipt_step(self) -> Iterator[Told]:
        choice = self._random.random()
        self._number += 1
        if choice < 0.2 or not self._pools:
            executor = self._pick_executor()
            self._pools[self._number] = executor
            yield (
                "ReceiptCourt",
                "PoolOpened",
                {
                    "poolId": self._number,
                    "executor": executor,
                    "epoch": self._number,
                    "receiptKey": executor,
                    "bond": _UNIT,
                    "challengeBond": _UNIT,
                    "capacity": 100,
                },
            )
        elif choice < 0.25:
            yield (
                "ReceiptCourt",
                "PoolGrown",
                {
                    "poolId": self._random.choice(list(self._pools)),
                    "capacity": 200,
                },
            )
        elif choice < 0.3:
            yield (
                "ReceiptCourt",
                "PoolReleased",
                {
                    "poolId": self._random.choice(list(self._pools)),
                    "unlocked": _UNIT,
                    "forfeited": 0,
                    "reward": 0,
                },
            )
        elif choice < 0.5:
            yield from self._doubt()
        elif choice < 0.8 and self._claims:
            yield from self._end_claim()
        elif choice < 0.9 and self._published:
            yield self._post(self._published.pop())
        else:
            model = self._random.randrange(1, len(self._names) + 1)
            yield (
                "InferenceMarket",
                "RoyaltyWithdrawn",
                {
                    "modelId": model,
                    "holder": self._holders[model],
                    "to": self._holders[model],
                    "amount": 5,
                },
            )

    def _doubt(self) -> Iterator[Told]:
        challenger = self._random.choice(self._users)
        executor = self._random.choice(list(self._pools.values()))
        version = self._random.choice(self._versions)
        yield (
            "ReceiptCourt",
            "Committed",
            {
                "claimId": self._number,
                "challenger": challenger,
                "commitment": self._digest(),
                "bond": _UNIT,
            },
        )
        if self._random.random() < 0.2:
            yield (
                "ReceiptCourt",
                "CommitmentWithdrawn",
                {
                    "claimId": self._number,
                    "challenger": challenger,
                    "bond": _UNIT,
                },
            )
            return
        if self._random.random() < 0.1:
            yield (
                "ReceiptCourt",
                "Equivocation",
                {
                    "poolId": self._random.choice(list(self._pools)),
                    "reporter": challenger,
                    "claimId": self._number,
                    "slot": 1,
                    "firstDigest": self._digest(),
                    "secondDigest": self._digest(),
                },
            )
            return
        self._claims[self._number] = (challenger, version)
        yield (
            "ReceiptCourt",
            "ReceiptChallenged",
            {
                "claimId": self._number,
                "executor": executor,
                "versionId": version,
                "deadline": 2_000_000_000,
                "receipt": {
                    "versionId": version,
                    "inputBinding": self._digest(),
                    "inputDigest": bytes(32),
                    "outputDigest": self._digest(),
                    "executor": executor,
                    "beneficiary": self._users[1],
                    "price": _UNIT,
                    "bond": _UNIT,
                    "issued": 1_700_000_000,
                    "expires": 1_800_000_000,
                    "epoch": 1,
                    "slot": 1,
                },
                "signature": self._bytes(65),
                "input": self._bytes(64),
            },
        )

    def _end_claim(self) -> Iterator[Told]:
        claim_id = self._random.choice(list(self._claims))
        challenger, _ = self._claims.pop(claim_id)
        choice = self._random.random()
        if choice < 0.6:
            yield (
                "ReceiptCourt",
                "ClaimProven",
                {
                    "claimId": claim_id,
                    "prover": self._users[0],
                    "paid": _UNIT // 2,
                    "burned": _UNIT // 2,
                },
            )
        elif choice < 0.9:
            yield (
                "ReceiptCourt",
                "ClaimSlashed",
                {
                    "claimId": claim_id,
                    "challenger": challenger,
                    "beneficiary": self._users[1],
                    "compensation": _UNIT // 4,
                    "reward": _UNIT // 4,
                    "burned": _UNIT // 2,
                },
            )
        else:
            yield "ReceiptCourt", "ClaimMoot", {"claimId": claim_id, "challenger": challenger}

    def _post(self, request: _Request) -> Told:
        return (
            "ResultBoard",
            "ResultPublished",
            {
                "topic": self._digest(),
                "versionId": request.version_id,
                "inputBinding": self._digest(),
                "requestId": request.request_id,
                "index": 0,
                "mode": request.mode,
                "how": (1, 2, 3, 4)[request.mode],
                "bond": _UNIT,
                "outputDigest": self._digest(),
            },
        )

    # --- pieces ---

    def _slash(self, executor: str, slasher: str, amount: int) -> Told:
        return (
            "ExecutorStaking",
            "Slashed",
            {
                "executor": executor,
                "slasher": self._addresses[slasher],
                "claimId": self._digest(),
                "amount": amount,
                "beneficiary": ZERO_ADDRESS,
                "compensation": 0,
            },
        )

    def _end(self, request: _Request, *, final: bool = False) -> None:
        self._open.pop(request.request_id, None)
        if final:
            self._published.append(request)
            del self._published[:-50]

    def _pick_executor(self) -> str:
        return self._random.choice(self._executors)

    def _digest(self) -> bytes:
        return self._random.randbytes(32)

    def _bytes(self, length: int) -> bytes:
        return self._random.randbytes(length)

    @staticmethod
    def _account(name: str) -> str:
        return to_checksum_address(keccak(text=name)[-20:])
