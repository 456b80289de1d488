"""What an executor may be told. Frozen: a change needs a restart, so that no decision mixes two."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from gateless.adapters.chain.lane import SendingPolicy
from gateless.adapters.chain.relay import RelayPolicy
from gateless.adapters.db import DatabaseUrl
from gateless.daemon.serving import ServerConfig
from gateless.executor.costs import Rates
from gateless.executor.lists import Lists
from gateless.executor.quorum_config import QuorumConfig

#: A transaction may have 2**24 gas (EIP-7825); a sixteenth of it is left to the market.
MAX_PROOF_GAS = (1 << 24) - (1 << 20)


class Serving(StrEnum):
    """Which versions an executor works for."""

    ENROLLED = "enrolled"
    LISTED = "listed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """What work to take. Amounts are in token units.

    Attributes:
        serving: the versions enrolled for on chain, those in ``versions``, or all.
        versions: version ids for ``LISTED``.
        min_price: lowest price; None means the profile's on chain.
        max_collateral: highest collateral of one request; None for no limit.
        max_at_risk: most stake behind requests that are not settled yet, of all markets together;
            None for no limit.
        lists: whom and what is wanted, and whom and what not.
        proofs: whether requests for proofs are taken; lazy requests, receipts and quorums have
            switches of their own.
        failures: failures in a row after which a version is left alone for a while; 0 for never.
        failure_pause_seconds: for how long the first time; twice as long each further time.
        max_concurrent: requests worked on at once; None means the profile's capacity.
        time_factor: measured proving time is multiplied by this before it is promised.
        margin_seconds: time kept for transactions on top of proving.
        token_per_native: token units that one unit (10**18 wei) of the chain's currency is worth;
            None leaves gas out of the account.
        gas_estimate: gas of lock and fulfilment together, for that account.
        max_batch: most requests that share a proof; 1 proves each alone.
        batch_wait_seconds: longest time that a locked request waits for others that are about to
            be locked and may share its proof.
        lock_wait_seconds: longest time that a lock waits for other requests of its version that are
            about to be locked, so that one transaction locks them.
        least_batch_fill: share of a batch circuit's rows below which requests are proven alone.
        max_proof_gas: most gas that the verification of a proof may take by itself; the market's
            books need what is left of a transaction. Circuits whose proofs need more are refused.
        proof_second_price: what a second of proving costs, in token units.
        capital_bps: what tied-up stake shall yield in a year, in basis points.
        profit_bps: what is added to the cost, in basis points.
        busy_bps: what is added when all capacity is in use, in basis points; in proportion to the
            share of it that is.
    """

    serving: Serving = Serving.ENROLLED
    versions: frozenset[int] = frozenset()
    min_price: int | None = None
    max_collateral: int | None = None
    max_at_risk: int | None = None
    lists: Lists = field(default_factory=Lists)
    proofs: bool = True
    failures: int = 3
    failure_pause_seconds: float = 60.0
    max_concurrent: int | None = None
    time_factor: float = 2.0
    margin_seconds: float = 3.0
    token_per_native: int | None = None
    gas_estimate: int = 900_000
    max_batch: int = 128
    batch_wait_seconds: float = 2.0
    lock_wait_seconds: float = 0.5
    least_batch_fill: float = 0.25
    max_proof_gas: int = MAX_PROOF_GAS
    proof_second_price: float = 0.0
    capital_bps: int = 0
    profit_bps: int = 0
    busy_bps: int = 0

    @property
    def rates(self) -> Rates:
        """What work costs here while nothing else is done."""
        return Rates(
            self.proof_second_price, self.capital_bps, self.token_per_native, self.profit_bps
        )


@dataclass(frozen=True, slots=True)
class ReceiptsConfig:
    """Answering directly, with bonded receipts. Amounts are in token units.

    Attributes:
        bond: stake behind each receipt of the pools that are opened.
        capacity: receipts that an epoch can have.
        challenge_bond: what a challenger must put up: it pays for the proof of a true receipt.
        epochs_ahead: epochs after the current one whose pools are opened already.
        life_seconds: how long a receipt can be challenged; the court has a maximum.
        price: what an answer costs; 0 answers for nothing.
        tend_seconds: pause between two looks at the pools.
    """

    bond: int
    capacity: int
    challenge_bond: int
    epochs_ahead: int = 1
    life_seconds: int = 12 * 3600
    price: int = 0
    tend_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class LazyConfig:
    """Answering lazy requests. Amounts are in token units.

    Attributes:
        enabled: whether lazy requests are taken; what was answered is seen through all the same.
        backing: stake to keep behind lazy answers; more is put there out of what is allocated to
            the market, what is unused is taken back. None leaves it to the operator.
        min_price: lowest price; None means that of all requests.
        doubt_bps: share of answers that are challenged, for the cost model, in basis points.
        gas_estimate: gas of lock, answer and finality together, for the cost model.
        proof_gas_estimate: gas of a proof, likewise.
        finalize_seconds: answers that are due wait so long for others to be made final with.
        finalize_at_once: most steps (locks, answers, ends) in one transaction.
    """

    enabled: bool = True
    backing: int | None = None
    min_price: int | None = None
    doubt_bps: int = 10
    gas_estimate: int = 200_000
    proof_gas_estimate: int = 700_000
    finalize_seconds: float = 30.0
    finalize_at_once: int = 32


@dataclass(frozen=True, slots=True)
class IntakeConfig:
    """What comes in by HTTP, and how much of it.

    Attributes:
        signed_requests: whether signed requests are taken.
        max_offers: signed requests that are kept waiting at once.
        max_body_bytes: largest body of a request that is not an input.
        max_input_bytes: largest packed input.
        max_stored_bytes: room for inputs that were handed in.
        rate_per_second: requests that a client may make, in the long run.
        burst: and at once.
        direct_at_once: direct calls that are worked on at once; as many again may wait.
    """

    signed_requests: bool = True
    max_offers: int = 1_000
    max_body_bytes: int = 1 << 20
    max_input_bytes: int = 1 << 20
    max_stored_bytes: int = 1 << 30
    rate_per_second: float = 20.0
    burst: int = 60
    direct_at_once: int = 4


@dataclass(frozen=True, slots=True)
class ExecutorConfig:
    """How an executor runs.

    Attributes:
        data_dir: its own folder: process lock, and the journal where ``database`` names none.
        content_dir: content store; what is fetched is kept and served from here.
        bundles_dir: bundles laid out as folders, by manifest digest.
        cache_dir: proving keys and reference strings.
        database: the journal's; None for a SQLite file in ``data_dir``.
        turns_dir: holds the lock by which the executor and commands that send from its account take
            turns; None for ``data_dir``.
        stores: base URLs of content stores, asked before those that a version or request names.
        follow_uris: whether to ask the stores named by versions, requests and executors too.
        serve_host: address of the own HTTP server.
        serve_port: its port; 0 takes a free one, None serves nothing.
        poll_seconds: pause between two looks at the chain.
        clock_tolerance: seconds by which this machine's clock may differ from the chain's
            before the status says so; None is a minute, and any time on development chains.
        retry_seconds: pause before a request that could not be served is looked at again.
        confirmations: blocks that must follow a block before its requests count.
        max_bundle_bytes: largest bundle that is fetched.
        memory_bytes: of all proofs that are made at once, together.
        prove_seconds: longest time for one proof.
        cores: threads of all proofs together; None means those of the machine.
        allow_unsandboxed: whether to run models also where nothing keeps them from the network.
        loopback_stores: whether stores that strangers name may be at addresses of this machine;
            None means on the development chain only.
        cluster: address of a Ray cluster that makes the proofs; None makes them here.
        cluster_node_memory_bytes: most memory to take of each node; None takes what it offers.
        cluster_node_cores: most cores to take of each node; None takes what it offers.
        withdraw_threshold: what a contract holds for the executor is withdrawn from here on; None
            leaves it there.
        sending: fees of transactions, and when more is offered.
        relay: where transactions go that carry outputs or proofs; None sends them like all others.
        policy: what work to take.
        quorum: quorums to take part in.
        receipts: how to answer directly; None signs no receipts.
        intake: what comes in by HTTP.
        lazy: how to serve lazy requests.
        server: how it is reached by HTTP.
    """

    data_dir: Path
    content_dir: Path
    bundles_dir: Path
    cache_dir: Path
    database: DatabaseUrl | None = None
    turns_dir: Path | None = None
    stores: tuple[str, ...] = ()
    follow_uris: bool = True
    serve_host: str = "127.0.0.1"
    serve_port: int | None = None
    poll_seconds: float = 1.0
    clock_tolerance: float | None = None
    retry_seconds: float = 10.0
    confirmations: int = 0
    max_bundle_bytes: int = 1 << 30
    memory_bytes: int = 8 << 30
    prove_seconds: float = 900.0
    cores: int | None = None
    allow_unsandboxed: bool = False
    loopback_stores: bool | None = None
    cluster: str | None = None
    cluster_node_memory_bytes: int | None = None
    cluster_node_cores: int | None = None
    withdraw_threshold: int | None = None
    sending: SendingPolicy = field(default_factory=SendingPolicy)
    relay: RelayPolicy | None = None
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    quorum: QuorumConfig = field(default_factory=QuorumConfig)
    receipts: ReceiptsConfig | None = None
    intake: IntakeConfig = field(default_factory=IntakeConfig)
    lazy: LazyConfig = field(default_factory=LazyConfig)
    server: ServerConfig = field(default_factory=ServerConfig)

    @classmethod
    def in_home(cls, home: Path, network: str, market: str, address: str) -> ExecutorConfig:
        """The usual folders: a journal per market and account, content and keys shared.

        The market's address is in the journal's name: other contracts, such as those of a newer
        release on a development chain, are another business with a journal of its own.
        """
        return cls(
            data_dir=home / "executor" / f"{network}-{market[2:10].lower()}-{address.lower()}",
            content_dir=home / "content",
            bundles_dir=home / "bundles",
            cache_dir=home / "cache",
            turns_dir=home / "sending",
        )

    @property
    def journal(self) -> DatabaseUrl:
        """The journal's database: a file of its own folder where nothing else is said."""
        return self.database or DatabaseUrl.of_path(self.data_dir / "journal.db")
