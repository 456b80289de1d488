"""What a command has at hand: settings, output, wallets and the connection to a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gateless.cli.output import Output
from gateless.cli.passwords import read_password
from gateless.cli.progress import ProgressView
from gateless.cli.settings import Settings
from gateless.cli.urls import http_url
from gateless.core.errors import ConfigError, WalletError
from gateless.sdk.progress import ProgressSink, Step

if TYPE_CHECKING:
    from gateless.adapters.chain.deployment import Deployment
    from gateless.adapters.signer import KeystoreStore, LocalSigner, Signer
    from gateless.sdk.client import AsyncGateless


class Cli:
    """Handed to every command.

    Heavy parts are imported where they are used: ``--help`` has to be instant.
    """

    def __init__(
        self, settings: Settings, output: Output, *, environ: Mapping[str, str], resume: list[str]
    ) -> None:
        self.settings = settings
        self.output = output
        self.environ = environ
        self._resume = resume
        self._told_wallet = False

    @property
    def home(self) -> Path:
        """Where everything is kept."""
        return self.settings.home

    def wallets(self) -> KeystoreStore:
        """The keystores of this home."""
        from gateless.adapters.signer import KeystoreStore
        from gateless.devnet.accounts import keystore_folder

        return KeystoreStore(keystore_folder(self.home))

    def deployment(self) -> Deployment:
        """The chosen network.

        Raises:
            ConfigError: ``unknown-network``, ``invalid-deployment``.
            InputError: ``invalid-url``: of an RPC endpoint.
        """
        from gateless.adapters.chain.deployment import load_deployment

        found = load_deployment(self.settings.network, self.home)
        return found.reached_by([http_url(url, "--rpc-url") for url in self.settings.rpc_urls])

    def wallet_name(self, role: str) -> str:
        """The wallet to use: the one chosen, the development account for ``role``, or the only one.

        Raises:
            WalletError: ``no-wallet``, ``wallet-not-chosen``.
        """
        if self.settings.wallet:
            return self.settings.wallet
        names = [name for name, _ in self.wallets().list()]
        if role in names and self._is_development():
            if not self._told_wallet:
                self._told_wallet = True
                self.output.note(
                    f"using the development wallet {role!r} (--wallet chooses another)"
                )
            return role
        if not names:
            raise WalletError(
                "no-wallet",
                f"there is no wallet in {self.wallets().root}",
                hint="make one: gateless wallet create NAME",
            )
        if len(names) > 1:
            raise WalletError(
                "wallet-not-chosen",
                f"there are several wallets: {', '.join(names)}",
                hint=f"choose one: --wallet {names[0]}",
            )
        return names[0]

    async def unlock(self, name: str) -> LocalSigner:
        """The signer of a wallet; asks for the password where it is not given otherwise."""
        store = self.wallets()
        store.address_of(name)  # an unknown name fails before anyone types a password
        password = self.password(f"Password of wallet {name!r}", wallet=name)
        return await asyncio.to_thread(store.unlock, name, password)

    def password(self, prompt: str, *, wallet: str = "", confirm: bool = False) -> str:
        """A password from file, environment, the devnet's published one, or a prompt."""
        published: str | None = None
        if wallet and not confirm:
            from gateless.devnet.accounts import ACCOUNTS, DEVELOPMENT_PASSWORD

            if wallet in ACCOUNTS and self._is_development():
                published = DEVELOPMENT_PASSWORD
        return read_password(
            prompt,
            file=self.settings.password_file,
            environ=self.environ,
            fallback=published,
            interactive=self.output.interactive,
            confirm=confirm,
        )

    @asynccontextmanager
    async def network(
        self, role: str | None = None, *, signer: Signer | None = None
    ) -> AsyncIterator[AsyncGateless]:
        """A connection; with ``role`` or ``signer`` one that signs.

        Args:
            role: which development account does this by default: ``builder``, ``executor`` or
                ``user``. ``None`` for commands that only read, or bring their signer.
            signer: who signs in place of a wallet.
        """
        from gateless.sdk.client import AsyncGateless

        deployment = self.deployment()
        if role is not None:
            signer = await self.unlock(self.wallet_name(role))
        async with await AsyncGateless.connect(
            deployment, signer=signer, home=self.home
        ) as gateless:
            yield gateless

    @contextmanager
    def progress(self) -> Iterator[ProgressSink]:
        """Live progress; remembers what an interruption has to tell."""
        with ProgressView(self.output) as view:

            def sink(step: Step) -> None:
                if step.request_id is not None:
                    self.on_interrupt(
                        f"request {step.request_id} is on chain and not lost; go on waiting with:"
                        f" gateless request wait {step.request_id}"
                    )
                view(step)

            yield sink

    def on_interrupt(self, *lines: str) -> None:
        """Says what to tell if Ctrl-C comes now."""
        self._resume[:] = lines

    def _is_development(self) -> bool:
        from gateless_proofs.srs import DEVELOPMENT_CHAIN_ID

        try:
            return self.deployment().chain_id == DEVELOPMENT_CHAIN_ID
        except ConfigError:
            return False
