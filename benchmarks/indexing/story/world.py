"""What a story is made of: who is there, what is open, and how things are spelled."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from gateless.core.types import ZERO_ADDRESS

UNIT = 10**6


#: One event before it is in a block: contract, name, arguments.
Told = tuple[str, str, dict[str, Any]]


@dataclass
class Request:
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


class World:
    """Accounts, models and what has not ended; everything else is told about these.

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
        self._open: dict[int, Request] = {}
        self._pools: dict[int, str] = {}
        self._claims: dict[int, tuple[str, int]] = {}
        self._published: list[Request] = []
        self._number = 0

    def _terms(self, request: Request, digest: bytes) -> dict[str, Any]:
        return {
            "versionId": request.version_id,
            "inputDigest": digest,
            "inputBinding": digest,
            "maxPrice": request.price,
            "minPrice": 0,
            "rampStart": 0,
            "rampLength": 0,
            "collateral": 10 * UNIT,
            "deadline": 2_000_000_000,
            "executor": ZERO_ADDRESS,
            "callback": ZERO_ADDRESS,
            "callbackGas": 0,
        }

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

    def _end(self, request: Request, *, final: bool = False) -> None:
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
