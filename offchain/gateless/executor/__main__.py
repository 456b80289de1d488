"""``python -m gateless.executor CONFIG.json``: an executor for service managers.

The file names everything; the wallet's password is in ``password_file`` or ``GATELESS_PASSWORD``.
Where it has ``receipts``, the receipt key is opened with the same password.
People use ``gateless executor run``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateless.adapters.chain.deployment import load_deployment
from gateless.adapters.chain.fees import FeePolicy
from gateless.adapters.chain.lane import SendingPolicy
from gateless.adapters.chain.relay import RelayFallback, RelayMethod, RelayPolicy
from gateless.adapters.db import DatabaseUrl
from gateless.adapters.signer import KeystoreStore, LocalSigner, Signer, open_external_signer
from gateless.core.errors import ConfigError, GatelessError, WalletError
from gateless.core.quorums import MemberTerms
from gateless.daemon.process import configure_log
from gateless.executor.config import (
    MAX_PROOF_GAS,
    ExecutorConfig,
    IntakeConfig,
    LazyConfig,
    PolicyConfig,
    ReceiptsConfig,
    Serving,
)
from gateless.executor.journal import Journal
from gateless.executor.lists import Lists
from gateless.executor.quorum_config import QuorumConfig, QuorumEnrolment
from gateless.executor.service import run_executor

PASSWORD_VARIABLE = "GATELESS_PASSWORD"  # noqa: S105 -- a variable's name


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ListsFile(_Strict):
    """``policy.lists`` in the configuration file; see :class:`Lists`."""

    allow_requesters: frozenset[str] = frozenset()
    deny_requesters: frozenset[str] = frozenset()
    deny_models: frozenset[int] = frozenset()
    deny_versions: frozenset[int] = frozenset()


class PolicyFile(_Strict):
    """``policy`` in the configuration file; see :class:`PolicyConfig`."""

    serving: Serving = Serving.ENROLLED
    versions: frozenset[int] = frozenset()
    min_price: int | None = Field(default=None, ge=0)
    max_collateral: int | None = Field(default=None, ge=0)
    max_at_risk: int | None = Field(default=None, ge=0)
    lists: ListsFile = Field(default_factory=ListsFile)
    proofs: bool = True
    failures: int = Field(default=3, ge=0)
    failure_pause_seconds: float = Field(default=60.0, gt=0)
    max_concurrent: int | None = Field(default=None, ge=1)
    time_factor: float = Field(default=2.0, ge=1)
    margin_seconds: float = Field(default=3.0, ge=0)
    token_per_native: int | None = Field(default=None, ge=0)
    gas_estimate: int = Field(default=900_000, ge=0)
    max_batch: int = Field(default=128, ge=1)
    batch_wait_seconds: float = Field(default=2.0, ge=0)
    lock_wait_seconds: float = Field(default=0.5, ge=0)
    least_batch_fill: float = Field(default=0.25, ge=0, le=1)
    max_proof_gas: int = Field(default=MAX_PROOF_GAS, gt=0)
    proof_second_price: float = Field(default=0.0, ge=0)
    capital_bps: int = Field(default=0, ge=0)
    profit_bps: int = Field(default=0, ge=0)
    busy_bps: int = Field(default=0, ge=0)

    def policy(self) -> PolicyConfig:
        """As the executor knows it."""
        values = self.model_dump() | {"lists": Lists(**self.lists.model_dump())}
        return PolicyConfig(**values)


class ReceiptsFile(_Strict):
    """``receipts`` in the configuration file; see :class:`ReceiptsConfig`."""

    bond: int = Field(gt=0)
    capacity: int = Field(gt=0)
    challenge_bond: int = Field(gt=0)
    epochs_ahead: int = Field(default=1, ge=0)
    life_seconds: int = Field(default=12 * 3600, gt=0)
    price: int = Field(default=0, ge=0)
    tend_seconds: float = Field(default=30.0, gt=0)


class IntakeFile(_Strict):
    """``intake`` in the configuration file; see :class:`IntakeConfig`."""

    signed_requests: bool = True
    max_offers: int = Field(default=1_000, ge=0)
    max_body_bytes: int = Field(default=1 << 20, gt=0)
    max_input_bytes: int = Field(default=1 << 20, gt=0)
    max_stored_bytes: int = Field(default=1 << 30, gt=0)
    rate_per_second: float = Field(default=20.0, gt=0)
    burst: int = Field(default=60, gt=0)
    direct_at_once: int = Field(default=4, gt=0)


class LazyFile(_Strict):
    """``lazy`` in the configuration file; see :class:`LazyConfig`."""

    enabled: bool = True
    backing: int | None = Field(default=None, ge=0)
    min_price: int | None = Field(default=None, ge=0)
    doubt_bps: int = Field(default=10, ge=0, le=10_000)
    gas_estimate: int = Field(default=200_000, ge=0)
    proof_gas_estimate: int = Field(default=700_000, ge=0)
    finalize_seconds: float = Field(default=30.0, ge=0)
    finalize_at_once: int = Field(default=32, ge=1, le=64)


class SendingFile(_Strict):
    """``sending`` in the configuration file; see :class:`SendingPolicy`. Fees in wei per gas."""

    max_fee_per_gas: int | None = Field(default=None, gt=0)
    max_priority_fee_per_gas: int | None = Field(default=None, ge=0)
    stuck_seconds: float = Field(default=60.0, gt=0)
    stuck_blocks: int = Field(default=2, ge=1)

    def sending(self) -> SendingPolicy:
        """The same as the sender takes it."""
        fees = FeePolicy(
            max_fee_per_gas=self.max_fee_per_gas,
            max_priority_fee_per_gas=self.max_priority_fee_per_gas,
        )
        return SendingPolicy(fees, self.stuck_seconds, self.stuck_blocks)


class RelayFile(_Strict):
    """``relay`` in the configuration file; see :class:`RelayPolicy`."""

    url: str
    method: RelayMethod = RelayMethod.RAW
    patience_blocks: int = Field(default=25, ge=1)
    fallback: RelayFallback = RelayFallback.PUBLIC


class SignerFile(_Strict):
    """``signer`` in the configuration file: an external signer in place of the wallet."""

    url: str
    address: str | None = None


class EnrolmentFile(_Strict):
    """One of ``quorums`` in the configuration file; see :class:`QuorumEnrolment`."""

    version_id: int = Field(ge=0)
    stake: int = Field(gt=0)
    capacity: int = Field(default=4, ge=1, lt=1 << 16)
    min_price: int = Field(default=0, ge=0, lt=1 << 72)
    min_seconds: int = Field(default=0, ge=0, lt=1 << 24)

    def enrolment(self) -> QuorumEnrolment:
        """The same as the executor takes it."""
        terms = MemberTerms(self.capacity, self.min_price, self.min_seconds)
        return QuorumEnrolment(self.version_id, self.stake, terms)


class ConfigFile(_Strict):
    """The configuration file; see :class:`ExecutorConfig`. Folders default to those of ``home``."""

    home: Path
    network: str
    keystore: Path | None = None
    wallet: str | None = None
    signer: SignerFile | None = None
    password_file: Path | None = None
    data_dir: Path | None = None
    content_dir: Path | None = None
    bundles_dir: Path | None = None
    cache_dir: Path | None = None
    database: str | None = None
    stores: tuple[str, ...] = ()
    follow_uris: bool = True
    serve_host: str = "127.0.0.1"
    serve_port: int | None = Field(default=None, ge=0, le=65535)
    poll_seconds: float = Field(default=1.0, gt=0)
    retry_seconds: float = Field(default=10.0, gt=0)
    confirmations: int = Field(default=0, ge=0)
    max_bundle_bytes: int = Field(default=1 << 30, gt=0)
    memory_bytes: int = Field(default=8 << 30, gt=0)
    prove_seconds: float = Field(default=900.0, gt=0)
    cores: int | None = Field(default=None, ge=1)
    allow_unsandboxed: bool = False
    loopback_stores: bool | None = None
    cluster: str | None = Field(default=None, min_length=1)
    cluster_node_memory_bytes: int | None = Field(default=None, gt=0)
    cluster_node_cores: int | None = Field(default=None, ge=1)
    withdraw_threshold: int | None = Field(default=None, ge=0)
    sending: SendingFile = Field(default_factory=SendingFile)
    relay: RelayFile | None = None
    policy: PolicyFile = Field(default_factory=PolicyFile)
    receipts: ReceiptsFile | None = None
    receipt_keystore: Path | None = None
    intake: IntakeFile = Field(default_factory=IntakeFile)
    lazy: LazyFile = Field(default_factory=LazyFile)
    quorums: tuple[EnrolmentFile, ...] = ()

    def executor_config(self, market: str, address: str) -> ExecutorConfig:
        """The configuration as the executor takes it."""
        usual = ExecutorConfig.in_home(self.home, Path(self.network).stem, market, address)
        return ExecutorConfig(
            data_dir=self.data_dir or usual.data_dir,
            content_dir=self.content_dir or usual.content_dir,
            bundles_dir=self.bundles_dir or usual.bundles_dir,
            cache_dir=self.cache_dir or usual.cache_dir,
            database=None if self.database is None else DatabaseUrl.parse(self.database),
            sending=self.sending.sending(),
            relay=None if self.relay is None else RelayPolicy(**self.relay.model_dump()),
            policy=self.policy.policy(),
            receipts=None
            if self.receipts is None
            else ReceiptsConfig(**self.receipts.model_dump()),
            intake=IntakeConfig(**self.intake.model_dump()),
            lazy=LazyConfig(**self.lazy.model_dump()),
            quorum=QuorumConfig(tuple(entry.enrolment() for entry in self.quorums)),
            **{
                name: getattr(self, name)
                for name in (
                    "stores",
                    "follow_uris",
                    "serve_host",
                    "serve_port",
                    "poll_seconds",
                    "retry_seconds",
                    "confirmations",
                    "max_bundle_bytes",
                    "memory_bytes",
                    "prove_seconds",
                    "cores",
                    "allow_unsandboxed",
                    "loopback_stores",
                    "cluster",
                    "cluster_node_memory_bytes",
                    "cluster_node_cores",
                    "withdraw_threshold",
                )
            },
        )


def read_config(path: Path) -> ConfigFile:
    """Reads a configuration file.

    Raises:
        ConfigError: ``invalid-config``.
    """
    try:
        return ConfigFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError("invalid-config", f"cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError("invalid-config", f"{path}: {where}: {first['msg']}") from error


def main(arguments: list[str], *, journal_type: type[Journal] = Journal) -> int:
    """Runs an executor; returns the exit code.

    Args:
        arguments: the path of the configuration file.
        journal_type: how it remembers.
    """
    configure_log(json_lines=not sys.stderr.isatty())
    try:
        if len(arguments) != 1:
            raise ConfigError("usage", "usage: python -m gateless.executor CONFIG.json")
        file = read_config(Path(arguments[0]))
        asyncio.run(_run(file, journal_type))
    except GatelessError as error:
        hint = f"\n{error.hint}" if error.hint else ""
        print(f"error: {error}{hint}", file=sys.stderr)
        return error.exit_code
    return 0


async def _run(file: ConfigFile, journal_type: type[Journal]) -> None:
    async with _account(file) as signer:
        deployment = load_deployment(file.network, file.home)
        receipt_key = None
        if file.receipts is not None:
            receipt_key = _unlock(file, file.receipt_keystore or file.home / "receipt-keys")
        # Taken out of the environment, so that no subprocess inherits it.
        os.environ.pop(PASSWORD_VARIABLE, None)
        await run_executor(
            file.executor_config(deployment.address("InferenceMarket"), signer.address),
            deployment=deployment,
            signer=signer,
            journal_type=journal_type,
            receipt_key=receipt_key,
        )


@asynccontextmanager
async def _account(file: ConfigFile) -> AsyncIterator[Signer]:
    """Who signs: an external signer where the file names one, else the wallet."""
    if file.signer is None:
        yield _unlock(file, file.keystore)
        return
    async with open_external_signer(file.signer.url, file.signer.address) as signer:
        yield signer


def _unlock(file: ConfigFile, keystore: Path | None) -> LocalSigner:
    if keystore is None or file.wallet is None:
        raise ConfigError(
            "invalid-config",
            "the configuration names no wallet",
            hint="name keystore and wallet, or an external signer where no receipts are signed",
        )
    return KeystoreStore(keystore).unlock(file.wallet, _password(file))


def _password(file: ConfigFile) -> str:
    if file.password_file is not None:
        return file.password_file.read_text(encoding="utf-8").splitlines()[0]
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    raise WalletError(
        "password-required",
        "the wallet's password is needed",
        hint=f"name a password_file in the configuration or set {PASSWORD_VARIABLE}",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
