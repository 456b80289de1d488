"""What the example page looks like, to eyes and to screen readers, and whom it talks to."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from page_visitors import MakeVisitor, Visitor
from playwright.async_api import expect

pytestmark = pytest.mark.xdist_group("browser")

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 340, "height": 700}


async def violations(visitor: Visitor) -> list[str]:
    """What axe finds against WCAG 2.2 at levels A and AA, and against good practice."""
    await visitor.page.evaluate(AXE.read_text(encoding="utf-8"))
    result: dict[str, Any] = await visitor.page.evaluate("axe.run()")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in result["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_every_state_is_accessible_and_fits(
    make_visitor: MakeVisitor, scheme: str, size: dict[str, int]
) -> None:
    visitor = await make_visitor(tokens=10, viewport=size, color_scheme=scheme)
    page = visitor.page

    async def check(state: str) -> None:
        assert await violations(visitor) == [], state
        overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{state}: {overflow} pixels too wide"

    await visitor.open()
    await check("empty")
    await visitor.ready(digit=6)
    await check("ready")
    await page.get_by_text("Change the terms").click()
    await visitor.deposit("none")
    await visitor.sees_fault("No amount")
    await check("a fault")
    await visitor.sign_and_ask()
    await visitor.reads("6")
    await expect(page.get_by_role("alert")).to_be_hidden()
    await check("the reading")


async def test_what_is_not_accessible_is_found(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(wallet=False)
    await visitor.open()
    await visitor.page.evaluate("document.querySelector('#clear').textContent = ''")
    assert [entry.split(":")[0] for entry in await violations(visitor)] == ["button-name"]


async def test_everything_can_be_done_by_keyboard(make_visitor: MakeVisitor) -> None:
    visitor = await make_visitor(tokens=10)
    page = visitor.page
    await visitor.open()

    async def press(name: str) -> None:
        await page.get_by_role("button", name=name, exact=True).focus()
        await page.keyboard.press("Enter")

    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the drawing")).to_be_focused()
    await press("Connect Test wallet")
    await page.locator("#amount").fill("1")
    await page.keyboard.press("Enter")
    await expect(page.locator("#deposited")).to_have_text("1.00 tUSD")
    await press("Sample of a handwritten 9")
    await press("Sign and ask")
    await visitor.reads("9")


async def test_it_talks_to_nobody_else(make_visitor: MakeVisitor) -> None:
    """The page's own server, the chain's node and the executor: no font, script or beacon."""
    visitor = await make_visitor(tokens=10)
    asked: set[str] = set()
    visitor.page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    await visitor.ready(digit=1)
    await visitor.sign_and_ask()
    await visitor.reads("1")
    site = visitor.site
    known = (site.url, site.network.deployment.rpc_url, site.endpoint)
    assert {netloc for netloc in asked if netloc} == {urlsplit(url).netloc for url in known}


async def test_strangers_texts_stay_texts(make_visitor: MakeVisitor) -> None:
    """What executors answer is shown as it is, and the page's policy lets no script in."""
    visitor = await make_visitor(tokens=10)
    await visitor.ready()
    poison = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    await visitor.page.route(
        "**/v1/requests", lambda route: route.fulfill(status=422, json={"message": poison})
    )
    await visitor.sign_and_ask()
    await visitor.sees_fault("No executor took it", detail=poison)
    assert await visitor.page.title() != "taken"
    assert await visitor.page.locator("#notice img, #notice script").count() == 0
