"""Options about an account that signs and its transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gateless.cli.urls import http_url

if TYPE_CHECKING:
    from gateless.adapters.chain.lane import SendingPolicy
    from gateless.adapters.chain.relay import RelayPolicy
    from gateless.adapters.signer import Signer
    from gateless.cli.context import Cli
    from gateless.sdk.client import AsyncGateless

_PANEL = "Transactions"
_WEI_PER_GWEI = 10**9


class RelaySpeech(StrEnum):
    """How a relay is spoken to: ``eth_sendRawTransaction``, or ``eth_sendPrivateTransaction``."""

    RAW = "raw"
    PRIVATE = "private"


MaxFee = Annotated[
    float | None,
    typer.Option(
        metavar="GWEI", min=0, rich_help_panel=_PANEL, help="Highest fee per gas, tip included."
    ),
]
MaxTip = Annotated[
    float | None,
    typer.Option(metavar="GWEI", min=0, rich_help_panel=_PANEL, help="Highest tip per gas."),
]
StuckAfter = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=1,
        rich_help_panel=_PANEL,
        help="Offer more for a transaction that is not mined for so long.",
    ),
]
SignerUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        rich_help_panel=_PANEL,
        help="Sign by an external signer that speaks like Web3Signer, in place of a wallet.",
    ),
]
SignerAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        rich_help_panel=_PANEL,
        help="Its account, where it has more than one.",
    ),
]
#: Of commands that are run once for an executor's account.
ExecutorSignerUrl = Annotated[
    str | None,
    typer.Option(
        "--signer-url",
        metavar="URL",
        envvar="GATELESS_EXECUTOR_SIGNER_URL",
        show_envvar=False,
        rich_help_panel=_PANEL,
        help="Sign by the external signer of `gateless executor run`, in place of a wallet.",
    ),
]
ExecutorSignerAddress = Annotated[
    str | None,
    typer.Option(
        "--signer-address",
        metavar="ADDRESS",
        envvar="GATELESS_EXECUTOR_SIGNER_ADDRESS",
        show_envvar=False,
        rich_help_panel=_PANEL,
        help="Its account, where it has more than one.",
    ),
]
RelayUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        rich_help_panel=_PANEL,
        help="Private relay for transactions that carry outputs or proofs.",
    ),
]
RelayMethodOption = Annotated[
    RelaySpeech, typer.Option(rich_help_panel=_PANEL, help="What the relay is asked.")
]
RelayPatience = Annotated[
    int,
    typer.Option(
        metavar="BLOCKS",
        min=1,
        rich_help_panel=_PANEL,
        help="Blocks after which the relay has failed.",
    ),
]
RelayOnly = Annotated[
    bool,
    typer.Option(
        rich_help_panel=_PANEL, help="Wait for a relay that failed, rather than show them to all."
    ),
]


def sending_policy(
    max_fee: float | None, max_tip: float | None, stuck_after: float
) -> SendingPolicy:
    """The options as the sender takes them."""
    from gateless.adapters.chain.fees import FeePolicy
    from gateless.adapters.chain.lane import SendingPolicy

    fees = FeePolicy(max_fee_per_gas=_wei(max_fee), max_priority_fee_per_gas=_wei(max_tip))
    return SendingPolicy(fees, stuck_seconds=stuck_after)


def relay_policy(
    url: str | None, speech: RelaySpeech, patience: int, only: bool
) -> RelayPolicy | None:
    """The relay's options as the sender takes them.

    Raises:
        InputError: ``invalid-url``.
    """
    from gateless.adapters.chain.relay import RelayFallback, RelayMethod, RelayPolicy

    if url is None:
        return None
    method = RelayMethod.RAW if speech is RelaySpeech.RAW else RelayMethod.PRIVATE
    fallback = RelayFallback.WAIT if only else RelayFallback.PUBLIC
    return RelayPolicy(http_url(url, "--relay-url"), method, patience, fallback)


@asynccontextmanager
async def account(
    cli: Cli, role: str, url: str | None, address: str | None
) -> AsyncIterator[Signer]:
    """Who signs: an external signer where there is one, else a wallet."""
    if url is None:
        yield await cli.unlock(cli.wallet_name(role))
        return
    from gateless.adapters.signer import open_external_signer

    async with open_external_signer(http_url(url, "--signer-url"), address) as signer:
        yield signer


@asynccontextmanager
async def signing(
    cli: Cli, role: str, url: str | None, address: str | None
) -> AsyncIterator[AsyncGateless]:
    """A connection that signs by an external signer where there is one, else by a wallet."""
    if url is None:
        async with cli.network(role) as gateless:
            yield gateless
        return
    async with account(cli, role, url, address) as signer, cli.network(signer=signer) as gateless:
        yield gateless


def _wei(gwei: float | None) -> int | None:
    return None if gwei is None else round(gwei * _WEI_PER_GWEI)
