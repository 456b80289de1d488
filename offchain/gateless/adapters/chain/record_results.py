"""What all markets that keep one word per request can be asked."""

from __future__ import annotations

from gateless.adapters.chain.contract import BoundContract
from gateless.core.lazy import Finality, FinalResult
from gateless.core.types import TrustMode


class RecordReader(BoundContract):
    """Reads results, balances and nonces."""

    async def result(self, request_id: int) -> FinalResult:
        """What became final; ``how`` is ``NONE`` while nothing did."""
        stored = await self.call("resultOf", request_id)
        return FinalResult(
            version_id=stored["versionId"],
            mode=TrustMode(stored["mode"]),
            how=Finality(stored["how"]),
            final_at=stored["finalAt"],
            bond=stored["bond"],
            output_digest=stored["outputDigest"],
        )

    async def balance_of(self, account: str) -> int:
        """Deposited, not escrowed, withdrawable balance."""
        return int(await self.call("balanceOf", account))

    async def nonce_word(self, account: str, word_index: int) -> int:
        """Used and cancelled nonces of an account: bit i is nonce ``256 * word_index + i``."""
        return int(await self.call("nonceWord", account, word_index))

    async def royalty_of(self, model_id: int) -> int:
        """Royalties that the model's holder can withdraw."""
        return int(await self.call("royaltyOf", model_id))
