"""What challenging brought and cost an account: from the chain alone."""

from __future__ import annotations

from dataclasses import dataclass

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.court_calls import COURT
from gateless.adapters.chain.lazy import DisputeReader, has_lazy_market
from gateless.adapters.chain.lazy_calls import DISPUTE_COURT, LAZY_MARKET
from gateless.core.types import Event

_COURT_EVENTS = tuple(
    f"{COURT}.{name}"
    for name in (
        "Committed",
        "CommitmentWithdrawn",
        "ReceiptChallenged",
        "ClaimProven",
        "ClaimSlashed",
        "ClaimMoot",
        "Equivocation",
        "PoolReleased",
    )
)

_DISPUTE_EVENTS = (
    *(
        f"{DISPUTE_COURT}.{name}"
        for name in ("ChallengeCommitted", "CommitmentWithdrawn", "ChallengeFailed", "ChallengeWon")
    ),
    f"{LAZY_MARKET}.ClaimSlashed",
)


@dataclass(frozen=True, slots=True)
class Earnings:
    """A balance of challenges. Amounts are in token units.

    Attributes:
        won: claims that nobody proved.
        lost: claims that were proven.
        moot: claims whose bond another claim had taken.
        reported: equivocations shown; their reward comes when the pool is released.
        open: claims that are not final, announced ones included.
        rewards: of slashed claims and of reported pools that were released.
        bonds_lost: of proven claims.
        at_risk: bonds of claims that are not final.
        credited: rewards and compensations that can be withdrawn from the staking contract.
        balance: bonds that came back and can be withdrawn from the courts.
    """

    won: int
    lost: int
    moot: int
    reported: int
    open: int
    rewards: int
    bonds_lost: int
    at_risk: int
    credited: int
    balance: int

    @property
    def net(self) -> int:
        """Rewards less bonds lost; gas is not counted."""
        return self.rewards - self.bonds_lost


@dataclass(slots=True)
class _Books:
    """Sums while events are read."""

    won: int = 0
    lost: int = 0
    moot: int = 0
    reported: int = 0
    rewards: int = 0
    bonds_lost: int = 0


async def read_earnings(client: ChainClient, account: str) -> Earnings:
    """What an account's challenges brought and cost, up to the latest block."""
    books = _Books()
    bonds = await _read_court(client, account, books)
    balance = await client.court.balance_of(account)
    if has_lazy_market(client.deployment):
        bonds += await _read_disputes(client, account, books)
        balance += await DisputeReader(client.rpc, client.deployment).balance_of(account)
    return Earnings(
        won=books.won,
        lost=books.lost,
        moot=books.moot,
        reported=books.reported,
        open=len(bonds),
        rewards=books.rewards,
        bonds_lost=books.bonds_lost,
        at_risk=sum(bonds),
        credited=await client.staking.credit_of(account),
        balance=balance,
    )


async def _read_court(client: ChainClient, account: str, books: _Books) -> list[int]:
    """Claims about receipts; returns the bonds of those that are not final."""
    me = account.lower()
    bonds: dict[int, int] = {}
    pools: set[int] = set()
    for event in await client.events(_COURT_EVENTS, client.deployment.start_block):
        args, name = event.args, event.name
        claim_id = int(args.get("claimId", 0))
        if name == "Committed" and str(args["challenger"]).lower() == me:
            bonds[claim_id] = int(args["bond"])
        elif name == "Equivocation" and str(args["reporter"]).lower() == me:
            pools.add(int(args["poolId"]))
            books.reported += 1
            bonds.pop(claim_id, None)
        elif name == "PoolReleased" and int(args["poolId"]) in pools:
            books.rewards += int(args["reward"])
        elif claim_id not in bonds:
            continue
        elif name == "ReceiptChallenged":
            bonds[claim_id] = await _challenge_bond(client, event)
        elif name == "CommitmentWithdrawn":
            del bonds[claim_id]
        elif name == "ClaimSlashed":
            books.won += 1
            books.rewards += int(args["reward"])
            del bonds[claim_id]
        elif name == "ClaimProven":
            books.lost += 1
            books.bonds_lost += int(args["paid"]) + int(args["burned"])
            del bonds[claim_id]
        elif name == "ClaimMoot":
            books.moot += 1
            del bonds[claim_id]
    return list(bonds.values())


async def _read_disputes(client: ChainClient, account: str, books: _Books) -> list[int]:
    """Doubts about lazy answers; returns the bonds of those that are not final."""
    me = account.lower()
    bonds: list[int] = []
    for event in await client.events(_DISPUTE_EVENTS, client.deployment.start_block):
        args, name = event.args, event.name
        if str(args["challenger"]).lower() != me:
            continue
        if name == "ChallengeCommitted":
            bonds.append(int(args["bond"]))
        elif name == "ClaimSlashed":
            books.won += 1
            books.rewards += int(args["reward"])
        elif name == "ChallengeFailed":
            books.lost += 1
            books.bonds_lost += int(args["paid"]) + int(args["burned"])
            bonds.pop()
        elif name == "CommitmentWithdrawn" or (name == "ChallengeWon" and int(args["bond"])):
            bonds.pop()
    return bonds


async def _challenge_bond(client: ChainClient, challenged: Event) -> int:
    receipt = challenged.args["receipt"]
    pool = await client.court.pool(receipt["executor"], int(receipt["epoch"]))
    return pool.challenge_bond
