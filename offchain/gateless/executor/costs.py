"""What work costs this executor, and so from which price on it is worth doing. Pure.

Four things cost: the time of proofs, gas, stake that is tied up meanwhile, and for lazy requests
the proofs that doubt and lots oblige to. All amounts are in token units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_BPS = 10_000
_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Rates:
    """What an executor charges for.

    Attributes:
        proof_second: a second of proving, in token units.
        capital_bps: what tied-up stake shall yield in a year, in basis points.
        token_per_native: token units that one unit (10**18 wei) of the chain's currency is worth;
            None leaves gas out of the account.
        profit_bps: what is added to the cost.
    """

    proof_second: float = 0.0
    capital_bps: int = 0
    token_per_native: int | None = None
    profit_bps: int = 0

    @property
    def are_set(self) -> bool:
        """Whether anything costs."""
        return bool(self.proof_second or self.capital_bps or self.token_per_native is not None)


@dataclass(frozen=True, slots=True)
class Effort:
    """What a piece of work takes.

    Attributes:
        proof_seconds: of proving that is sure.
        gas: of transactions that are sure.
        stake: tied up.
        stake_seconds: for how long.
        doubt: probability of having to prove after all, from 0 to 1.
        doubt_seconds: of proving in that case.
        doubt_gas: of the transaction in that case.
    """

    proof_seconds: float = 0.0
    gas: int = 0
    stake: int = 0
    stake_seconds: float = 0.0
    doubt: float = 0.0
    doubt_seconds: float = 0.0
    doubt_gas: int = 0


def cost_of(effort: Effort, rates: Rates, gas_price: int) -> int:
    """What work costs, rounded up."""
    seconds = effort.proof_seconds + effort.doubt * effort.doubt_seconds
    cost = seconds * rates.proof_second
    cost += effort.stake * rates.capital_bps / _BPS * effort.stake_seconds / _YEAR
    if rates.token_per_native is not None:
        gas = effort.gas + effort.doubt * effort.doubt_gas
        cost += gas * gas_price * rates.token_per_native / 10**18
    return math.ceil(cost)


def least_price(cost: int, rates: Rates, royalty_bps: int) -> int:
    """The price whose fee, after the royalty, covers the cost and the profit."""
    if cost == 0:
        return 0
    wanted = cost * (_BPS + rates.profit_bps)
    return -(-wanted // max(1, _BPS - royalty_bps))
