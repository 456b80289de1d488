"""What an indexer may be told. Frozen: a change needs a restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gateless.adapters.db import DatabaseUrl
from gateless.daemon.serving import ServerConfig


@dataclass(frozen=True, slots=True)
class IndexerConfig:
    """How an indexer runs.

    Attributes:
        data_dir: its own folder: the index where ``database`` names none.
        content_dir: content store; manifests that are fetched are kept here.
        database: the index's; None for a SQLite file in ``data_dir``.
        serve_host: address that the API is served on.
        serve_port: its port; 0 takes a free one, None serves nothing.
        stores: base URLs of content stores, asked before those that a version names.
        follow_uris: whether to ask the stores that publishers and executors name too.
        confirmations: blocks that must follow a block before it is read.
        poll_seconds: pause between two looks at the chain.
        retry_seconds: pause before a manifest that could not be had is asked for again, doubled
            each time up to a day.
        ready_blocks: blocks that the index may be behind and still be ready.
        rate_per_second: requests that one address may make in the long run.
        burst: and at once.
        server: how the API is reached.
    """

    data_dir: Path
    content_dir: Path
    database: DatabaseUrl | None = None
    serve_host: str = "127.0.0.1"
    serve_port: int | None = 8730
    stores: tuple[str, ...] = ()
    follow_uris: bool = True
    confirmations: int = 0
    poll_seconds: float = 1.0
    retry_seconds: float = 30.0
    ready_blocks: int = 5
    rate_per_second: float = 50.0
    burst: int = 200
    server: ServerConfig = field(default_factory=ServerConfig)

    @classmethod
    def in_home(cls, home: Path, network: str, registry: str) -> IndexerConfig:
        """The usual folders: an index per network, content shared."""
        return cls(
            data_dir=home / "indexer" / f"{network}-{registry[2:10].lower()}",
            content_dir=home / "content",
        )

    @property
    def index(self) -> DatabaseUrl:
        """Where the index is."""
        return self.database or DatabaseUrl.of_path(self.data_dir / "index.db")
