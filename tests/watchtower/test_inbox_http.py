"""The inbox over HTTP: what it takes, what it refuses and why, what it tells."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from gateless.adapters.clock import SystemClock
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import InputError, StorageError
from gateless.core.handovers import MAX_HANDOVER_BYTES, Handover
from gateless.core.receipts import SignedReceipt
from gateless.devnet import Devnet
from gateless.sdk.handing import hand_input, hand_over
from gateless.watchtower.cases import CaseState
from gateless.watchtower.inbox import Inbox, inbox_app
from lazy_fixtures import answering_executor
from market_fixtures import MakeAccount, MakeServed
from watchtower_fixtures import signing_executor, watch_config, watching, with_bundle


async def test_what_it_takes_and_refuses(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "inbox")
    tower = await with_bundle(await make_account(), says.served)
    true = await says.receipt(says.truth.packed_output)
    async with (
        watching(devnet, tower, serve_port=0, max_waiting=1, inbox=None) as watch,
        httpx.AsyncClient(base_url=watch.watchtower.serving_at, timeout=60) as http,
    ):
        url = watch.watchtower.serving_at
        where = await hand_over(Handover(true, says.packed), url)
        await watch.reaches(true.digest, CaseState.RIGHT)
        told = (await http.get(where)).json()
        assert (told["state"], told["case"]) == ("right", f"0x{true.digest.hex()}")

        foreign = await SignedReceipt.sign(true.court, true.receipt, LocalSigner.random())
        with pytest.raises(InputError, match="not signed by the key") as refused:
            await hand_over(Handover(foreign), url)
        assert refused.value.code == "handover-refused"
        elsewhere = replace(true.court, address=devnet.client.market.address)
        other = await SignedReceipt.sign(elsewhere, true.receipt, says.key)
        with pytest.raises(InputError, match="court"):
            await hand_over(Handover(other), url)

        # One may wait for its input; a second one finds no room.
        waiting = await says.receipt(says.truth.packed_output, slot=1)
        place = await hand_over(Handover(waiting), url)
        await watch.reaches(waiting.digest, CaseState.UNDECIDED, reason="input-missing")
        third = await says.receipt(says.truth.packed_output, slot=2)
        full = await http.post("/v1/handovers", content=Handover(third).to_json())
        assert (full.status_code, full.json()["code"]) == (429, "inbox-full")
        wrong = await http.put(f"{place}/input", content=b"another")
        assert (wrong.status_code, wrong.json()["code"]) == (422, "handover-mismatch")
        assert (await http.put(f"{place}/input", content=says.packed)).status_code == 202
        await watch.reaches(waiting.digest, CaseState.RIGHT)

        junk = await http.post("/v1/handovers", content=b"{}")
        assert (junk.status_code, junk.json()["code"]) == (422, "invalid-receipt")
        large = await http.post("/v1/handovers", content=b" " * (MAX_HANDOVER_BYTES + 1))
        assert (large.status_code, large.json()["code"]) == (413, "body-too-large")
        assert (await http.get("/v1/cases/0x00")).status_code == 404
        status = (await http.get("/v1/status")).json()
        assert (status["address"], status["counts"]) == (tower.address, {"right": 2})
        [node] = status["proving"]["nodes"]
        assert node["isolation"]["network"] in ("namespace", "seccomp")
    with pytest.raises(StorageError, match="does not answer"):
        await hand_over(Handover(true), url)


class Standing(SystemClock):
    """A clock on which no time passes."""

    def monotonic(self) -> float:
        return 0.0


async def test_too_many_at_once_are_refused(
    isolated_devnet: Devnet, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    tower = await make_account()
    async with watching(devnet, tower) as watch:
        inbox = Inbox(devnet.client, watch.journal, watch_config(tower))
        app = inbox_app(inbox, watch.journal, Standing())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://inbox"
        ) as http:
            told = [(await http.get("/v1/cases/0x00")).status_code for _ in range(62)]
    assert told == [404] * 60 + [429] * 2


async def test_the_input_of_a_lazy_request_can_be_handed_in(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "handed")
    tower = await with_bundle(await make_account(), says.served)
    async with watching(devnet, tower, serve_port=0) as watch:
        lie = await says.answers(await says.asks(), says.lie)
        case_id = lie.to_bytes(32, "big")
        await watch.reaches(case_id, CaseState.UNDECIDED, reason="input-missing")
        await hand_input(f"0x{lie:064x}", says.packed, watch.watchtower.serving_at)
        await watch.reaches(case_id, CaseState.OPEN)
