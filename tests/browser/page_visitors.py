"""Who visits the example page, and what he can do there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from gateless.devnet import Devnet
from injected_wallet import WALLET_NAME, InjectedWallet
from playwright.async_api import Locator, Page, expect

#: Milliseconds on a busy machine; nothing waits that long where all is well.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Site:
    """The page on the web, the network behind it and the executor that answers.

    Attributes:
        url: of the page; its deployments file lies beside it.
        network: the chain.
        folder: what is served.
        version_id: of the published digits model.
        executor: who answers.
        endpoint: the executor's HTTP address.
    """

    url: str
    network: Devnet
    folder: Path
    version_id: int
    executor: str
    endpoint: str


@dataclass(frozen=True)
class Visitor:
    """A person in front of the page, with a wallet in the browser."""

    page: Page
    wallet: InjectedWallet
    site: Site

    async def open(self, query: str = "") -> None:
        """Loads the page, and waits until it knows the network or has said why not."""
        await self.page.goto(self.site.url + query)
        await expect(self.page.locator("body")).to_have_attribute("aria-busy", "false")

    async def connect(self) -> None:
        await self.page.get_by_role("button", name=f"Connect {WALLET_NAME}").click()
        await expect(self.page.get_by_role("button", name="Disconnect")).to_be_visible()

    async def take_sample(self, digit: int) -> None:
        await self.page.get_by_role("button", name=f"Sample of a handwritten {digit}").click()

    async def draw(self, *points: tuple[float, float]) -> None:
        """One stroke by mouse; points in shares of the canvas."""
        canvas = self.page.locator("#canvas")
        await canvas.scroll_into_view_if_needed()
        box = await canvas.bounding_box()
        assert box is not None
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        await self.page.mouse.move(*places[0])
        await self.page.mouse.down()
        for place in places[1:]:
            await self.page.mouse.move(*place, steps=8)
        await self.page.mouse.up()

    async def deposit(self, amount: str) -> None:
        await self.page.locator("#amount").fill(amount)
        await self.page.get_by_role("button", name="Deposit", exact=True).click()

    async def ready(self, digit: int = 3, amount: str = "1") -> None:
        """The page open, the wallet connected, money deposited, a sample taken."""
        await self.open()
        await self.connect()
        await self.deposit(amount)
        await expect(self.page.locator("#deposited")).to_have_text(f"{float(amount):.2f} tUSD")
        await self.take_sample(digit)

    async def ask_by_transaction(self) -> None:
        await self.page.get_by_label("By a transaction").check()
        await self.page.get_by_role("button", name="Send and ask").click()

    async def sign_and_ask(self) -> None:
        await self.page.get_by_role("button", name="Sign and ask").click()

    async def sees_fault(self, title: str, *, detail: str = "") -> None:
        notice = self.page.get_by_role("alert")
        await expect(notice).to_contain_text(title)
        await expect(notice).to_contain_text(detail)

    async def reads(self, label: str) -> None:
        await expect(self.page.locator(".label")).to_have_text(f"It reads {label}")

    def fact(self, name: str) -> Locator:
        """The value beside a name in the reading."""
        row = self.page.locator("#answer .facts > div")
        return row.filter(has=self.page.get_by_text(name, exact=True)).locator("dd")


MakeVisitor = Callable[..., Awaitable[Visitor]]
