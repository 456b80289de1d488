"""Signs receipts as fast as it can until it is killed; says which, before anybody else knows.

Arguments: the journal's path, the number of the first question.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from gateless.core.receipts import Court
from gateless.core.types import ZERO_ADDRESS
from gateless.executor import Journal
from gateless.executor.issuing import sign_answer
from gateless.executor.journal_receipts import Answer, Backing

COURT = Court(31337, to_checksum_address("0x" + "c0" * 20))
EXECUTOR = to_checksum_address("0x" + "e0" * 20)
IDENTITY = {"chain_id": 31337, "market": "0xMarket", "account": EXECUTOR}
EPOCH, CAPACITY = 7, 1_000_000
BACKING = Backing(EXECUTOR, EPOCH, CAPACITY, bond=10**7, issued=1000, expires=2000)


def answer(number: int) -> Answer:
    packed = number.to_bytes(8, "big")
    return Answer(
        question=keccak(packed),
        version_id=1 << 32,
        input_binding=keccak(packed),
        packed_input=packed,
        packed_output=packed * 2,
        beneficiary=ZERO_ADDRESS,
        price=2**100,
    )


class Announcing:
    """A key that tells the world what it signs."""

    async def sign_typed_data(
        self,
        domain: Mapping[str, Any],
        types: Mapping[str, Any],
        primary_type: str,
        message: Mapping[str, Any],
    ) -> bytes:
        print(message["slot"], message["inputBinding"].hex(), flush=True)
        return bytes(65)


async def main(path: Path, first: int) -> None:
    journal = await Journal.open(path, **IDENTITY)
    for number in itertools.count(first):
        await sign_answer(journal, COURT, Announcing(), answer(number), BACKING)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
