"""Typed view of the market's ERC-20, with ERC-2612 permits."""

from __future__ import annotations

from typing import Any

from gateless.adapters.chain.calls import TOKEN
from gateless.adapters.chain.contract import BoundContract
from gateless.adapters.chain.deployment import Deployment, TokenInfo
from gateless.adapters.chain.rpc import Rpc
from gateless.core.types import TypedData

#: https://eips.ethereum.org/EIPS/eip-2612
_PERMIT_TYPES = {
    "Permit": [
        {"name": "owner", "type": "address"},
        {"name": "spender", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ]
}
#: Bits of ``fields`` in ``eip712Domain()``, https://eips.ethereum.org/EIPS/eip-5267
_DOMAIN_BITS = (
    (0x01, "name"),
    (0x02, "version"),
    (0x04, "chainId"),
    (0x08, "verifyingContract"),
    (0x10, "salt"),
)


class TokenReader(BoundContract):
    """Reads balances, allowances and permit nonces."""

    def __init__(self, rpc: Rpc, deployment: Deployment) -> None:
        super().__init__(rpc, deployment, TOKEN)

    @property
    def info(self) -> TokenInfo:
        """Address, symbol and decimals."""
        return self._token

    async def balance_of(self, account: str) -> int:
        """Tokens in an account's wallet."""
        return int(await self.call("balanceOf", account))

    async def allowance(self, owner: str, spender: str) -> int:
        """Tokens that ``spender`` may take from ``owner``."""
        return int(await self.call("allowance", owner, spender))

    async def nonce(self, owner: str) -> int:
        """Nonce of the owner's next permit."""
        return int(await self.call("nonces", owner))

    async def domain(self) -> dict[str, Any]:
        """The token's EIP-712 domain, as the token itself states it."""
        stated = await self.call("eip712Domain")
        fields: int = stated["fields"][0]
        return {name: stated[name] for bit, name in _DOMAIN_BITS if fields & bit}

    async def permit_typed_data(
        self, owner: str, spender: str, value: int, deadline: int
    ) -> TypedData:
        """What the owner signs to let ``spender`` take ``value`` once."""
        domain = await self.domain()
        message = {
            "owner": owner,
            "spender": spender,
            "value": value,
            "nonce": await self.nonce(owner),
            "deadline": deadline,
        }
        return TypedData(domain, _PERMIT_TYPES, "Permit", message)
