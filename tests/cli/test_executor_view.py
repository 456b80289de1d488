"""What an operator sees of a running executor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateless.adapters.chain.deployment import TokenInfo
from gateless.adapters.chain.rpc import EndpointHealth
from gateless.cli.executor_view import executor_view, left, name_of
from gateless.executor.deadlines import Endangered
from gateless.executor.status import ActiveWork, Batches, Problem, Status
from gateless_proofs.backend import NodeStatus, ProvingStatus
from gateless_proofs.isolation import Files, Isolation, Network
from rich.console import Console

NOW = 1_800_000_000
TOKEN = TokenInfo("0x" + "00" * 20, "tUSD", 6)
HASH = int("ab" * 32, 16)
NODE = NodeStatus(
    "rack-1", 8 << 30, 4, 3 << 30, 2, 2, 1_204, Isolation(Network.NAMESPACE, Files.LANDLOCK, True)
)
STATUS = Status(
    phase="running",
    address="0x52908400098527886E0F7030069857D2E4169EE7",
    network="mynet",
    head=1_000,
    cursor=998,
    counts={"fulfilled": 1_204, "proving": 1, "seen": 2},
    active=(
        ActiveWork(18, 1, "seen", "busy", NOW + 4_000),
        ActiveWork(17, 1, "proving", "", NOW + 600, NOW + 95),
    ),
    lazy={"answered": 31},
    lazy_earned=3_100_000,
    challenges={},
    earned=301_000_000,
    batches=Batches(3, 40),
    balance=12_500_000,
    winnings={"LazyMarket": 2_000_000},
    available_stake=80_000_000,
    at_risk=20_000_000,
    endangered=(Endangered(HASH, "lazy", NOW + 40, 40.0, 62.5),),
    resting=0,
    rpc=(
        EndpointHealth("https://one", "ok", 1_000, 0, 0, 5_120, 0.0212, 0.0, "", ""),
        EndpointHealth("https://two", "resting", None, 0, 3, 7, None, 4.0, "rpc-timeout", "late"),
    ),
    enrolled=(1,),
    proving=ProvingStatus("local", (NODE,), 3),
    serving_at="http://127.0.0.1:8700",
    problems=(Problem("busy", "12 s would be left", "a faster machine takes more", 18),),
)


def drawn(status: Status, width: int = 80) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(executor_view(_as_json(status), TOKEN, NOW))
        return console.export_text()


def _as_json(status: Status) -> dict[str, Any]:
    return status.to_dict()


def test_all_that_matters_is_seen_in_80_columns() -> None:
    text = drawn(STATUS)
    words = " ".join(text.split())
    assert "executor 0x52908400098527886E0F7030069857D2E4169EE7 on mynet running" in words
    assert "block 1000, 2 behind" in words
    assert "stake at risk 20.00 tUSD; 80.00 tUSD available" in words
    assert "301.00 tUSD by proofs, 3.10 tUSD by lazy requests; 12.50 tUSD not withdrawn" in words
    assert "held for it 2.00 tUSD at LazyMarket" in words
    assert "1,204 fulfilled, 1 proving, 2 seen" in words
    assert "shared proofs 3 for 40 requests" in words
    assert "rack-1 2 2/4 3.0/8.0 GiB 1,204 namespace, landlock, seccomp" in words
    assert "3 jobs wait for room" in words
    assert "https://two resting - - 7 rpc-timeout" in words
    assert "busy (request 18): 12 s would be left hint: a faster machine takes more" in words
    # The most urgent first, and what may come too late apart.
    assert text.index("17  ") < text.index("18  ")
    assert "17 proving 1 min 35 s 10 min 00 s -" in words
    assert "0xababab…abab lazy 40 s 62 s" in words
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_machine_without_a_sandbox_is_not_overlooked() -> None:
    bare = replace(NODE, isolation=Isolation())
    text = drawn(replace(STATUS, phase="halted", proving=ProvingStatus("local", (bare,), 0)), 120)
    assert "halted" in text
    assert "NOTHING (docs/sandbox.md)" in text


def test_one_that_has_not_seen_the_chain_yet() -> None:
    blank = replace(
        STATUS,
        phase="starting",
        head=None,
        cursor=None,
        counts={},
        lazy={},
        active=(),
        batches=Batches(0, 0),
        endangered=(),
        at_risk=None,
        available_stake=None,
        balance=None,
        winnings={},
        proving=None,
        problems=(),
    )
    text = " ".join(drawn(blank).split())
    assert "none seen yet" in text and "nothing yet" in text and "unknown yet" in text
    assert "problems" not in text


def test_times_and_names_for_people() -> None:
    assert [left(NOW + s, NOW) for s in (-1, 0, 59, 61, 3_661)] == [
        "over",
        "0 s",
        "59 s",
        "1 min 01 s",
        "1 h 01 min",
    ]
    assert left(0, NOW) == "-"
    assert (name_of(7), name_of(HASH)) == ("7", "0xababab…abab")
