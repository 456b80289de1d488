"""A watchtower that is killed at a chosen step: the real one, whose journal pulls the trigger.

Arguments: home, deployments file, step, changed settings as JSON. The step is ``intended:<kind>``
when a transaction was journaled and not yet sent, ``moved:<state>`` when a case was. The account's
key comes by the environment.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from eth_account import Account as EthAccount
from gateless.adapters.chain.deployment import load_deployment
from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.signer import LocalSigner
from gateless.watchtower import Journal, open_watchtower
from gateless.watchtower.cases import Case, CaseState, IntentKind
from gateless.watchtower.journal_intents import Intent
from market_fixtures import Account
from watchtower_fixtures import watch_config

KEY_VARIABLE = "GATELESS_TEST_KEY"


def _die_at(step: str) -> None:
    if sys.argv[3] == step:
        os.kill(os.getpid(), signal.SIGKILL)


class DyingJournal(Journal):
    """Writes, then kills its process without a chance to clean up."""

    async def move(self, case_id: bytes, to: CaseState, **facts: Any) -> Case:
        case = await super().move(case_id, to, **facts)
        _die_at(f"moved:{to}")
        return case

    async def intend(
        self, kind: IntentKind, prepared: PreparedTx, case_id: bytes | None = None
    ) -> Intent:
        intent = await super().intend(kind, prepared, case_id)
        _die_at(f"intended:{kind}")
        return intent


async def main(home: Path, network: str) -> None:
    deployment = load_deployment(network, home)
    signer = LocalSigner(EthAccount.from_key(os.environ[KEY_VARIABLE]))
    # Only the folders are asked for: it has no client.
    account = Account(signer, home, None)  # type: ignore[arg-type]
    async with open_watchtower(
        watch_config(account, **json.loads(sys.argv[4])),
        deployment=deployment,
        signer=signer,
        journal_type=DyingJournal,
    ) as watchtower:
        await watchtower.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
