"""Typed view of ``SignatureValidator``: who signed, whatever kind of account it is."""

from __future__ import annotations

from gateless.adapters.chain.contract import PENDING, BoundContract
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.rpc import Rpc

VALIDATOR = "SignatureValidator"


class SignatureReader(BoundContract):
    """Judges signatures by ``eth_call``: of plain accounts, of contracts, of ones still to come."""

    def __init__(self, rpc: Rpc, deployment: Deployment) -> None:
        super().__init__(rpc, deployment, VALIDATOR)

    async def is_valid(self, account: str, digest: bytes, signature: bytes) -> bool:
        """Whether a signature of a digest is the account's, as a lock now would find it.

        Raises:
            ChainError: it cannot be asked now.
        """
        values = (account, digest, signature)
        return bool(await self.call("isValidSignature", *values, block=PENDING))
