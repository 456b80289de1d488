"""What a circuit costs to prove and to verify, predicted from its layout.

The constants were fitted to proofs on two cores; ``docs/planner.md`` has the fit and its errors.
They matter as ratios only: the plan compares circuits with each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gateless.core.manifest import Goal

from gateless_proofs.planner.layout import Layout

#: seconds of any proof; per advice column; per row and each advice column, lookup argument and
#: copied column
_SECONDS = (0.015, 0.0009, 4e-7, 7.1e-6, 1.15e-5)
#: bytes of a proving key per row; per row and lookup argument; per row and copied column
_KEY_BYTES = (720, 334, 305)
#: memory of a proving process: of any, and per byte of the proving key
_MEMORY = (48 << 20, 2.2)
#: words of a proof with lookup arguments: of any; per inner column, argument, column of a table of
#: functions, further column of constants or of dynamic tables
_PROOF_WORDS = (28.0, 21.0, 6.0, 4.0, 10.0)
#: words of a proof without lookup arguments: of any; per copied column
_PLAIN_PROOF_WORDS = (5.0, 10.65)
#: gas of a fulfilment: of any, per byte of the proof, per public word, per committed tensor
_GAS = (198_000, 155.0, 1_035, 17_000)
#: an inexact circuit has to be so much cheaper than an exact one to be preferred
INEXACT_PENALTY = 1.5


@dataclass(frozen=True, slots=True)
class Cost:
    """Predicted cost of one proof.

    Attributes:
        seconds: to prove, on the two cores that the constants were fitted on.
        memory_bytes: of the proving process.
        gas: to verify, with the calldata of the proof.
    """

    seconds: float
    memory_bytes: int
    gas: int

    def score(self, goal: Goal) -> float:
        """What the goal keeps low; scores of different goals cannot be compared."""
        if goal is Goal.PROVER:
            # A tenth of the gas is worth some two per cent of the time: it decides near equals.
            return self.seconds * math.pow(self.gas / 400_000, 0.25)
        if goal is Goal.GAS:
            # A hundredth of the time decides between circuits of equal gas.
            return self.gas * (1 + 0.01 * math.log1p(self.seconds))
        if goal is Goal.MEMORY:
            return self.memory_bytes * (1 + 0.01 * math.log1p(self.seconds))
        # Twice the gas has to save three quarters of the time.
        return self.seconds * math.pow(self.gas / 400_000, 2)


def predict(layout: Layout) -> Cost:
    """The cost of a circuit."""
    rows = 1 << layout.logrows
    advice, arguments, permuted = layout.advice, layout.arguments, layout.permuted
    fixed, per_column, by_advice, by_argument, by_permuted = _SECONDS
    seconds = fixed + per_column * advice
    seconds += rows * (by_advice * advice + by_argument * arguments + by_permuted * permuted)
    per_row, key_argument, key_permuted = _KEY_BYTES
    key = rows * (per_row + key_argument * arguments + key_permuted * permuted)
    memory = int(_MEMORY[0] + _MEMORY[1] * key)
    return Cost(seconds, memory, gas_of(layout, proof_bytes(layout)))


def proof_bytes(layout: Layout) -> int:
    """Length of a proof, within a few words."""
    if not layout.arguments:
        start, per_column = _PLAIN_PROOF_WORDS
        return 32 * round(start + per_column * layout.permuted)
    start, per_inner, per_argument, per_table, per_extra = _PROOF_WORDS
    wide = layout.columns * layout.blocks
    extra = max(0, layout.constant_columns - 1) + 3 * layout.dynamic_blocks
    words = start + per_inner * wide + per_argument * layout.arguments
    words += per_table * layout.lookups * wide + per_extra * extra
    return 32 * round(words)


def gas_of(layout: Layout, proof_length: int) -> int:
    """Gas of a verification, for a proof of known length."""
    fixed, per_byte, per_word, per_tensor = _GAS
    return round(
        fixed
        + per_byte * proof_length
        + per_word * layout.instances
        + per_tensor * len(layout.committed)
    )


def corrected_gas(predicted: int, predicted_bytes: int, proof_length: int) -> int:
    """A predicted gas, with the length that the proof turned out to have."""
    return predicted + round(_GAS[1] * (proof_length - predicted_bytes))
