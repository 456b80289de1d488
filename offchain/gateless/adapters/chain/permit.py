"""Signing ERC-2612 permits: deposits and stakes without an approval transaction."""

from __future__ import annotations

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.signer.protocol import Signer
from gateless.core.errors import FundsError
from gateless.core.types import Permit


async def sign_permit(
    client: ChainClient, signer: Signer, spender: str, value: int, deadline: int
) -> Permit:
    """Lets ``spender`` (an address) take ``value`` of the signer's tokens, until ``deadline``.

    Raises:
        FundsError: ``token-balance-too-low``: the signer does not have that much, so the
            transaction that carries the permit could only fail.
    """
    balance = await client.token.balance_of(signer.address)
    if balance < value:
        token = client.deployment.token
        missing = value - balance
        raise FundsError(
            "token-balance-too-low",
            f"the wallet {signer.address} holds {token.format(balance)},"
            f" {token.format(missing)} less than needed",
            hint=f"send {token.format(missing)} to {signer.address} and try again",
            balance=balance,
            needed=value,
            missing=missing,
        )
    data = await client.token.permit_typed_data(signer.address, spender, value, deadline)
    signature = await signer.sign_typed_data(
        data.domain, data.types, data.primary_type, data.message
    )
    return Permit(
        value=value,
        deadline=deadline,
        v=signature[64],
        r=signature[:32],
        s=signature[32:64],
    )
