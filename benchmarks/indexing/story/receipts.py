"""Receipts are doubted, results are posted, royalties are fetched."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.indexing.story.world import UNIT, Request, Told, World

_MARKETS = ("InferenceMarket", "LazyMarket", "QuorumMarket", "AttestedMarket")


class Receipts(World):
    """`ReceiptCourt` and `ResultBoard`."""

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
                    "bond": UNIT,
                    "challengeBond": UNIT,
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
                    "unlocked": UNIT,
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
                self._random.choice(_MARKETS),
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
                "bond": UNIT,
            },
        )
        if self._random.random() < 0.2:
            yield (
                "ReceiptCourt",
                "CommitmentWithdrawn",
                {
                    "claimId": self._number,
                    "challenger": challenger,
                    "bond": UNIT,
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
                    "price": UNIT,
                    "bond": UNIT,
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
                    "paid": UNIT // 2,
                    "burned": UNIT // 2,
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
                    "compensation": UNIT // 4,
                    "reward": UNIT // 4,
                    "burned": UNIT // 2,
                },
            )
        else:
            yield "ReceiptCourt", "ClaimMoot", {"claimId": claim_id, "challenger": challenger}

    def _post(self, request: Request) -> Told:
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
                "bond": UNIT,
                "outputDigest": self._digest(),
            },
        )
