"""An executor whose key is elsewhere, and whose proofs nobody sees before they are mined."""

from __future__ import annotations

from executor_fixtures import running
from gateless.adapters.chain.prepared import decode_transaction
from gateless.adapters.chain.relay import RelayPolicy
from gateless.adapters.signer import open_external_signer
from gateless.devnet import Devnet
from gateless.executor.states import WorkState
from gateless.executor.work import IntentKind
from market_fixtures import ROW, MakeAccount, MakeServed
from relay_server import relay_server
from signer_server import signer_server


async def test_an_external_signer_and_a_relay(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served, user = await make_served("exec-private"), await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    async with (
        signer_server() as keys,
        relay_server(devnet.deployment.rpc_url) as relay,
    ):
        keys.account = served.executor.signer._account
        async with (
            open_external_signer(keys.url) as signer,
            running(devnet, served.executor, signer=signer, relay=RelayPolicy(relay.url)) as run,
        ):
            result = await user.client.infer("exec-private", ROW, price=1_000_000)
            await run.reaches(result.request_id, WorkState.FULFILLED)
            intents = await run.journal.intents(result.request_id)
            await run.has_problems()
        by_kind = {intent.kind: "0x" + intent.attempts[0].raw.hex() for intent in intents}
        assert by_kind.keys() == {IntentKind.LOCK, IntentKind.FULFILL}
        assert relay.handed == {by_kind[IntentKind.FULFILL]}
        said = decode_transaction(bytes.fromhex(by_kind[IntentKind.LOCK][2:]))
        assert said.sender == keys.account.address == served.executor.address
        assert [method for method, _ in keys.asked].count("eth_signTransaction") == 2
