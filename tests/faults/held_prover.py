"""A prover that is as slow as a case needs it."""

from __future__ import annotations

import asyncio
from typing import Any

from gateless_proofs import KeyCache, Proof, Prover


class HeldProver(Prover):
    """A real prover that starts when it is let go."""

    def __init__(self, keys: KeyCache) -> None:
        super().__init__(keys)
        self.let_go = asyncio.Event()

    async def prove(self, *args: Any, **options: Any) -> Proof:
        await self.let_go.wait()
        return await super().prove(*args, **options)
