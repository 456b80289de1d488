"""What contracts beside the market hold for an account: earnings, rewards, bonds that came back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gateless.adapters.chain import calls, lazy_calls
from gateless.adapters.chain.attested import ATTESTED_MARKET
from gateless.adapters.chain.calls import STAKING, Call
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.contract import BoundContract
from gateless.adapters.chain.court_calls import COURT
from gateless.adapters.chain.lazy_calls import DISPUTE_COURT, LAZY_MARKET
from gateless.adapters.chain.quorum_calls import QUORUM_MARKET

#: Where balances are kept that a deposit or an ended claim made.
_BALANCES = (LAZY_MARKET, DISPUTE_COURT, COURT, QUORUM_MARKET, ATTESTED_MARKET)


@dataclass(frozen=True, slots=True)
class Purse:
    """What a contract holds for an account, which only that account can take out.

    Attributes:
        contract: its name in the deployment; the staking contract holds compensations and rewards.
        amount: in token units.
        call: takes all of it out, to the account itself.
    """

    contract: str
    amount: int
    call: Call


async def read_purses(client: ChainClient, account: str) -> tuple[Purse, ...]:
    """All purses of an account that are not empty, but for the market's."""
    deployment = client.deployment
    names = [name for name in _BALANCES if name in deployment.contracts]
    credit, *held = await asyncio.gather(
        client.staking.credit_of(account),
        *(
            BoundContract(client.rpc, deployment, name).call("balanceOf", account, block="latest")
            for name in names
        ),
    )
    found = [Purse(STAKING, credit, calls.withdraw_credit(account))] if credit else []
    found += [
        Purse(name, int(amount), lazy_calls.withdraw(int(amount), account, name))
        for name, amount in zip(names, held, strict=True)
        if amount
    ]
    return tuple(found)
