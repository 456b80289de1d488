"""Transaction fees by EIP-1559, with a fallback for chains without a base fee."""

from __future__ import annotations

from dataclasses import dataclass

from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.core.errors import ChainError

_GWEI = 10**9

#: A replacement must raise both fee fields by a share that each node chooses: 10 % in geth
#: (https://geth.ethereum.org/docs/fundamentals/command-line-options, ``--txpool.pricebump``),
#: 12.5 % in OpenEthereum and its kin (https://github.com/ethereum/web3.py/issues/1570).
_BUMP_NUMERATOR, _BUMP_DENOMINATOR = 9, 8


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """How much a sender offers.

    Attributes:
        base_fee_multiplier: headroom for a rising base fee; 2 outlives six full blocks.
        priority_fee: tip per gas in wei; the node's suggestion where ``None``.
        max_fee_per_gas: highest total fee per gas in wei; above it nothing is sent or replaced.
        max_priority_fee_per_gas: highest tip per gas in wei, replacements included.
        max_market_multiple: a replacement offers at most so many times what would be offered now:
            where more does not help, something else is wrong.
        gas_margin_percent: added to the node's gas estimate.
    """

    base_fee_multiplier: int = 2
    priority_fee: int | None = None
    max_fee_per_gas: int | None = None
    max_priority_fee_per_gas: int | None = None
    max_market_multiple: int = 4
    gas_margin_percent: int = 25

    def gas_limit(self, estimate: int, block_gas_limit: int) -> int:
        """Gas limit for an estimate; never above what fits a block."""
        return min(estimate + estimate * self.gas_margin_percent // 100, block_gas_limit)


@dataclass(frozen=True, slots=True)
class Fees:
    """Fee fields of a transaction. ``priority`` is None on chains without EIP-1559."""

    per_gas: int
    priority: int | None

    def fields(self) -> dict[str, int]:
        """As transaction fields."""
        if self.priority is None:
            return {"gasPrice": self.per_gas}
        return {"maxFeePerGas": self.per_gas, "maxPriorityFeePerGas": self.priority, "type": 2}

    def price_at(self, base_fee: int) -> int:
        """What a unit of gas costs in a block of that base fee (EIP-1559)."""
        if self.priority is None:
            return self.per_gas
        return min(self.per_gas, base_fee + self.priority)


async def current_fees(rpc: Rpc, policy: FeePolicy, base_fee: int | None, tip: int) -> Fees:
    """What to offer now.

    Args:
        rpc: the node.
        policy: bounds and margins.
        base_fee: base fee of the latest block; None where the chain has none.
        tip: see :func:`priority_fee`; not used where there is no base fee.

    Raises:
        ChainError: ``fee-above-cap``.
    """
    if base_fee is None:
        fees = Fees(await rpc.quantity("eth_gasPrice"), None)
    else:
        fees = Fees(base_fee * policy.base_fee_multiplier + tip, tip)
    cap = policy.max_fee_per_gas
    if cap is not None and fees.per_gas > cap:
        # The multiplier is headroom, not need: within the cap as long as the present fee is.
        needed = base_fee + (fees.priority or 0) if base_fee is not None else fees.per_gas
        if needed > cap:
            raise ChainError(
                "fee-above-cap",
                f"gas costs {needed / _GWEI:g} gwei now, the cap is {cap / _GWEI:g} gwei",
                hint="wait for lower fees or raise the cap",
                needed=needed,
                cap=cap,
            )
        return Fees(cap, fees.priority)
    return fees


def raised_fees(before: Fees, market: Fees | None, policy: FeePolicy) -> Fees | None:
    """What a replacement offers: enough for any node to take it, and what the market asks.

    Args:
        before: what the transaction offers that is to be replaced.
        market: what would be offered now; None where that is above the cap.
        policy: the caps.

    Returns:
        None where the caps leave no room for a replacement that a node would take.
    """
    least_fee, fee_cap, tip_cap = _bumped(before.per_gas), None, None
    fee = least_fee
    if market is not None:
        fee = max(least_fee, market.per_gas)
        fee_cap = market.per_gas * policy.max_market_multiple
        tip_cap = max(market.priority or 0, _GWEI) * policy.max_market_multiple
    fee = _capped(_capped(fee, policy.max_fee_per_gas), fee_cap)
    if fee < least_fee:
        return None
    if before.priority is None:
        return Fees(fee, None)
    least_tip = _bumped(before.priority)
    tip = least_tip if market is None else max(least_tip, market.priority or 0)
    # A tip above the whole fee is no valid transaction.
    tip = min(_capped(_capped(tip, policy.max_priority_fee_per_gas), tip_cap), fee)
    return None if tip < least_tip else Fees(fee, tip)


def _bumped(value: int) -> int:
    """The least whole number above ``value`` that is 12.5 % higher."""
    return max(value + 1, -(-value * _BUMP_NUMERATOR // _BUMP_DENOMINATOR))


def _capped(value: int, cap: int | None) -> int:
    return value if cap is None else min(value, cap)


async def priority_fee(rpc: Rpc, policy: FeePolicy) -> int:
    """The tip to offer per gas, in wei: the policy's, or what a node suggests, within the cap."""
    tip = policy.priority_fee
    if tip is None:
        try:
            tip = await rpc.quantity("eth_maxPriorityFeePerGas")
        except RpcError:
            tip = _GWEI  # a node without the method
    cap = policy.max_priority_fee_per_gas
    return tip if cap is None else min(tip, cap)
