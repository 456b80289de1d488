"""The books of a whole chain: every token unit that was made is on some account, and each contract
has what it owes. Read from the chain alone, so that no journal can hide a loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from gateless.adapters.chain.attested import ATTESTED_MARKET, AttestedReader
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.court_calls import COURT
from gateless.adapters.chain.lazy import DisputeReader, LazyReader
from gateless.adapters.chain.lazy_calls import DISPUTE_COURT, LAZY_MARKET
from gateless.adapters.chain.quorum import QuorumReader
from gateless.adapters.chain.quorum_calls import QUORUM_MARKET, QUORUM_MEMBERS
from gateless.core.types import Event, RequestState

_TRANSFER = "0x" + keccak(text="Transfer(address,address,uint256)").hex()
_TOTAL_SUPPLY = "0x" + keccak(text="totalSupply()")[:4].hex()
_NOBODY = "0x" + "00" * 20
#: After these a claim about a receipt holds no bond.
_CLAIM_ENDS = ("CommitmentWithdrawn", "Equivocation", "ClaimProven", "ClaimSlashed", "ClaimMoot")
#: What bonds of doubts about lazy answers come and go by.
_DOUBTS = ("ChallengeCommitted", "CommitmentWithdrawn", "ChallengeFailed", "ChallengeWon")


@dataclass(frozen=True)
class Books:
    """What there is of the token, and who holds it.

    Attributes:
        supply: units in existence.
        made: units ever made, by ``Transfer`` events.
        destroyed: units ever destroyed.
        held: units on all accounts that ever took part in a transfer, contracts included.
        owed: by contract, what it owes to accounts, models and requests that have not ended.
        covered: by contract, what it has.
    """

    supply: int
    made: int
    destroyed: int
    held: int
    owed: dict[str, int]
    covered: dict[str, int]

    def faults(self) -> list[str]:
        """What does not add up."""
        found = []
        if self.held != self.supply:
            found.append(f"accounts hold {self.held} of {self.supply} units")
        if self.made - self.destroyed != self.supply:
            found.append(f"{self.made} made, {self.destroyed} destroyed, {self.supply} left")
        found += [
            f"{name} has {self.covered[name]} units and owes {owed}"
            for name, owed in self.owed.items()
            if self.covered[name] != owed
        ]
        return found


async def read_books(client: ChainClient, start_block: int) -> Books:
    """Adds everything up, as of one block.

    Raises:
        RuntimeError: the chain goes on while it is read; read again when it rests.
    """
    head = await client.block()
    holders, made, destroyed = await _transfers(client, start_block)
    token = client.token
    held = {holder: await token.balance_of(holder) for holder in sorted(holders)}
    supply = int.from_bytes(
        await client.rpc.data(
            "eth_call", {"to": client.deployment.token.address, "data": _TOTAL_SUPPLY}, "latest"
        )
    )
    owed = {
        "InferenceMarket": await _owed_by_market(client, holders, start_block),
        LAZY_MARKET: await _owed_by_lazy_market(client, holders, start_block),
        "ExecutorStaking": await _owed_by_staking(client, holders),
        COURT: await _owed_by_receipt_court(client, holders),
        DISPUTE_COURT: await _owed_by_dispute_court(client, holders),
        QUORUM_MARKET: await _owed_by_quorum_market(client, holders),
        QUORUM_MEMBERS: 0,
        ATTESTED_MARKET: await _owed_by_attested_market(client, holders),
    }
    addresses = {name: client.deployment.address(name) for name in owed}
    covered = {name: held.get(address, 0) for name, address in addresses.items()}
    if (await client.block()).hash != head.hash:
        raise RuntimeError("the chain went on while its books were read")
    return Books(supply, made, destroyed, sum(held.values()), owed, covered)


async def _transfers(client: ChainClient, start_block: int) -> tuple[set[str], int, int]:
    logs = await client.rpc.request(
        "eth_getLogs",
        {
            "address": client.deployment.token.address,
            "topics": [_TRANSFER],
            "fromBlock": hex(start_block),
            "toBlock": "latest",
        },
    )
    holders: set[str] = set()
    made = destroyed = 0
    for log in logs:
        source, target = (to_checksum_address("0x" + topic[-40:]) for topic in log["topics"][1:3])
        amount = int(log["data"], 16)
        made += amount if source == _NOBODY else 0
        destroyed += amount if target == _NOBODY else 0
        holders |= {source, target} - {_NOBODY}
    return holders, made, destroyed


async def _owed_by_market(client: ChainClient, holders: set[str], start_block: int) -> int:
    market = client.market
    accounts = sum([await market.balance_of(holder) for holder in holders])
    events = await client.events(["InferenceMarket.RequestCreated"], start_block)
    locked = await client.events(["InferenceMarket.RequestLocked"], start_block)
    ids = {event.args["requestId"] for event in events + locked}
    unended = (RequestState.OPEN, RequestState.LOCKED)
    infos = [await market.request(entry) for entry in sorted(ids)]
    escrow = sum(info.price for info in infos if info.state in unended)
    return accounts + escrow + await _royalties(client, market.royalty_of)


async def _owed_by_lazy_market(client: ChainClient, holders: set[str], start_block: int) -> int:
    lazy = LazyReader(client.rpc, client.deployment)
    accounts = sum([await lazy.balance_of(holder) for holder in holders])
    events = await client.events(
        [f"{LAZY_MARKET}.{name}" for name in ("Requested", "Locked", "Finalized")]
        + [f"{LAZY_MARKET}.RequestRefunded"],
        start_block,
    )
    escrow: dict[int, int] = {}
    for event in events:
        number = event.args["requestId"]
        if event.name == "Requested":
            escrow[number] = event.args["request"]["maxPrice"]
        elif event.name == "Locked":
            escrow[number] = event.args["lock"]["price"]
        else:
            escrow[number] = 0
    slashed = await client.events([f"{LAZY_MARKET}.ClaimSlashed"], start_block)
    for event in slashed:
        escrow[event.args["requestId"]] = 0
    return accounts + sum(escrow.values()) + await _royalties(client, lazy.royalty_of)


async def _owed_by_staking(client: ChainClient, holders: set[str]) -> int:
    staking = client.staking
    stakes = sum([await staking.total_stake(holder) for holder in holders])
    credits = sum([await staking.credit_of(holder) for holder in holders])
    return stakes + credits + int(await staking.call("pendingBurn"))


async def _owed_by_receipt_court(client: ChainClient, holders: set[str]) -> int:
    """Bonds of announced claims, and what is left of them while they are open."""
    court = client.court
    owed = sum([await court.balance_of(holder) for holder in holders]) + await court.pending_burn()
    bonds: Counter[int] = Counter()
    for event in await _told(client, COURT, ("Committed", "ReceiptChallenged", *_CLAIM_ENDS)):
        claim_id = int(event.args["claimId"])
        if event.name == "Committed":
            bonds[claim_id] = int(event.args["bond"])
        elif event.name == "ReceiptChallenged":
            receipt = event.args["receipt"]
            pool = await court.pool(receipt["executor"], int(receipt["epoch"]))
            bonds[claim_id] = pool.challenge_bond
        else:
            del bonds[claim_id]
    return owed + bonds.total()


async def _owed_by_dispute_court(client: ChainClient, holders: set[str]) -> int:
    """Bonds of commitments and of doubts that have not ended."""
    court = DisputeReader(client.rpc, client.deployment)
    owed = sum([await court.balance_of(holder) for holder in holders])
    owed += int(await court.call("pendingBurn"))
    for event in await _told(client, DISPUTE_COURT, _DOUBTS):
        args = event.args
        if event.name == "ChallengeCommitted":
            owed += args["bond"]
        elif event.name == "ChallengeFailed":
            owed -= args["paid"] + args["burned"]
        else:
            owed -= args["bond"]
    return owed


async def _owed_by_quorum_market(client: ChainClient, holders: set[str]) -> int:
    market = QuorumReader(client.rpc, client.deployment)
    owed = sum([await market.balance_of(holder) for holder in holders])
    for event in await _told(client, QUORUM_MARKET, ("QuorumOpened",)):
        state = await market.state(event.args["requestId"])
        owed += 0 if state.is_final else event.args["request"]["price"]
    return owed + await _royalties(client, market.royalty_of)


async def _owed_by_attested_market(client: ChainClient, holders: set[str]) -> int:
    market = AttestedReader(client.rpc, client.deployment)
    owed = sum([await market.balance_of(holder) for holder in holders])
    for event in await _told(client, ATTESTED_MARKET, ("AttestedOpened",)):
        state = await market.state(event.args["requestId"])
        owed += 0 if state.is_final else event.args["request"]["maxPrice"]
    return owed + await _royalties(client, market.royalty_of)


async def _told(client: ChainClient, contract: str, names: Sequence[str]) -> list[Event]:
    """A contract's events, in their order."""
    named = [f"{contract}.{name}" for name in names]
    return await client.events(named, client.deployment.start_block)


async def _royalties(client: ChainClient, royalty_of) -> int:  # type: ignore[no-untyped-def]
    events = await client.events(["ModelRegistered"], client.deployment.start_block)
    return sum([await royalty_of(event.args["modelId"]) for event in events])
