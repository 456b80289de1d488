"""An index of everything on the chain, and the API that serves it."""

from __future__ import annotations

from gateless.indexer.config import IndexerConfig
from gateless.indexer.indexer import Indexer
from gateless.indexer.service import open_indexer, run_indexer

__all__ = ["Indexer", "IndexerConfig", "open_indexer", "run_indexer"]
