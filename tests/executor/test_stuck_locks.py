"""An executor whose transactions a rising base fee left behind."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from executor_fixtures import eventually, running
from gateless.adapters.chain.fees import FeePolicy
from gateless.adapters.chain.lane import SendingPolicy
from gateless.adapters.chain.prepared import decode_transaction
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor.states import WorkState
from market_fixtures import ROW, MakeAccount, MakeServed

GWEI = 10**9
IMPATIENT = SendingPolicy(
    FeePolicy(priority_fee=GWEI), stuck_seconds=0.3, stuck_blocks=1, look_seconds=0.1
)


async def test_a_lock_is_replaced_and_every_attempt_is_journaled(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    net, rpc = isolated_devnet, isolated_devnet.client.rpc
    served, user = await make_served("exec-stuck"), await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    asked = await user.client.submit("exec-stuck", ROW, price=1_000_000)
    before = await rpc.request("eth_getBlockByNumber", "latest", False)

    async def waiting() -> bool:
        return int((await rpc.request("txpool_status"))["pending"], 16) == 1

    async def mining(base_fee: int) -> None:
        while True:
            await rpc.request("anvil_setNextBlockBaseFeePerGas", hex(base_fee))
            await net.control.mine()
            await asyncio.sleep(0.1)

    await net.control.set_automine(False)
    try:
        async with running(net, served.executor, sending=IMPATIENT) as run:
            await eventually("the lock waits to be mined", waiting)
            (lock,) = await run.journal.intents(asked.request_id)
            offered = decode_transaction(lock.attempts[0].raw).fees.per_gas
            miner = asyncio.create_task(mining(2 * offered))
            try:
                await run.reaches(asked.request_id, WorkState.FULFILLED)
            finally:
                miner.cancel()
                with suppress(asyncio.CancelledError):
                    await miner
            intents = await run.journal.intents(asked.request_id)
    finally:
        # Going back to a snapshot does not take the next base fee back.
        await rpc.request("anvil_setNextBlockBaseFeePerGas", before["baseFeePerGas"])
    lock = intents[0]
    assert [intent.state for intent in intents] == [IntentState.MINED] * 2
    assert len(lock.attempts) > 1
    assert {decode_transaction(entry.raw).nonce for entry in lock.attempts} == {lock.nonce}
    assert lock.text.removeprefix("mined as ") in {entry.tx_hash for entry in lock.attempts[1:]}
