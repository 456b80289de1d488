"""Only the market's own disputes count: anybody can take made-up markets to the court."""

from __future__ import annotations

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from executor_fixtures import config_of, running
from gateless.adapters.chain import calls, lazy_calls
from gateless.adapters.chain.lazy_calls import DISPUTE_COURT
from gateless.core.lazy import Finality, LazyState, lazy_commitment
from gateless.devnet import Devnet
from gateless.executor.lazy.states import LazyWorkState
from lazy_serving import LAZY, asking
from market_fixtures import MakeAccount, MakeServed

MADE_UP = to_checksum_address("0x" + "fa" * 20)


async def test_disputes_of_a_made_up_market_are_nothing(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "lazy-made-up")
    liar, executor = await make_account(), ask.served.executor
    # A contract that takes any call and does nothing.
    await isolated_devnet.client.rpc.request("anvil_setCode", MADE_UP, "0x00")
    async with running(isolated_devnet, executor, config_of(executor, lazy=LAZY)) as run:
        request_id = await ask.sent(await ask.request())
        await ask.reaches(request_id, LazyState.ANSWERED)
        claim, salt = await ask.claim_of(request_id), keccak(text="salt")
        sender, bond = ask.sender(liar), await ask.court.challenge_bond()
        await sender.send(calls.approve(ask.court.address, bond))
        await sender.send(lazy_calls.deposit(bond, DISPUTE_COURT))
        made = lazy_commitment(liar.address, MADE_UP, claim, salt)
        await sender.send(lazy_calls.commit_challenge(made))
        await sender.send(lazy_calls.challenge(MADE_UP, claim, salt))
        await isolated_devnet.control.advance(claim.challenge_deadline - await ask.now() + 1)
        await ask.reaches(request_id, LazyState.FINAL)
        assert (await ask.market.result(request_id)).how is Finality.UNCHALLENGED
        kinds = [entry.kind for entry in await run.journal.intents()]
        assert "lazy_prove" not in kinds
        assert (await run.journal.lazy(request_id)).state is not LazyWorkState.DISPUTED
