"""Models are published, executors come and go."""

from __future__ import annotations

from collections.abc import Iterator

from eth_utils.crypto import keccak
from gateless.core.types import ZERO_ADDRESS

from benchmarks.indexing.story.world import UNIT, Told, World

TOPICS = (
    "digits", "faces", "weather", "traffic", "text", "speech", "fraud", "plants", "stars", "price",
    "mood", "birds", "roads", "medical", "chess", "music", "satellite", "energy", "soil", "ships",
)  # fmt: skip
KINDS = ("classifier", "detector", "forecast", "ranker", "encoder", "segmenter", "tagger", "scorer")


class Offers(World):
    """Who offers what."""

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
        amount = self._random.randrange(100, 1000) * UNIT
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
                    "minPrice": self._random.randrange(1, 500) * UNIT // 100,
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
        elif choice < 0.75:
            leaving = {"executor": executor, "amount": UNIT}
            slasher = self._addresses["InferenceMarket"]
            yield "ExecutorStaking", "ExitCompleted", leaving | {"slasher": slasher}
            yield "ExecutorStaking", "Withdrawn", leaving | {"to": executor}
        elif choice < 0.8:
            # Any contract may be allowed to slash.
            amount = {"executor": executor, "slasher": self._users[0], "amount": UNIT}
            yield "ExecutorStaking", "Allocated", amount
        else:
            yield (
                "QuorumMembers",
                "MemberChanged",
                {
                    "versionId": version,
                    "runtimeClass": keccak(text="runtime"),
                    "account": executor,
                    "member": {
                        "stake": self._random.choice((0, 50)) * UNIT,
                        "position": 1,
                        "capacity": 2,
                        "openSeats": 0,
                        "minPrice": UNIT // 10,
                        "minSeconds": 5,
                        "isAwake": self._random.random() < 0.8,
                    },
                },
            )
