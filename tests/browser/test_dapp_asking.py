"""The example page in Chromium: wallet, deposit, request, a real proof, the reading."""

from __future__ import annotations

import pytest
from gateless.adapters.signer import LocalSigner
from gateless.core.types import RequestState
from page_visitors import MakeVisitor, Visitor
from playwright.async_api import Route, expect

#: Where the output begins in the data of `RequestFulfilled`, in characters of hex.
OUTPUT_AT = 2 + 4 * 64

pytestmark = pytest.mark.xdist_group("browser")


async def request_of(visitor: Visitor) -> int:
    """The request that the page's address names."""
    return int(await visitor.page.evaluate("new URL(location).searchParams.get('request')"), 16)


async def test_a_signed_request_is_read_and_proven_without_gas(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=10)
    page, wallet, site = visitor.page, visitor.wallet, visitor.site
    await visitor.ready(digit=3)
    gas = await site.network.client.rpc.quantity("eth_getBalance", wallet.address, "latest")
    await visitor.sign_and_ask()
    await visitor.reads("3")

    # What was signed is what the wallet showed, and its digest is the request.
    data = wallet.signed[-1]
    assert data["primaryType"] == "InferenceRequest"
    assert data["message"]["requester"] == wallet.address.lower()
    assert data["domain"]["verifyingContract"] == site.network.client.market.address.lower()
    info = await site.network.client.market.request(await request_of(visitor))
    assert info.state is RequestState.PAID
    assert info.requester == wallet.address
    assert "0x" + info.input_digest.hex() == data["message"]["inputDigest"]

    # Price, finality, executor; the deposit has paid, the wallet no gas.
    await expect(visitor.fact("Paid")).to_contain_text("0.25 tUSD (0.025 tUSD to")
    await expect(visitor.fact("Final by")).to_contain_text("zero-knowledge proof")
    shown = visitor.fact("Executor").locator("code")
    assert await shown.get_attribute("title") == site.executor
    await expect(visitor.fact("Your drawing")).to_contain_text("exactly the 64 pixels")
    await expect(page.locator("#deposited")).to_have_text("0.75 tUSD")
    assert gas == await site.network.client.rpc.quantity("eth_getBalance", wallet.address, "latest")
    assert wallet.asked == ["eth_signTypedData_v4", "eth_sendTransaction", "eth_signTypedData_v4"]


async def test_a_drawn_digit_is_asked_about_by_a_transaction(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=10)
    await visitor.ready()
    await visitor.page.get_by_role("button", name="Clear").click()
    await visitor.draw((0.3, 0.15), (0.75, 0.15), (0.45, 0.9))
    await visitor.ask_by_transaction()
    await visitor.reads("7")
    await expect(visitor.page.locator("#steps li.done")).to_have_count(3)


async def test_a_reading_is_shown_to_people_without_a_wallet(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=10)
    await visitor.ready(digit=0)
    await visitor.sign_and_ask()
    await visitor.reads("0")
    link = await visitor.fact("Link").get_by_role("link").get_attribute("href")
    assert link is not None
    other = await make_visitor(wallet=False)
    await other.open(link.removeprefix(visitor.site.url))
    await other.reads("0")
    await expect(other.fact("Your drawing")).to_contain_text("made elsewhere")


async def test_a_reload_loses_nothing(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=10)
    await visitor.ready(digit=8)
    await visitor.sign_and_ask()
    await expect(visitor.page.locator("#result")).to_be_visible()
    await visitor.page.reload()
    await visitor.reads("8")
    # The wallet is still known, and the reading still this browser's.
    await expect(visitor.page.get_by_role("button", name="Disconnect")).to_be_visible()
    await expect(visitor.fact("Your drawing")).to_contain_text("exactly the 64 pixels")


async def test_an_output_that_the_contract_did_not_record_is_not_shown(
    make_visitor: MakeVisitor,
) -> None:
    """A node can say anything; the page holds the event against the contract's digest."""
    visitor = await make_visitor(tokens=10)
    await visitor.ready(digit=5)
    await visitor.sign_and_ask()
    await visitor.reads("5")
    request_id = await request_of(visitor)

    victim = await make_visitor(wallet=False)

    async def lie(route: Route) -> None:
        response = await route.fetch()
        body = await response.json()
        if (route.request.post_data_json or {})["method"] == "eth_getLogs":
            for log in body["result"]:
                # After fee, royalty, offset and length comes the output.
                first = log["data"][:OUTPUT_AT]
                log["data"] = first + "7f" + log["data"][OUTPUT_AT + 2 :]
        await route.fulfill(response=response, json=body)

    await victim.page.route(f"{visitor.site.network.deployment.rpc_url}/**", lie)
    await victim.open(f"?request={hex(request_id)}")
    await victim.sees_fault("Do not trust this node")
    await expect(victim.page.locator("#answer")).to_be_hidden()


async def test_accounts_whose_signatures_tokens_do_not_take_approve(
    make_visitor: MakeVisitor,
) -> None:
    """An account with code, here one that has delegated by EIP-7702."""
    visitor = await make_visitor(tokens=10)
    rpc = visitor.site.network.client.rpc
    delegated = "0xef0100" + visitor.site.network.client.market.address[2:]
    await rpc.request("anvil_setCode", visitor.wallet.address, delegated)
    await visitor.open()
    await visitor.connect()
    await visitor.deposit("1")
    await expect(visitor.page.locator("#deposited")).to_have_text("1.00 tUSD")
    assert visitor.wallet.asked == ["eth_sendTransaction", "eth_sendTransaction"]


async def test_another_account_of_the_wallet(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=10)
    page, wallet = visitor.page, visitor.wallet
    await visitor.ready()
    await wallet.change_account(page, LocalSigner.random())
    await expect(page.locator("#wallets code")).to_have_attribute("title", wallet.address)
    await expect(page.locator("#deposited")).to_have_text("0.00 tUSD")
    await wallet.change_account(page, None)
    await expect(page.get_by_role("button", name="Connect Test wallet")).to_be_visible()
    await visitor.connect()
    # Who was sent away stays away, whatever the wallet says.
    await page.get_by_role("button", name="Disconnect").click()
    await wallet.change_account(page, LocalSigner.random())
    await expect(page.get_by_role("button", name="Connect Test wallet")).to_be_visible()
    await expect(page.locator("#funds")).to_be_hidden()
