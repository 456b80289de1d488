"""``gateless executor run`` and ``gateless executor key``: the daemon and its receipt key."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from gateless.cli.block_times import warn_of_idle_chain
from gateless.cli.commands import executor_options as options
from gateless.cli.context import Cli
from gateless.cli.database import DatabaseOption, database_url
from gateless.cli.output import facts
from gateless.cli.render import transactions, with_transactions
from gateless.cli.sandbox import AllowUnsandboxed, LoopbackStores
from gateless.cli.sending import (
    ExecutorSignerAddress,
    ExecutorSignerUrl,
    MaxFee,
    MaxTip,
    RelayMethodOption,
    RelayOnly,
    RelayPatience,
    RelaySpeech,
    RelayUrl,
    SignerAddress,
    SignerUrl,
    StuckAfter,
    account,
    relay_policy,
    sending_policy,
    signing,
)
from gateless.cli.serving import MetricsHost, MetricsPort, TrustedProxies, server_config
from gateless.core.amounts import Token, parse_amount
from gateless.core.errors import InputError, WalletError

if TYPE_CHECKING:
    from gateless.adapters.signer import KeystoreStore, LocalSigner
    from gateless.executor import Executor, ReceiptsConfig
    from gateless.executor.lists import Lists
    from gateless.executor.quorum_config import QuorumConfig


async def key(
    cli: Cli,
    signer_url: ExecutorSignerUrl = None,
    signer_address: ExecutorSignerAddress = None,
) -> None:
    """Make the key that signs receipts, and name it in the profile. Run again, it shows it."""
    store, name = _receipt_keys(cli), _receipt_key_name(cli, signer_url)
    if store.has(name):
        address = store.address_of(name)
    else:
        address = await asyncio.to_thread(
            store.create, name, cli.password(f"Password of wallet {name!r}", wallet=name)
        )
    async with signing(cli, "executor", signer_url, signer_address) as gateless:
        with cli.progress() as progress:
            sent = await gateless.name_receipt_key(address, progress=progress)
    path = store.root / f"{name}.json"
    cli.output.result(
        {
            "receipt_key": address,
            "keystore": str(path),
            "transactions": transactions(sent),
        },
        facts([("receipt key", address), ("keystore", str(path))]),
        *with_transactions(sent),
    )
    cli.output.note("a pool keeps the key that the profile names when it is opened")


async def run(
    cli: Cli,
    port: options.Port = None,
    host: options.Host = "127.0.0.1",
    store: options.Stores = None,
    database: DatabaseOption = None,
    confirmations: options.Confirmations = 0,
    poll: options.Poll = 1.0,
    min_price: options.MinPrice = None,
    max_collateral: options.MaxCollateral = None,
    max_at_risk: options.MaxAtRisk = None,
    max_concurrent: options.MaxConcurrent = None,
    allow_requester: options.AllowRequesters = None,
    deny_requester: options.DenyRequesters = None,
    deny_version: options.DenyVersions = None,
    deny_model: options.DenyModels = None,
    proofs: options.TakesProofs = True,
    failures: options.Failures = 3,
    failure_pause: options.FailurePause = 60.0,
    time_factor: options.TimeFactor = 2.0,
    margin: options.Margin = 3.0,
    max_batch: options.MaxBatch = 128,
    batch_wait: options.BatchWait = 2.0,
    withdraw_at: options.WithdrawAt = None,
    memory: options.Memory = 8,
    cores: options.Cores = None,
    time_limit: options.TimeLimit = 900,
    cluster: options.ClusterAddress = None,
    cluster_memory: options.ClusterMemory = None,
    cluster_cores: options.ClusterCores = None,
    allow_unsandboxed: AllowUnsandboxed = False,
    loopback_stores: LoopbackStores = None,
    receipt_bond: options.ReceiptBond = None,
    receipt_capacity: options.ReceiptCapacity = 100,
    challenge_bond: options.ChallengeBond = None,
    epochs_ahead: options.EpochsAhead = 1,
    receipt_price: options.ReceiptPrice = None,
    lazy: options.TakesLazy = True,
    lazy_backing: options.LazyBacking = None,
    quorum: options.Quorums = None,
    quorum_price: options.QuorumPrice = None,
    quorum_seats: options.QuorumSeats = 4,
    proof_second: options.ProofSecond = None,
    native_price: options.NativePrice = None,
    capital_yield: options.CapitalYield = 0.0,
    profit: options.Profit = 0.0,
    busy: options.Busy = 0.0,
    max_fee: MaxFee = None,
    max_tip: MaxTip = None,
    stuck_after: StuckAfter = 60.0,
    signer_url: SignerUrl = None,
    signer_address: SignerAddress = None,
    relay_url: RelayUrl = None,
    relay_method: RelayMethodOption = RelaySpeech.RAW,
    relay_patience: RelayPatience = 25,
    relay_only: RelayOnly = False,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
    trusted_proxy: TrustedProxies = None,
) -> None:
    """Serve requests until Ctrl-C. Stopping finishes what is locked; a restart continues."""
    from gateless.daemon.process import configure_log, settle_heap
    from gateless.executor import ExecutorConfig, LazyConfig, PolicyConfig, run_executor

    deployment = cli.deployment()
    token = deployment.token

    def units(text: str | None) -> int | None:
        return None if text is None else parse_amount(text, token)

    async with account(cli, "executor", signer_url, signer_address) as signer:
        receipts = None
        receipt_key = None
        if receipt_bond is not None:
            bond = parse_amount(receipt_bond, token)
            receipts = _receipts(
                bond, receipt_capacity, challenge_bond, epochs_ahead, receipt_price, token
            )
            receipt_key = await _unlock_receipt_key(cli, _receipt_key_name(cli, signer_url))
        config = replace(
            ExecutorConfig.in_home(
                cli.home, deployment.name, deployment.address("InferenceMarket"), signer.address
            ),
            database=database_url(database),
            stores=tuple(store or ()),
            serve_host=host,
            serve_port=port,
            server=server_config(metrics_port, metrics_host, trusted_proxy),
            confirmations=confirmations,
            poll_seconds=poll,
            cores=cores,
            memory_bytes=memory << 30,
            prove_seconds=float(time_limit),
            allow_unsandboxed=allow_unsandboxed,
            loopback_stores=loopback_stores,
            cluster=cluster,
            cluster_node_memory_bytes=None if cluster_memory is None else cluster_memory << 30,
            cluster_node_cores=cluster_cores,
            sending=sending_policy(max_fee, max_tip, stuck_after),
            relay=relay_policy(relay_url, relay_method, relay_patience, relay_only),
            withdraw_threshold=units(withdraw_at),
            policy=PolicyConfig(
                min_price=units(min_price),
                max_collateral=units(max_collateral),
                max_at_risk=units(max_at_risk),
                lists=await _lists(
                    cli,
                    allow_requester or [],
                    deny_requester or [],
                    deny_version or [],
                    deny_model or [],
                ),
                proofs=proofs,
                failures=failures,
                failure_pause_seconds=failure_pause,
                max_concurrent=max_concurrent,
                time_factor=time_factor,
                margin_seconds=margin,
                max_batch=max_batch,
                batch_wait_seconds=batch_wait,
                token_per_native=units(native_price),
                proof_second_price=float(units(proof_second) or 0),
                capital_bps=round(capital_yield * 100),
                profit_bps=round(profit * 100),
                busy_bps=round(busy * 100),
            ),
            receipts=receipts,
            lazy=LazyConfig(
                enabled=lazy,
                backing=units(lazy_backing),
            ),
            quorum=await _quorums(cli, quorum or [], quorum_price, quorum_seats, token),
        )

        def ready(executor: Executor) -> None:
            settle_heap()
            data = {
                "address": signer.address,
                "network": deployment.name,
                "serving_at": executor.serving_at,
                "journal": str(config.journal),
                "receipt_key": None if receipt_key is None else receipt_key.address,
            }
            rows = [
                ("executor", signer.address),
                ("network", deployment.name),
                ("serving at", executor.serving_at or "(nothing; --port serves files and calls)"),
                ("journal", str(config.journal)),
            ]
            if receipt_key is not None:
                rows.append(("receipts by", receipt_key.address))
            cli.output.result(data, facts(rows))
            cli.output.note("working; Ctrl-C stops in good order, a second one at once")

        configure_log(json_lines=not cli.output.shows_progress)
        await run_executor(
            config, deployment=deployment, signer=signer, on_ready=ready, receipt_key=receipt_key
        )
        cli.output.note("stopped; everything is in the journal")


async def _lists(
    cli: Cli,
    allowed: list[str],
    denied: list[str],
    versions: list[str],
    models: list[str],
) -> Lists:
    """Whom and what is not wanted, by accounts, references and names."""
    from gateless.executor.lists import Lists
    from gateless.sdk.terms import checked_address

    version_ids: list[int] = []
    model_ids: list[int] = []
    if versions or models:
        async with cli.network() as gateless:
            version_ids = [(await gateless.resolve(ref)).version.version_id for ref in versions]
            model_ids = [(await gateless.model(name)).model.model_id for name in models]
    return Lists(
        allow_requesters=frozenset(
            str(checked_address(entry, "--allow-requester")) for entry in allowed
        ),
        deny_requesters=frozenset(
            str(checked_address(entry, "--deny-requester")) for entry in denied
        ),
        deny_models=frozenset(model_ids),
        deny_versions=frozenset(version_ids),
    )


async def _quorums(
    cli: Cli, wanted: list[str], price: str | None, seats: int, token: Token
) -> QuorumConfig:
    """Versions and stakes as ``REF=STAKE`` say them."""
    from gateless.core.quorums import MemberTerms
    from gateless.executor.quorum_config import QuorumConfig, QuorumEnrolment

    if not wanted:
        return QuorumConfig()
    least = 0 if price is None else parse_amount(price, token)
    terms = MemberTerms(capacity=seats, min_price=least)
    enrolments = []
    async with cli.network() as gateless:
        await warn_of_idle_chain(cli, gateless)
        for text in wanted:
            ref, separator, stake = text.rpartition("=")
            if not separator:
                raise InputError(
                    "invalid-enrolment",
                    f"{text[:80]!r} names no version and stake",
                    hint="give --quorum REF=STAKE, such as --quorum digits=50",
                )
            version = (await gateless.resolve(ref)).version
            enrolments.append(
                QuorumEnrolment(version.version_id, parse_amount(stake, token), terms)
            )
    return QuorumConfig(tuple(enrolments))


def _receipt_keys(cli: Cli) -> KeystoreStore:
    """Receipt keys by the name of the executor's wallet; apart, for they are no accounts."""
    from gateless.adapters.signer import KeystoreStore

    return KeystoreStore(cli.home / "receipt-keys")


def _receipt_key_name(cli: Cli, signer_url: str | None) -> str:
    """The wallet's; an account that is kept elsewhere has none."""
    if signer_url is None or cli.settings.wallet:
        return cli.wallet_name("executor")
    return "executor"


async def _unlock_receipt_key(cli: Cli, name: str) -> LocalSigner:
    store = _receipt_keys(cli)
    if not store.has(name):
        raise WalletError(
            "no-receipt-key",
            f"there is no receipt key for the wallet {name!r}",
            hint="make one: gateless executor key",
        )
    password = cli.password(f"Password of the receipt key of {name!r}", wallet=name)
    return await asyncio.to_thread(store.unlock, name, password)


def _receipts(
    bond: int,
    capacity: int,
    challenge_bond: str | None,
    epochs_ahead: int,
    price: str | None,
    token: Token,
) -> ReceiptsConfig:
    from gateless.executor import ReceiptsConfig

    if bond <= 0:
        raise InputError(
            "invalid-amount", "a receipt's bond is more than nothing", hint="give --receipt-bond 10"
        )
    doubt = 10**token.decimals if challenge_bond is None else parse_amount(challenge_bond, token)
    return ReceiptsConfig(
        bond=bond,
        capacity=capacity,
        challenge_bond=doubt,
        epochs_ahead=epochs_ahead,
        price=0 if price is None else parse_amount(price, token),
    )
