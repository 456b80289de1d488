"""Two processes that send from one account, as a command beside a running executor does."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateless.adapters.chain.account_turns import AccountTurns
from gateless.adapters.chain.calls import approve
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.sender import Sender
from gateless.devnet import Devnet

EACH = 12


async def test_a_turn_waits_for_the_end_of_the_other(tmp_path: Path) -> None:
    one, two = AccountTurns(tmp_path / "lock"), AccountTurns(tmp_path / "lock")
    leave, further = await one.enter(), await one.enter()
    other = asyncio.create_task(two.enter())
    leave()
    leave()  # counts once
    await asyncio.sleep(0.1)
    assert not other.done()
    further()
    (await asyncio.wait_for(other, 60))()


async def test_transactions_of_two_processes_take_each_a_nonce_of_its_own(
    isolated_devnet: Devnet, tmp_path: Path
) -> None:
    deployment, signer = isolated_devnet.deployment, isolated_devnet.signers["user"]
    async with (
        await ChainClient.connect(deployment) as one,
        await ChainClient.connect(deployment) as two,
    ):
        one.turns_folder = two.turns_folder = tmp_path
        before = await one.nonces(signer.address).mined()
        signed: list[int] = []

        async def send(client: ChainClient) -> None:
            sender = Sender(client, signer)
            prepared = await sender.prepare(approve(signer.address, 1))
            signed.append(prepared.nonce)
            receipt = await sender.submit(prepared, fresh=True)
            assert receipt.status == 1

        await asyncio.gather(*(send(client) for _ in range(EACH) for client in (one, two)))
        # No nonce was signed twice, and none was left out.
        assert sorted(signed) == list(range(before, before + 2 * EACH))
