"""Watchtowers for tests: real ones, in this process; and an executor that signs what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.signer import LocalSigner
from gateless.core.receipts import ZERO_BYTES32, Receipt, SignedReceipt
from gateless.devnet import Devnet
from gateless.sdk import PoolTerms
from gateless.sdk.tensors import pack_inputs
from gateless.watchtower import Journal, Watchtower, WatchtowerConfig, open_watchtower
from gateless.watchtower.cases import Case, CaseState
from gateless_proofs import KeyCache, Proof, Prover
from market_fixtures import ROW, Account, MakeServed, Served, fund
from patience import eventually

DOLLAR = 1_000_000
TERMS = PoolTerms(bond=10 * DOLLAR, capacity=8, challenge_bond=2 * DOLLAR)
#: What every commitment holds on the development chain.
COMMIT_BOND = 20 * DOLLAR


def watch_config(account: Account, **changes: Any) -> WatchtowerConfig:
    """A quick watchtower in an account's home."""
    home = account.home
    config = WatchtowerConfig(
        data_dir=home / "watchtower",
        content_dir=home / "content",
        bundles_dir=home / "bundles",
        cache_dir=home / "cache",
        inbox=home / "inbox",
        poll_seconds=0.05,
        retry_seconds=0.2,
        min_life=1,
    )
    return replace(config, **changes)


@dataclass(frozen=True)
class Watching:
    """A watchtower that runs in this process."""

    watchtower: Watchtower
    journal: Journal
    task: asyncio.Task[None]

    async def case(self, case_id: bytes) -> Case | None:
        if self.task.done():
            self.task.result()
        try:
            return await self.journal.get(case_id)
        except LookupError:
            return None

    async def reaches(self, case_id: bytes, *states: CaseState, reason: str | None = None) -> Case:
        async def reached() -> bool:
            case = await self.case(case_id)
            return case is not None and case.state in states and reason in (None, case.reason)

        await eventually(f"case 0x{case_id.hex()[:8]} is {states} {reason or ''}", reached)
        return await self.journal.get(case_id)


@asynccontextmanager
async def watching(
    devnet: Devnet, account: Account, config: WatchtowerConfig | None = None, **changes: Any
) -> AsyncIterator[Watching]:
    """Runs a watchtower for the length of the block, then stops it without grace."""
    journals: list[Journal] = []

    class Kept(Journal):
        """A journal that the test can read too."""

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            journals.append(self)

    async with open_watchtower(
        config or watch_config(account, **changes),
        deployment=devnet.deployment,
        signer=account.signer,
        journal_type=Kept,
    ) as watchtower:
        task = asyncio.create_task(watchtower.run())
        try:
            yield Watching(watchtower, journals[0], task)
        finally:
            watchtower.abort()
            await task


@asynccontextmanager
async def reading(
    devnet: Devnet, account: Account, config: WatchtowerConfig | None = None
) -> AsyncIterator[Journal]:
    """The journal of a watchtower that does not run."""
    journal = await Journal.open(
        (config or watch_config(account)).journal,
        chain_id=devnet.deployment.chain_id,
        court=devnet.client.court.address,
        account=account.address,
    )
    try:
        yield journal
    finally:
        await journal.close()


@dataclass(frozen=True)
class Signing:
    """An executor with a pool that signs receipts for whatever output it is told."""

    served: Served
    key: LocalSigner
    packed: bytes
    truth: Proof
    epoch: int

    @property
    def chain(self) -> ChainClient:
        return self.served.executor.client.chain

    @property
    def lie(self) -> bytes:
        """An output that the circuit does not give."""
        return bytes(len(self.truth.packed_output))

    async def receipt(self, output: bytes, slot: int = 0, **changes: Any) -> SignedReceipt:
        now = (await self.chain.block("pending")).timestamp
        receipt = Receipt(
            version_id=self.served.published.version_id,
            input_binding=keccak(self.packed),
            input_digest=ZERO_BYTES32,
            output_digest=keccak(output),
            executor=self.served.executor.address,
            beneficiary=self.served.builder.address,
            price=DOLLAR,
            bond=TERMS.bond,
            issued=now,
            expires=now + 7200,
            epoch=self.epoch,
            slot=slot,
        )
        changed = replace(receipt, **changes)
        return await SignedReceipt.sign(self.chain.court.court, changed, self.key)


async def signing_executor(devnet: Devnet, make_served: MakeServed, name: str) -> Signing:
    """Serves the tiny model and opens a pool for the epoch that begins now."""
    served = await make_served(name)
    executor, key = served.executor, LocalSigner.random()
    await fund(devnet, executor.address, 200)
    done = await executor.client.back_receipts(TERMS, epochs=2, receipt_key=key.address)
    chain = executor.client.chain
    now = (await chain.block("pending")).timestamp
    await devnet.control.advance(done.pools[1].starts - now)
    packed = pack_inputs(served.bundle.manifest, ROW)
    truth = await Prover(KeyCache(executor.home / "cache")).prove(served.bundle, packed)
    return Signing(served, key, packed, truth, done.first_epoch + 1)


async def with_bundle(account: Account, served: Served) -> Account:
    """Gives an account the version's files, as if it had fetched them."""
    await account.client.services.store.put(served.bundle.root / "manifest.json")
    for entry in served.bundle.manifest.files:
        await account.client.services.store.put(served.bundle.root / entry.name)
    return account


def put_into(folder: Path, name: str, text: str) -> None:
    """Puts a file into an inbox, whole at once."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{name}.partial"
    partial.write_text(text)
    partial.rename(folder / f"{name}.json")
