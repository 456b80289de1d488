"""What single events do to the rows: money to the unit, and blame where it belongs."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils.crypto import keccak
from gateless.core.types import ZERO_ADDRESS
from gateless.indexer.facts import MAX_KEPT_BYTES, Fact, digest_of_bytes, plain
from gateless.indexer.reducers import reduce
from gateless.indexer.workset import WorkingSet

VERSION = 1 << 32
LAZY, COURT = "0x" + "1a" * 20, "0x" + "2b" * 20
ALICE, BOB, CAROL, DAVE = (f"0x{name * 20}" for name in ("aa", "bb", "cc", "dd"))
DIGEST = "0x" + "11" * 32


class Ledger:
    """Rows in memory, to which events are told one after the other."""

    def __init__(self) -> None:
        self.rows = WorkingSet(lambda _name, _keys: (), {LAZY: "LazyMarket"})
        self._time = 1_700_000_000

    def tell(self, contract: str, event: str, /, **args: Any) -> None:
        self._time += 10
        args = {key: plain(value) for key, value in args.items()}
        reduce(self.rows, Fact(contract, event, args, 1, 0, "0x00", "0x00", self._time))

    def of(self, projection: str, *key: Any) -> dict[str, Any]:
        row = self.rows.find(projection, *key)
        assert row is not None
        return row

    def record(self, address: str) -> tuple[int, int, int, int]:
        row = self.of("executors", address)
        return row["fulfilled"], row["expired"], row["slashed"], row["defended"]

    def earned(self, address: str, what: str) -> int:
        row = self.rows.find("earnings", address)
        return 0 if row is None else int(row[what])


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.tell("ModelRegistry", "Transfer", **{"from": ZERO_ADDRESS, "to": DAVE, "tokenId": 1})
    made.tell("ModelRegistry", "ModelRegistered", modelId=1, creator=DAVE, name="digits")
    return made


def terms(requester: str = ALICE, price: int = 100) -> dict[str, Any]:
    return {
        "versionId": VERSION,
        "requester": requester,
        "maxPrice": price,
        "collateral": 50,
        "deadline": 2_000_000_000,
        "executor": ZERO_ADDRESS,
        "inputDigest": bytes(32),
        "inputBinding": bytes(32),
        "inputHint": "",
    }


def lazy_answer(ledger: Ledger, request_id: int = 7, requester: str = ALICE) -> None:
    head = {"requestId": request_id, "versionId": VERSION}
    wanted = terms(requester)
    ledger.tell("LazyMarket", "Requested", **head, requester=requester, request=wanted, input=b"")
    ledger.tell("LazyMarket", "Locked", requestId=request_id, executor=BOB, lock={"price": 100})
    claim = wanted | {"price": 100, "outputDigest": bytes(32)}
    ledger.tell(
        "LazyMarket", "Answered", **head, executor=BOB, claim=claim, output=b"x", inputHint=""
    )


def dispute(ledger: Ledger, market: str, challenger: str = CAROL, bond: int = 5) -> None:
    told = {"challenger": challenger, "bond": bond, "deadline": 9, "number": 1}
    ledger.tell(
        "DisputeCourt", "Disputed", market=market, requestId=7, executor=BOB, claim={}, dispute=told
    )


def test_a_slashed_answer_pays_requester_and_challenger(ledger: Ledger) -> None:
    lazy_answer(ledger)
    dispute(ledger, LAZY)
    assert ledger.of("requests", 7)["state"] == "disputed"
    court = {"market": LAZY, "requestId": 7, "challenger": CAROL}
    ledger.tell("DisputeCourt", "ChallengeWon", **court, bond=5)
    ledger.tell(
        "LazyMarket",
        "ClaimSlashed",
        requestId=7,
        executor=BOB,
        challenger=CAROL,
        compensation=10,
        reward=12,
        burned=28,
    )
    assert ledger.of("requests", 7)["state"] == "slashed"
    assert ledger.record(BOB) == (0, 0, 1, 0)
    assert ledger.of("versions", VERSION)["slashed"] == 1
    assert ledger.earned(ALICE, "compensation") == 10
    assert ledger.earned(CAROL, "rewards") == 12
    found = ledger.of("disputes", "lazy", 7)
    assert (found["state"], found["executor"], found["burned"]) == ("won", BOB, 28)


def test_a_challenge_that_failed_counts_for_the_executor(ledger: Ledger) -> None:
    lazy_answer(ledger)
    dispute(ledger, LAZY)
    court = {"market": LAZY, "requestId": 7, "challenger": CAROL}
    ledger.tell("DisputeCourt", "ChallengeFailed", **court, paid=2, burned=3)
    final = {"requestId": 7, "executor": BOB, "versionId": VERSION, "outputDigest": bytes(32)}
    ledger.tell("LazyMarket", "Finalized", **final, how=1, fee=95, royalty=5)
    assert ledger.record(BOB) == (1, 0, 0, 1)
    assert (ledger.earned(BOB, "bonds_won"), ledger.earned(CAROL, "bonds_lost")) == (2, 5)
    assert (ledger.earned(BOB, "fees"), ledger.earned(DAVE, "royalties")) == (95, 5)
    assert ledger.earned(ALICE, "spent") == 100
    assert ledger.of("requests", 7)["how"] == "proven"


def test_a_made_up_market_slanders_nobody(ledger: Ledger) -> None:
    lazy_answer(ledger)
    dispute(ledger, market="0x" + "66" * 20)
    court = {"market": "0x" + "66" * 20, "requestId": 7, "challenger": CAROL}
    ledger.tell("DisputeCourt", "ChallengeFailed", **court, paid=2, burned=3)
    ledger.tell("DisputeCourt", "ChallengeWon", **court, bond=5)
    assert ledger.of("requests", 7)["state"] == "answered"
    assert ledger.rows.find("disputes", "lazy", 7) is None
    assert ledger.record(BOB) == (0, 0, 0, 0)
    assert ledger.earned(BOB, "bonds_won") == 0


def test_who_asks_himself_proves_nothing(ledger: Ledger) -> None:
    lazy_answer(ledger, requester=BOB)
    final = {"requestId": 7, "executor": BOB, "versionId": VERSION, "outputDigest": bytes(32)}
    ledger.tell("LazyMarket", "Finalized", **final, how=2, fee=95, royalty=5)
    assert ledger.record(BOB) == (0, 0, 0, 0)
    assert ledger.of("executors", BOB)["self_dealt"] == 1
    assert ledger.of("versions", VERSION)["fulfilled"] == 0
    assert ledger.of("versions", VERSION)["total_times"] == {}


def test_a_missed_lock_is_its_holders_also_when_another_answers(ledger: Ledger) -> None:
    head = {"requestId": 1, "versionId": VERSION}
    params = terms() | {"mode": 0}
    ledger.tell(
        "InferenceMarket",
        "RequestCreated",
        **head,
        requester=ALICE,
        params=params,
        input=b"",
        inputHint="",
    )
    for executor in (BOB, CAROL):
        if executor == CAROL:
            ledger.tell("InferenceMarket", "LockMissed", requestId=1, executor=BOB)
        ledger.tell(
            "InferenceMarket",
            "RequestLocked",
            requestId=1,
            executor=executor,
            price=100,
            lockDeadline=9,
        )
    ledger.tell(
        "InferenceMarket",
        "RequestFulfilled",
        **head,
        executor=CAROL,
        fee=95,
        royalty=5,
        output=b"y",
    )
    assert ledger.record(BOB) == (0, 1, 0, 0)
    assert ledger.record(CAROL) == (1, 0, 0, 0)
    request = ledger.of("requests", 1)
    assert (request["executor"], request["missed_locks"]) == (CAROL, 1)
    assert request["output_digest"] == "0x" + keccak(b"y").hex()
    assert request["answered_at"] - request["requested_at"] == 40
    assert ledger.of("executors", CAROL)["latency"] == 40


def test_shares_of_a_quorum_make_the_price_to_the_unit(ledger: Ledger) -> None:
    wanted = terms() | {"price": 100}
    del wanted["maxPrice"]
    head = {"requestId": 3, "versionId": VERSION, "requester": ALICE}
    ledger.tell("QuorumMarket", "QuorumOpened", **head, request=wanted, openedBlock=1, input=b"")
    members = [BOB, CAROL, DAVE]
    ledger.tell(
        "QuorumMarket", "QuorumDrawn", requestId=3, round={"price": 100, "members": members}
    )
    for seat, output in ((2, b"x"), (0, b"x"), (1, b"z")):
        seated = {"requestId": 3, "member": members[seat], "seat": seat}
        ledger.tell("QuorumMarket", "QuorumCommitted", **seated, commitment=bytes(32))
        ledger.tell(
            "QuorumMarket", "QuorumRevealed", **seated, outputDigest=keccak(output), output=output
        )
    ledger.tell("QuorumMarket", "QuorumReached", **head, agreed=2, share=47, royalty=5, output=b"x")
    loss = {"amount": 1, "beneficiary": ZERO_ADDRESS, "compensation": 0}
    ledger.tell("QuorumMembers", "MemberSlashed", requestId=3, account=CAROL, **loss)
    # 95 between two: the first in the order of the draw gets what the division leaves.
    assert [ledger.earned(member, "fees") for member in members] == [48, 0, 47]
    assert ledger.of("requests", 3)["fee"] == 95
    assert [ledger.record(member) for member in members] == [
        (1, 0, 0, 0),
        (0, 0, 1, 0),
        (1, 0, 0, 0),
    ]


def test_two_receipts_for_a_slot_are_the_pools_owners(ledger: Ledger) -> None:
    ledger.tell(
        "ReceiptCourt",
        "PoolOpened",
        poolId=4,
        executor=BOB,
        epoch=1,
        receiptKey=BOB,
        bond=1,
        challengeBond=1,
        capacity=2,
    )
    ledger.tell(
        "ReceiptCourt", "Committed", claimId=9, challenger=CAROL, commitment=bytes(32), bond=1
    )
    ledger.tell(
        "ReceiptCourt",
        "Equivocation",
        poolId=4,
        reporter=CAROL,
        claimId=9,
        slot=0,
        firstDigest=bytes(32),
        secondDigest=bytes(32),
    )
    ledger.tell("ReceiptCourt", "PoolReleased", poolId=4, unlocked=0, forfeited=2, reward=1)
    assert ledger.record(BOB) == (0, 0, 1, 0)
    assert ledger.of("pools", 4)["state"] == "forfeited"
    assert ledger.of("disputes", "equivocation", 9)["executor"] == BOB
    assert ledger.of("disputes", "receipt", 9)["state"] == "reported"


def test_long_bytes_are_kept_by_their_digest() -> None:
    data = bytes(MAX_KEPT_BYTES + 1)
    assert plain(data) == {"length": len(data), "keccak256": "0x" + keccak(data).hex()}
    for value in (data, b"short"):
        assert digest_of_bytes(plain(value)) == "0x" + keccak(value).hex()
