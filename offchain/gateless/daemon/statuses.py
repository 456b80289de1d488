"""Which HTTP status says what an error says."""

from __future__ import annotations

from typing import Any

from gateless.core.errors import (
    ChainError,
    ConfigError,
    ContractError,
    DatabaseError,
    FundsError,
    GatelessError,
    InputError,
    ModelError,
    NotFoundError,
    ProofError,
    SandboxError,
    StorageError,
)

_BY_CODE = {
    "body-too-large": 413,
    "body-too-slow": 408,
    "busy": 503,
    "content-not-found": 404,
    "content-tampered": 500,
    "content-too-large": 413,
    "deposit-too-low": 402,
    "intake-full": 503,
    "nonce-spent": 409,
    "payment-required": 402,
    "proof-put-off": 503,
    "rate-limited": 429,
    "request-not-served": 422,
}

_BY_CLASS: tuple[tuple[type[GatelessError], int], ...] = (
    (InputError, 400),
    (NotFoundError, 404),
    (ModelError, 422),
    (ProofError, 422),
    (SandboxError, 503),
    (StorageError, 503),
    (FundsError, 503),
    (ContractError, 422),
    (ChainError, 503),
    (DatabaseError, 503),
    (ConfigError, 503),
)


#: What is wrong with the program's own journal: where that is, is nobody else's business.
_OWN = frozenset({"already-running", "database-refused", "journal-unreadable"})


def public(error: GatelessError) -> dict[str, Any]:
    """What strangers are told of an error: all of it, but nothing about the program's database."""
    if not isinstance(error, DatabaseError) and error.code not in _OWN:
        return error.to_dict()
    if error.code == "database-too-slow":  # that is the caller's own question
        return error.to_dict() | {"message": "this takes longer than it may", "context": {}}
    return error.to_dict() | {
        "message": "the journal cannot be read or written now",
        "hint": "try again later",
        "context": {},
    }


def status_of(error: GatelessError) -> int:
    """The status of an error: 4xx where the caller can do something else, 5xx where he cannot."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    for kind, status in _BY_CLASS:
        if isinstance(error, kind):
            return status
    return 500
