"""What a watchtower may be told. Frozen: a change needs a restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gateless.adapters.chain.lane import SendingPolicy
from gateless.adapters.db import DatabaseUrl
from gateless.daemon.serving import ServerConfig


@dataclass(frozen=True, slots=True)
class WatchtowerConfig:
    """How a watchtower runs. Amounts are in token units.

    Attributes:
        data_dir: its own folder: process lock, and the journal where ``database`` names none.
        content_dir: content store; what is fetched is kept here.
        bundles_dir: bundles laid out as folders, by manifest digest.
        cache_dir: proving keys and reference strings.
        database: the journal's; None for a SQLite file in ``data_dir``.
        inbox: folder that is searched for handed receipts; None for none.
        serve_host: address of the HTTP inbox.
        serve_port: its port; 0 takes a free one, None serves nothing.
        stores: base URLs of content stores, asked before those that a version names.
        follow_uris: whether to ask the stores named by versions, requests and executors too.
        loopback_stores: whether those may be on this machine; None for the development chain only.
        allow_unsandboxed: whether to run models also where nothing keeps them from the network.
        max_at_risk: most bonds at the contracts at once; None for no limit.
        min_reward: least reward for which a challenge is made.
        challenge_unprovable: whether to challenge answers to inputs that no circuit takes.
        report_equivocations: whether to report two receipts for one slot.
        watch_lazy: whether to compute the lazy market's answers anew.
        versions: lazy answers of these versions only; empty for all.
        draw_lots: whether to draw the lots that requests ask for.
        withdraw_threshold: what a contract holds for the watchtower is withdrawn from here on; None
            leaves it there.
        min_life: seconds that must be left to challenge when a challenge is announced.
        max_waiting: cases that may wait for a judgement; more are refused.
        sending: fees of transactions, and when more is offered.
        poll_seconds: pause between two looks at the chain.
        retry_seconds: pause before an undecided case is looked at again.
        confirmations: blocks that must follow a block before it counts.
        max_bundle_bytes: largest bundle that is fetched.
        memory_bytes: of all subprocesses together.
        job_seconds: longest time for one witness or key.
        server: how the inbox is reached.
    """

    data_dir: Path
    content_dir: Path
    bundles_dir: Path
    cache_dir: Path
    database: DatabaseUrl | None = None
    inbox: Path | None = None
    serve_host: str = "127.0.0.1"
    serve_port: int | None = None
    stores: tuple[str, ...] = ()
    follow_uris: bool = True
    loopback_stores: bool | None = None
    allow_unsandboxed: bool = False
    max_at_risk: int | None = None
    min_reward: int = 0
    challenge_unprovable: bool = False
    report_equivocations: bool = True
    watch_lazy: bool = True
    versions: frozenset[int] = frozenset()
    draw_lots: bool = True
    withdraw_threshold: int | None = None
    min_life: int = 60
    max_waiting: int = 10_000
    sending: SendingPolicy = field(default_factory=SendingPolicy)
    poll_seconds: float = 1.0
    retry_seconds: float = 30.0
    confirmations: int = 0
    max_bundle_bytes: int = 1 << 30
    memory_bytes: int = 8 << 30
    job_seconds: float = 900.0
    server: ServerConfig = field(default_factory=ServerConfig)

    @classmethod
    def in_home(cls, home: Path, network: str, court: str, address: str) -> WatchtowerConfig:
        """The usual folders: a journal per court and account, content and keys shared."""
        return cls(
            data_dir=home / "watchtower" / f"{network}-{court[2:10].lower()}-{address.lower()}",
            content_dir=home / "content",
            bundles_dir=home / "bundles",
            cache_dir=home / "cache",
        )

    @property
    def journal(self) -> DatabaseUrl:
        """The journal's database: a file of its own folder where nothing else is said."""
        return self.database or DatabaseUrl.of_path(self.data_dir / "journal.db")
