"""What the example page says and offers where something is missing, wrong or too late."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gateless.core.types import RequestState
from page_visitors import MakeVisitor
from patience import eventually
from playwright.async_api import Route, expect

pytestmark = pytest.mark.xdist_group("browser")


def changed_deployment(folder: Path, change: dict[str, object]) -> str:
    """Puts a deployments file beside the page that differs from the network's; its name."""
    good = json.loads((folder / "deployment.json").read_text())
    name = f"changed-{'-'.join(change)}.json"
    (folder / name).write_text(json.dumps(good | change))
    return name


async def test_no_wallet(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(wallet=False)
    await visitor.open()
    await visitor.take_sample(1)
    await expect(visitor.page.get_by_text("No wallet found")).to_be_visible()
    await expect(visitor.page.locator("#ask-why")).to_contain_text("install one")
    await expect(visitor.page.locator("#ask")).to_be_disabled()


async def test_a_wrong_chain_is_named_and_switched(make_visitor: MakeVisitor) -> None:
    """Even to a chain that the wallet has never heard of."""
    visitor = await make_visitor(tokens=10)
    visitor.wallet.chain_id, visitor.wallet.known_chains = 1, {1}
    await visitor.open()
    await visitor.connect()
    await visitor.sees_fault("Wrong chain", detail="on chain 1; this network is on chain 31337")
    await visitor.page.get_by_role("button", name="Switch chain").click()
    await expect(visitor.page.get_by_role("alert")).to_be_hidden()

    async def switched() -> bool:
        return visitor.wallet.chain_id == 31337

    await eventually("the wallet is on the network's chain", switched)
    assert visitor.wallet.asked == [
        "wallet_switchEthereumChain",
        "wallet_addEthereumChain",
        "wallet_switchEthereumChain",
    ]


async def test_nothing_is_signed_on_a_wrong_chain(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=10)
    await visitor.ready()
    asked = list(visitor.wallet.asked)
    visitor.wallet.chain_id = 5
    await visitor.sign_and_ask()
    await visitor.sees_fault("Wrong chain")
    assert visitor.wallet.asked == asked


async def test_too_little_money(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=0)
    page = visitor.page
    await visitor.open()
    await visitor.connect()
    await visitor.take_sample(2)
    await expect(page.locator("#ask-why")).to_have_text("Deposit 0.25 tUSD more first.")
    await expect(page.locator("#ask")).to_be_disabled()
    await visitor.deposit("1")
    await visitor.sees_fault("Too little in your wallet")
    # The test network gives test dollars.
    await page.get_by_role("button", name="Get 100 test dollars").click()
    await expect(page.locator("#held")).to_have_text("100.00 tUSD")
    await visitor.deposit("1")
    await expect(page.locator("#deposited")).to_have_text("1.00 tUSD")
    await expect(page.locator("#ask")).to_be_enabled()
    await page.locator("#amount").fill("1")
    await page.get_by_role("button", name="Withdraw").click()
    await expect(page.locator("#held")).to_have_text("100.00 tUSD")
    await expect(page.locator("#deposited")).to_have_text("0.00 tUSD")


async def test_amounts_that_are_none(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=1)
    await visitor.open()
    await visitor.connect()
    for text in ("", "many", "0.1234567", "-1"):
        await visitor.deposit(text)
        await visitor.sees_fault("No amount", detail="at most 6 decimals")
        await visitor.page.get_by_role("button", name="Dismiss").click()


async def test_a_declined_signature_costs_nothing(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=10)
    await visitor.ready()
    visitor.wallet.declines = {"eth_signTypedData_v4"}
    await visitor.sign_and_ask()
    await visitor.sees_fault("Nothing was signed")
    visitor.wallet.declines = {"eth_sendTransaction"}
    await visitor.ask_by_transaction()
    await visitor.sees_fault("Nothing was signed")
    await expect(visitor.page.locator("#result")).to_be_hidden()
    await expect(visitor.page.locator("#deposited")).to_have_text("1.00 tUSD")


async def test_no_executor_can_be_reached(make_visitor: MakeVisitor) -> None:
    """A signature that nobody took is nobody's; the wallet can send the request itself."""
    visitor = await make_visitor(tokens=10)
    await visitor.ready(digit=4)
    await visitor.page.route("**/v1/requests", lambda route: route.abort())
    await visitor.sign_and_ask()
    await visitor.sees_fault("No executor took it", detail="cannot be reached")
    await visitor.page.get_by_role("button", name="Send by a transaction").click()
    await visitor.reads("4")


async def test_a_refusal_is_shown_in_the_executors_words(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=10)
    await visitor.ready()
    # An executor that asks more is only asked where it is named.
    await visitor.open(f"?intake={visitor.site.endpoint}")
    await visitor.take_sample(3)
    await visitor.page.get_by_text("Change the terms").click()
    await visitor.page.get_by_label("Most you pay").fill("0.01")
    await visitor.sign_and_ask()
    await visitor.sees_fault("No executor took it", detail="price 10000 is below 250000")


async def test_a_request_that_nobody_takes_is_refunded(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=10)
    page, site = visitor.page, visitor.site
    await visitor.ready()
    await page.get_by_text("Change the terms").click()
    await page.get_by_label("Most you pay").fill("0.01")
    await page.get_by_label("Refund after").fill("2")
    await visitor.ask_by_transaction()
    await expect(page.locator("#status")).to_contain_text("Waiting for an executor")
    await expect(page.get_by_role("button", name="Take it back")).to_be_enabled()
    await expect(page.locator("#deposited")).to_have_text("0.99 tUSD")
    await site.network.control.advance(130)
    await page.get_by_role("button", name="Refund 0.01 tUSD").click()
    await expect(page.locator("#status")).to_contain_text("Refunded")
    await expect(page.locator("#deposited")).to_have_text("1.00 tUSD")
    assert (await site.network.client.market.request(1)).state is not RequestState.NONE


async def test_requests_are_taken_back(make_visitor: MakeVisitor) -> None:
    """One that was sent, and one that was signed and handed to an executor who does nothing."""
    visitor = await make_visitor(tokens=10)
    page = visitor.page
    await visitor.ready()
    await page.get_by_text("Change the terms").click()
    await page.get_by_label("Most you pay").fill("0.01")
    await visitor.ask_by_transaction()
    await page.get_by_role("button", name="Take it back").click()
    await expect(page.locator("#status")).to_contain_text("Refunded")
    await expect(page.locator("#deposited")).to_have_text("1.00 tUSD")

    await page.get_by_label("Most you pay").fill("0.25")
    await page.route(
        "**/v1/requests", lambda route: route.fulfill(status=202, json={"state": "seen"})
    )
    await page.get_by_label("Sign only").check()
    await visitor.sign_and_ask()
    await expect(page.locator("#status")).to_contain_text("Waiting until an executor locks it")
    await page.get_by_role("button", name="Take it back").click()
    await expect(page.locator("#status")).to_contain_text("Taken back")
    await expect(page.locator("#deposited")).to_have_text("1.00 tUSD")


async def test_a_signed_request_expires(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=10)
    page = visitor.page
    await visitor.ready()
    await page.route(
        "**/v1/requests", lambda route: route.fulfill(status=202, json={"state": "seen"})
    )
    await page.get_by_text("Change the terms").click()
    await page.get_by_label("Refund after").fill("2")
    await visitor.sign_and_ask()
    await expect(page.locator("#status")).to_contain_text("Waiting until")
    await visitor.site.network.control.advance(130)
    await expect(page.locator("#status")).to_contain_text("Expired")
    await expect(page.locator("#deposited")).to_have_text("1.00 tUSD")


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ({"contracts": {}}, "Not a deployments file"),
        ({"chain_id": 1}, "Wrong node"),
        ({"rpc_url": "http://127.0.0.1:1"}, "The chain cannot be reached"),
    ],
)
async def test_deployments_files_that_are_wrong(
    make_visitor: MakeVisitor, change: dict[str, object], title: str
) -> None:
    visitor = await make_visitor()
    name = changed_deployment(visitor.site.folder, change)
    await visitor.open(f"?deployment={name}")
    await visitor.sees_fault(title)


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("?deployment=nothing.json", "No deployments file"),
        ("?deployment=http://127.0.0.1:1/deployment.json", "Foreign deployments file"),
        ("?deployment=//example.org/deployment.json", "Foreign deployments file"),
        ("?deployment=data:application/json,{}", "Foreign deployments file"),
        ("?model=nothing", "Unknown model"),
        ("?model=digits@7", "Unknown model"),
        ("?model=digits@nothing", "Unknown model"),
        ("?request=0x1234567890abcdef1234567890abcdef", "Unknown request"),
    ],
)
async def test_addresses_that_name_nothing(
    make_visitor: MakeVisitor, query: str, title: str
) -> None:
    visitor = await make_visitor()
    await visitor.open(query)
    await visitor.sees_fault(title)


async def test_a_node_that_is_away_for_a_while(make_visitor: MakeVisitor) -> None:
    """The fault is shown while it lasts; what is awaited is found afterwards."""
    visitor = await make_visitor(tokens=10)
    await visitor.ready(digit=2)
    await visitor.sign_and_ask()
    await expect(visitor.page.locator("#result")).to_be_visible()
    rpc = f"{visitor.site.network.deployment.rpc_url}/**"
    await visitor.page.route(rpc, lambda route: route.abort())
    await visitor.page.reload()
    await visitor.sees_fault("The chain cannot be reached")
    await visitor.page.unroute(rpc)
    await visitor.page.get_by_role("button", name="Try again").click()
    await visitor.reads("2")
    await expect(visitor.page.get_by_role("alert")).to_be_hidden()


async def test_a_node_that_shows_events_late(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=10)
    await visitor.ready(digit=7)
    hidden = 0

    async def late(route: Route) -> None:
        nonlocal hidden
        asked = route.request.post_data_json or {}
        if asked.get("method") != "eth_getLogs" or hidden == 2:
            await route.continue_()
            return
        hidden += 1
        await route.fulfill(json={"jsonrpc": "2.0", "id": asked["id"], "result": []})

    await visitor.page.route(f"{visitor.site.network.deployment.rpc_url}/**", late)
    await visitor.sign_and_ask()
    await visitor.reads("7")
    assert hidden == 2
    await expect(visitor.page.get_by_role("alert")).to_be_hidden()
