"""Transaction fees by EIP-1559, with a fallback for chains without a base fee."""

from __future__ import annotations

from dataclasses import dataclass

from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.core.errors import ChainError

_GWEI = 10**9


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """How much a sender offers.

    Attributes:
        base_fee_multiplier: headroom for a rising base fee; 2 outlives six full blocks.
        priority_fee: tip per gas in wei; the node's suggestion where ``None``.
        max_fee_cap: highest total fee per gas in wei; above it nothing is sent.
        gas_margin_percent: added to the node's gas estimate.
    """

    base_fee_multiplier: int = 2
    priority_fee: int | None = None
    max_fee_cap: int | None = None
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


async def current_fees(rpc: Rpc, policy: FeePolicy, base_fee: int | None) -> Fees:
    """What to offer now.

    Args:
        rpc: the node.
        policy: bounds and margins.
        base_fee: base fee of the latest block; None where the chain has none.

    Raises:
        ChainError: ``fee-above-cap``.
    """
    if base_fee is None:
        fees = Fees(await rpc.quantity("eth_gasPrice"), None)
    else:
        priority = policy.priority_fee
        if priority is None:
            priority = await _suggested_priority(rpc)
        fees = Fees(base_fee * policy.base_fee_multiplier + priority, priority)
    if policy.max_fee_cap is not None and fees.per_gas > policy.max_fee_cap:
        # The multiplier is headroom, not need: within the cap as long as the present fee is.
        needed = (base_fee or 0) + (fees.priority or 0) if base_fee is not None else fees.per_gas
        if needed > policy.max_fee_cap:
            raise ChainError(
                "fee-above-cap",
                f"gas costs {needed / _GWEI:g} gwei now, the cap is"
                f" {policy.max_fee_cap / _GWEI:g} gwei",
                hint="wait for lower fees or raise the cap",
                needed=needed,
                cap=policy.max_fee_cap,
            )
        return Fees(policy.max_fee_cap, fees.priority)
    return fees


async def _suggested_priority(rpc: Rpc) -> int:
    try:
        return await rpc.quantity("eth_maxPriorityFeePerGas")
    except RpcError:
        return _GWEI  # a node without the method
