"""The one error tree.

Every error that a user can meet carries a machine-readable ``code`` (stable, documented in
``docs/errors.md``), a message that says what is wrong and a ``hint`` that says what to do::

    GatelessError
    ├── InputError         the caller's data or arguments are wrong
    ├── ModelError         an ONNX file cannot be taken
    ├── ProofError         a circuit, witness, key or proof step failed
    ├── SandboxError       a subprocess crashed or hit a limit
    ├── StorageError       content is missing, tampered with or too large
    ├── ChainError         the RPC or the chain refused
    │   └── ContractError  a contract reverted, decoded to its named error
    ├── WalletError        a key or keystore problem
    ├── FundsError         a balance, stake or allowance is too low
    ├── NotFoundError      an unknown model, version, alias, request or executor
    ├── ConfigError        configuration or set-up is wrong
    └── DatabaseError      a database cannot be reached, read or written now
"""

from __future__ import annotations

from typing import Any, ClassVar


class GatelessError(Exception):
    """Root of all errors that are meant for users.

    Args:
        code: machine-readable, kebab-case, stable across releases.
        message: what is wrong, in one sentence.
        hint: what to do about it; may be empty.
        context: further facts for ``--json`` output and logs; values must be JSON-serialisable.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, message: str, *, hint: str = "", **context: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.context = context

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.code, self.message, self.hint, self.context))

    def to_dict(self) -> dict[str, Any]:
        """The error as JSON-ready mapping, as printed by ``--json``."""
        return {
            "error": type(self).__name__,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "context": self.context,
        }


def _rebuild(
    kind: type[GatelessError], code: str, message: str, hint: str, context: dict[str, Any]
) -> GatelessError:
    return kind(code, message, hint=hint, **context)


class InputError(GatelessError):
    """The caller's data or arguments are wrong."""

    exit_code = 2


class ModelError(GatelessError):
    """An ONNX file cannot be taken."""

    exit_code = 3


class ProofError(GatelessError):
    """A circuit, witness, key or proof step failed."""

    exit_code = 4


class SandboxError(GatelessError):
    """A subprocess crashed or hit a limit."""

    exit_code = 5


class StorageError(GatelessError):
    """Content is missing, tampered with or too large."""

    exit_code = 6


class ChainError(GatelessError):
    """The RPC endpoint or the chain refused."""

    exit_code = 7


class ContractError(ChainError):
    """A contract reverted; ``context`` holds the decoded error name and arguments."""


class WalletError(GatelessError):
    """A key or keystore problem."""

    exit_code = 8


class FundsError(GatelessError):
    """A balance, stake or allowance is too low."""

    exit_code = 9


class NotFoundError(GatelessError):
    """An unknown model, version, alias, request or executor."""

    exit_code = 10


class ConfigError(GatelessError):
    """Configuration or set-up is wrong."""

    exit_code = 11


class DatabaseError(GatelessError):
    """A database cannot be reached, read or written now; it may be later."""

    exit_code = 12
