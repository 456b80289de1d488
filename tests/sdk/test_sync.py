"""The blocking shell: the same operations, with and without a loop in the calling thread."""

from __future__ import annotations

import asyncio
import threading

import pytest
from gateless.core.errors import ChainError, NotFoundError
from gateless.devnet import Devnet
from gateless.sdk import Gateless
from market_fixtures import Account, MakeAccount, TinyModel

DOLLAR = 1_000_000


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name == "gateless"}


def _use(devnet: Devnet, account: Account, tiny_model: TinyModel) -> None:
    with Gateless.connect(devnet.deployment, signer=account.signer, home=account.home) as gateless:
        assert _threads() == {"gateless"}
        gateless.deposit(2 * DOLLAR)
        assert gateless.balances().market == 2 * DOLLAR
        done = gateless.publish(tiny_model.bundle, "sync-published", alias="stable")
        assert gateless.resolve("sync-published@stable").version.version_id == done.version_id
        submitted = gateless.submit("sync-published", [0, 0, 0, 0], price=DOLLAR)
        assert gateless.request(submitted.request_id).price == DOLLAR
        assert gateless.cancel(submitted.request_id).amount == DOLLAR
        with pytest.raises(NotFoundError):
            gateless.resolve("sync-nowhere")
        assert gateless.run(gateless.client.model_count()) == gateless.model_count()
    assert _threads() == set()


async def test_from_an_ordinary_thread(
    devnet: Devnet, make_account: MakeAccount, tiny_model: TinyModel
) -> None:
    await asyncio.to_thread(_use, devnet, await make_account(), tiny_model)


async def test_from_a_thread_with_a_running_loop(devnet: Devnet, make_account: MakeAccount) -> None:
    account = await make_account(tokens=1)
    # This very function runs in a loop: the shell must not care.
    with Gateless.connect(devnet.deployment, signer=account.signer, home=account.home) as gateless:
        assert gateless.balances().wallet == DOLLAR


async def test_a_failed_connection_leaves_no_thread(devnet: Devnet) -> None:
    with pytest.raises(ChainError) as caught:
        Gateless.connect(devnet.deployment, home=devnet.home, rpc_url="http://127.0.0.1:9")
    assert caught.value.code == "rpc-unreachable"
    assert _threads() == set()


def test_documentation_is_that_of_the_operation() -> None:
    assert "verified inference" in str(Gateless.infer.__doc__)
