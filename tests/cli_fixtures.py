"""The command line against a real chain, each test with a home and wallets of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from eth_account import Account as EthAccount
from gateless.adapters.chain.deployment import save_deployment
from gateless.adapters.signer import KeystoreStore
from gateless.adapters.signer.keystore import LIGHT_SCRYPT_N
from gateless.cli.main import app
from gateless.devnet import Devnet
from gateless.devnet.accounts import keystore_folder
from market_fixtures import TinyModel, fund
from typer.testing import CliRunner

PASSWORD = "correct horse battery"
#: variables of the developer's own shell must not reach the tests
VARIABLES = ("NETWORK", "HOME", "RPC_URL", "WALLET", "PASSWORD", "PASSWORD_FILE", "JSON", "DEBUG")
CLEAN = {f"GATELESS_{name}": "" for name in VARIABLES}


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def data(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.stdout)

    @property
    def error(self) -> Any:
        """The JSON document on stderr."""
        return json.loads(self.stderr)


@dataclass(frozen=True)
class Shell:
    """A person's terminal: a home and an environment."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    async def __call__(
        self, *arguments: object, code: int = 0, stdin: str | bytes = "", **environ: str
    ) -> Outcome:
        """Runs a command in a thread (it brings its own event loop) and checks its exit code."""
        variables = {
            **CLEAN,
            "COLUMNS": "80",
            "GATELESS_HOME": str(self.home),
            **self.environ,
            **environ,
        }
        runner = CliRunner(env=variables)
        # The log is the process's. A command has one of its own; this one is of other tests too.
        before = structlog.get_config() if structlog.is_configured() else None
        structlog.reset_defaults()
        try:
            result = await asyncio.to_thread(
                runner.invoke, app, [str(argument) for argument in arguments], input=stdin
            )
        finally:
            structlog.reset_defaults()
            if before is not None:
                structlog.configure(**before)
        outcome = Outcome(result.exit_code, result.stdout, result.stderr)
        assert outcome.exit_code == code, (arguments, outcome, result.exception)
        return outcome

    def address(self, wallet: str) -> str:
        """Address of a wallet of this home."""
        return KeystoreStore(keystore_folder(self.home)).address_of(wallet)


@pytest.fixture
def cli_home(tmp_path: Path) -> Path:
    """An empty home."""
    return tmp_path / "home"


@pytest.fixture
def bare_shell(cli_home: Path) -> Shell:
    """A terminal of somebody who has nothing yet."""
    return Shell(cli_home)


@pytest.fixture
def shell(devnet: Devnet, cli_home: Path, tiny_model: TinyModel) -> Shell:
    """A terminal with the network, a password file and the caches of the test run."""
    save_deployment(devnet.deployment, cli_home)
    (cli_home / "cache").symlink_to(tiny_model.cache)
    password = cli_home / "password"
    password.write_text(PASSWORD + "\n")
    return Shell(cli_home, {"GATELESS_PASSWORD_FILE": str(password)})


MakeWallet = Callable[..., Awaitable[str]]


@pytest.fixture
def make_wallet(devnet: Devnet, shell: Shell) -> MakeWallet:
    """Makes a funded wallet in the shell's home; returns its address."""

    async def make(name: str, tokens: int = 100) -> str:
        store = KeystoreStore(keystore_folder(shell.home), scrypt_n=LIGHT_SCRYPT_N)
        address = store.import_key(name, PASSWORD, EthAccount.create().key)
        await fund(devnet, address, tokens)
        return address

    return make
