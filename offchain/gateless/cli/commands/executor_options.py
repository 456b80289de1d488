"""The options of ``gateless executor run``, by what they are about."""

from __future__ import annotations

from typing import Annotated

import typer

_POLICY = "Which work"
_MACHINE = "This machine"
_CLUSTER = "Cluster"
_RECEIPTS = "Receipts"
_LAZY = "Lazy requests"
_COSTS = "Costs"
_QUORUMS = "Quorums"

# --- serving and following ---

Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Take requests and serve files; 0 takes a free port."),
]
Host = Annotated[str, typer.Option(help="Address to serve on.")]
Stores = Annotated[
    list[str] | None,
    typer.Option(metavar="URL", help="Content store to ask first; may be given several times."),
]
Confirmations = Annotated[
    int, typer.Option(min=0, help="Blocks that must follow before a block counts.")
]
Poll = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.01, help="Pause between two looks at the chain.")
]
WithdrawAt = Annotated[
    str | None, typer.Option(metavar="AMOUNT", help="Withdraw earnings from here on.")
]

# --- which work ---

MinPrice = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT", rich_help_panel=_POLICY, help="Lowest price (default: the profile's)."
    ),
]
MaxCollateral = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT", rich_help_panel=_POLICY, help="Highest collateral of one request."
    ),
]
MaxAtRisk = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT",
        rich_help_panel=_POLICY,
        help="Most stake behind requests that are not settled, of all markets together.",
    ),
]
MaxConcurrent = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        rich_help_panel=_POLICY,
        help="Requests worked on at once (default: the profile's capacity).",
    ),
]
AllowRequesters = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDRESS",
        rich_help_panel=_POLICY,
        help="Work for these accounts alone; may be given several times.",
    ),
]
DenyRequesters = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDRESS",
        rich_help_panel=_POLICY,
        help="Do not work for this account; may be given several times.",
    ),
]
DenyVersions = Annotated[
    list[str] | None,
    typer.Option(
        metavar="REF",
        rich_help_panel=_POLICY,
        help="Do not serve this version; may be given several times.",
    ),
]
DenyModels = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=_POLICY,
        help="Serve no version of this model; may be given several times.",
    ),
]
TakesProofs = Annotated[
    bool,
    typer.Option(rich_help_panel=_POLICY, help="Whether to take requests for proofs."),
]
Failures = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=0,
        rich_help_panel=_POLICY,
        help="Leave a version alone for a while after so many failures in a row; 0 never does.",
    ),
]
FailurePause = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=1,
        rich_help_panel=_POLICY,
        help="For how long the first time; twice as long each further time.",
    ),
]
TimeFactor = Annotated[
    float,
    typer.Option(
        metavar="FACTOR",
        min=1,
        rich_help_panel=_POLICY,
        help="Measured proving time is multiplied by this before it is promised.",
    ),
]
Margin = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0,
        rich_help_panel=_POLICY,
        help="Time kept for transactions, on top of proving.",
    ),
]
MaxBatch = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=1,
        rich_help_panel=_POLICY,
        help="Most requests that share a proof; 1 proves each alone.",
    ),
]
BatchWait = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0,
        rich_help_panel=_POLICY,
        help="Longest wait for requests that may share a proof.",
    ),
]

# --- machines ---

Memory = Annotated[
    int,
    typer.Option(
        metavar="GIB", min=1, rich_help_panel=_MACHINE, help="Memory of all proofs at once."
    ),
]
Cores = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        rich_help_panel=_MACHINE,
        help="Threads of all proofs at once (default: the machine's).",
    ),
]
TimeLimit = Annotated[
    int,
    typer.Option(
        metavar="SECONDS", min=1, rich_help_panel=_MACHINE, help="Longest time for one proof."
    ),
]
ClusterAddress = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        rich_help_panel=_CLUSTER,
        help="Make proofs on this Ray cluster: auto, HOST:PORT or ray://HOST:PORT.",
    ),
]
ClusterMemory = Annotated[
    int | None,
    typer.Option(
        metavar="GIB",
        min=1,
        rich_help_panel=_CLUSTER,
        help="Most memory to take of each node (default: what it offers).",
    ),
]
ClusterCores = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        rich_help_panel=_CLUSTER,
        help="Most cores to take of each node (default: what it offers).",
    ),
]

# --- receipts, lazy requests, quorums ---

ReceiptBond = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT",
        rich_help_panel=_RECEIPTS,
        help="Answer directly, with this stake behind each receipt.",
    ),
]
ReceiptCapacity = Annotated[
    int,
    typer.Option(
        metavar="N", min=1, rich_help_panel=_RECEIPTS, help="Receipts that an epoch can have."
    ),
]
ChallengeBond = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT",
        rich_help_panel=_RECEIPTS,
        help="What doubt costs; it pays for a proof (default: 1).",
    ),
]
EpochsAhead = Annotated[
    int,
    typer.Option(
        metavar="N", min=0, rich_help_panel=_RECEIPTS, help="Open pools so many epochs ahead."
    ),
]
ReceiptPrice = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT",
        rich_help_panel=_RECEIPTS,
        help="What an answer costs, by a signed request (default: nothing).",
    ),
]
TakesLazy = Annotated[
    bool, typer.Option(rich_help_panel=_LAZY, help="Whether to answer lazy requests.")
]
LazyBacking = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT",
        rich_help_panel=_LAZY,
        help="Stake to keep behind lazy answers (default: as it is).",
    ),
]
Quorums = Annotated[
    list[str] | None,
    typer.Option(
        metavar="REF=STAKE",
        rich_help_panel=_QUORUMS,
        help="Enrol for quorums of this version, with this stake; several may be given.",
    ),
]
QuorumPrice = Annotated[
    str | None,
    typer.Option(metavar="AMOUNT", rich_help_panel=_QUORUMS, help="Least that a seat must pay."),
]
QuorumSeats = Annotated[
    int,
    typer.Option(metavar="N", min=1, rich_help_panel=_QUORUMS, help="Rounds at once."),
]

# --- costs ---

ProofSecond = Annotated[
    str | None,
    typer.Option(metavar="AMOUNT", rich_help_panel=_COSTS, help="What a second of proving costs."),
]
NativePrice = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT",
        rich_help_panel=_COSTS,
        help="What one unit of the chain's currency is worth, for gas.",
    ),
]
CapitalYield = Annotated[
    float,
    typer.Option(
        metavar="PERCENT",
        min=0,
        rich_help_panel=_COSTS,
        help="What tied-up stake shall yield in a year.",
    ),
]
Profit = Annotated[
    float,
    typer.Option(
        metavar="PERCENT", min=0, rich_help_panel=_COSTS, help="What is added to the cost."
    ),
]
Busy = Annotated[
    float,
    typer.Option(
        metavar="PERCENT",
        min=0,
        rich_help_panel=_COSTS,
        help="What is added when all capacity is in use; by its share.",
    ),
]
