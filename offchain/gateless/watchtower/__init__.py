"""The watchtower: computes given answers anew and challenges the wrong ones with its bond."""

from __future__ import annotations

from gateless.watchtower.config import WatchtowerConfig
from gateless.watchtower.journal import Journal
from gateless.watchtower.service import open_watchtower, run_watchtower
from gateless.watchtower.status import Status
from gateless.watchtower.watchtower import Watchtower

__all__ = [
    "Journal",
    "Status",
    "Watchtower",
    "WatchtowerConfig",
    "open_watchtower",
    "run_watchtower",
]
