"""The executor: watches the chain for requests, proves their answers, delivers and gets paid."""

from __future__ import annotations

from gateless.executor.config import (
    ExecutorConfig,
    IntakeConfig,
    LazyConfig,
    PolicyConfig,
    ReceiptsConfig,
    Serving,
)
from gateless.executor.executor import Executor
from gateless.executor.journal import Journal
from gateless.executor.service import run_executor
from gateless.executor.status import Status

__all__ = [
    "Executor",
    "ExecutorConfig",
    "IntakeConfig",
    "Journal",
    "LazyConfig",
    "PolicyConfig",
    "ReceiptsConfig",
    "Serving",
    "Status",
    "run_executor",
]
