"""How a version's model was run, and whether its outputs repeat to the byte."""

from __future__ import annotations

from eth_utils.crypto import keccak
from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RepeatCheck(_Strict):
    """A way in which the model was run again, and whether its outputs were the same to the byte.

    ``required`` are those within one runtime class; the others were tried as a matter of interest.
    """

    what: str
    same: bool
    required: bool


class Execution(_Strict):
    """How the model is run, and whether its outputs repeat.

    Attributes:
        runtime: the runtime class of the machine that measured it, in words: instruction sets,
            onnxruntime's version, its options.
        samples: inputs that were run each time.
        checks: the ways in which they were run again.
    """

    runtime: str = Field(min_length=1)
    samples: int = Field(ge=1)
    checks: tuple[RepeatCheck, ...]

    @property
    def repeatable(self) -> bool:
        """Whether quorums may be asked: all that was required held, and something was."""
        required = [check.same for check in self.checks if check.required]
        return bool(required) and all(required)

    @property
    def runtime_class(self) -> bytes:
        """What executors enrol for: keccak256 of the text."""
        return bytes(keccak(text=self.runtime))

    def differing(self) -> tuple[str, ...]:
        """What of the required changed the outputs."""
        return tuple(check.what for check in self.checks if check.required and not check.same)
