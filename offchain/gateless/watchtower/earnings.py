"""What challenging brought and cost an account: from the chain alone."""

from __future__ import annotations

from dataclasses import dataclass

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.court_calls import COURT
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
        balance: bonds that came back and can be withdrawn from the court.
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


async def read_earnings(client: ChainClient, account: str) -> Earnings:
    """What an account's challenges brought and cost, up to the latest block."""
    me = account.lower()
    bonds: dict[int, int] = {}
    pools: set[int] = set()
    won = lost = moot = reported = rewards = bonds_lost = 0
    for event in await client.events(_COURT_EVENTS, client.deployment.start_block):
        args, name = event.args, event.name
        claim_id = int(args.get("claimId", 0))
        if name == "Committed" and str(args["challenger"]).lower() == me:
            bonds[claim_id] = int(args["bond"])
        elif name == "Equivocation" and str(args["reporter"]).lower() == me:
            pools.add(int(args["poolId"]))
            reported += 1
            bonds.pop(claim_id, None)
        elif name == "PoolReleased" and int(args["poolId"]) in pools:
            rewards += int(args["reward"])
        elif claim_id not in bonds:
            continue
        elif name == "ReceiptChallenged":
            bonds[claim_id] = await _challenge_bond(client, event)
        elif name == "CommitmentWithdrawn":
            del bonds[claim_id]
        elif name == "ClaimSlashed":
            won, rewards = won + 1, rewards + int(args["reward"])
            del bonds[claim_id]
        elif name == "ClaimProven":
            lost, bonds_lost = lost + 1, bonds_lost + int(args["paid"]) + int(args["burned"])
            del bonds[claim_id]
        elif name == "ClaimMoot":
            moot += 1
            del bonds[claim_id]
    return Earnings(
        won=won,
        lost=lost,
        moot=moot,
        reported=reported,
        open=len(bonds),
        rewards=rewards,
        bonds_lost=bonds_lost,
        at_risk=sum(bonds.values()),
        credited=await client.staking.credit_of(account),
        balance=await client.court.balance_of(account),
    )


async def _challenge_bond(client: ChainClient, challenged: Event) -> int:
    receipt = challenged.args["receipt"]
    pool = await client.court.pool(receipt["executor"], int(receipt["epoch"]))
    return pool.challenge_bond
