"""What goes wrong on the executor's own machine: disk, key cache, clock, memory, load."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from executor_fixtures import running
from faulty_clock import JumpingClock
from gateless.adapters.chain import calls
from gateless.core.types import RequestState
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor import PolicyConfig
from gateless.executor.states import WorkState
from held_prover import HeldProver
from gateless_proofs import KeyCache
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from tried import PATIENCE_SECONDS, PRICE, Tried, on_trial, rows
