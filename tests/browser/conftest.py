"""The example page in a real browser, on a network with a real executor of the digits model."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import pytest_asyncio
from gateless.adapters.chain import calls
from gateless.adapters.signer import LocalSigner
from gateless.devnet import Devnet, running_devnet
from gateless.executor import ExecutorConfig, PolicyConfig
from gateless.executor.service import open_executor
from gateless.sdk import AsyncGateless
from gateless_proofs import BuildOptions, CalibrationData, build_bundle
from injected_wallet import InjectedWallet
from page_visitors import PATIENCE, MakeVisitor, Site, Visitor
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, async_playwright

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits"
#: What the executor asks for a reading, and the part of it that the model's owner gets.
PRICE, ROYALTY_BPS = 250_000, 1_000
ETHER = 10**18
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--no-sandbox",  # Chromium's own needs rights that containers do not give
    "--disable-background-networking",
    "--disable-component-update",
)


def find_browser() -> str | None:
    """A Chromium of this machine: ``GATELESS_CHROMIUM``, or one on the ``PATH``."""
    named = os.environ.get("GATELESS_CHROMIUM")
    if named:
        return named
    return next((found for name in _BROWSERS if (found := shutil.which(name))), None)


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium; tests that need it are skipped where there is none."""
    executable = find_browser()
    if executable is None:
        pytest.skip("no Chromium found: install the package chromium, or set GATELESS_CHROMIUM")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=executable, args=list(_ARGUMENTS)
        )
        yield launched
        await launched.close()


@pytest_asyncio.fixture(scope="session")
async def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A network of its own, so that its clock may be moved; model published, executor running."""
    root = tmp_path_factory.mktemp("site")
    folder = root / "page"
    _build_page(folder)
    async with running_devnet(root / "network") as network:
        version_id = await _publish(network, root / "builder")
        shutil.copy(network.deployment_file, folder / "deployment.json")
        async with _executor(network, root / "builder") as endpoint:
            with serving(folder) as url:
                address = network.signers["executor"].address
                yield Site(url, network, folder, version_id, address, endpoint)


def _build_page(folder: Path) -> None:
    built = subprocess.run(
        ["node", str(ROOT / "examples" / "dapp" / "build.mjs"), "--out", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr


async def _publish(network: Devnet, home: Path) -> int:
    """Builds and publishes the model that this repository ships."""
    async with await AsyncGateless.connect(
        network.deployment, signer=network.signers["builder"], home=home
    ) as builder:
        bundle = await build_bundle(
            DIGITS / "digits.onnx",
            CalibrationData.load(DIGITS / "calibration.npz"),
            home / "bundle",
            options=BuildOptions(name="digits", labels=tuple("0123456789"), chain_id=31337),
            keys=builder.services.keys,
        )
        published = await builder.publish(bundle, "digits", royalty_bps=ROYALTY_BPS)
    return published.version_id


@asynccontextmanager
async def _executor(network: Devnet, home: Path) -> AsyncIterator[str]:
    """An executor that serves the model and takes signed requests; gives its address on the web."""
    config = ExecutorConfig(
        data_dir=home / "executor",
        content_dir=home / "content",
        bundles_dir=home / "bundles",
        cache_dir=home / "cache",
        serve_port=0,
        poll_seconds=0.1,
        policy=PolicyConfig(margin_seconds=1.0),
    )
    signer = network.signers["executor"]
    async with open_executor(config, deployment=network.deployment, signer=signer) as executor:
        endpoint = (await executor.status()).serving_at
        async with await AsyncGateless.connect(
            network.deployment, signer=signer, home=home
        ) as operator:
            await operator.stake(
                100_000_000, serve=["digits"], endpoint=endpoint, min_price=PRICE, capacity=4
            )
        task = asyncio.create_task(executor.run())
        try:
            yield endpoint
        finally:
            executor.abort()
            await task


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """A folder on the web, by the server of Python's standard library; gives its URL."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *arguments: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest_asyncio.fixture
async def make_visitor(browser: Browser, site: Site) -> AsyncIterator[MakeVisitor]:
    """Visitors with gas money and ``tokens`` whole test dollars, each in a browser of his own."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # What the page's policy forbade, among others; answers of 4xx are the page's to explain.
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    async def make(tokens: int = 0, *, wallet: bool = True, **options: Any) -> Visitor:
        signer = LocalSigner.random()
        await _fund(site.network, signer.address, tokens)
        context = await browser.new_context(
            **{"viewport": {"width": 1200, "height": 1000}, "locale": "en-GB"} | options
        )
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", listen)
        held = InjectedWallet(signer, site.network.client.rpc)
        if wallet:
            await held.inject(page)
        return Visitor(page, held, site)

    yield make
    for context in contexts:
        await context.close()
    assert complaints == [], "errors on the page's console"


async def _fund(network: Devnet, address: str, tokens: int) -> None:
    await network.control.set_native_balance(address, 10 * ETHER)
    if tokens:
        units = tokens * 10**network.deployment.token.decimals
        await network.sender("deployer").send(calls.mint(address, units))
