"""What an executor and its driver tell each other: JSON, one message a line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gateless.core import errors
from gateless.core.errors import GatelessError

from gateless_proofs.isolation import EVERYTHING

#: longest line
MAX_LINE = 256 << 20


@dataclass(frozen=True, slots=True)
class Options:
    """How to use a cluster.

    Attributes:
        address: ``auto``, ``HOST:PORT`` of the head, or ``ray://HOST:PORT``.
        node_memory_bytes: most memory to take of a node; None takes what it offers.
        node_cores: most cores to take of a node; None takes what it offers.
        cache_bytes: room for files on each node.
        join_seconds: how long a node may take to give what it offers, or to answer a call.
        allow_unsandboxed: whether nodes are used where nothing keeps models from the network.
        ways: what nodes may use to keep models apart, as :class:`gateless_proofs.isolation.Ways`
            spells it.
    """

    address: str
    node_memory_bytes: int | None = None
    node_cores: int | None = None
    cache_bytes: int = 32 << 30
    join_seconds: float = 30.0
    allow_unsandboxed: bool = False
    ways: str = EVERYTHING.text()


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a job: where the executor has it, and what it is."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Order:
    """A job for a node.

    Attributes:
        job: its number, never used twice by one driver.
        node: where it shall run.
        domain: the bundle.
        operation: name in ``gateless_proofs.worker.OPERATIONS``.
        request: its arguments, without paths.
        files: those that it reads, by the names of the arguments that hold their paths.
        limits: fields of :class:`gateless_proofs.sandbox.Limits`.
    """

    job: int
    node: str
    domain: str
    operation: str
    request: dict[str, Any]
    files: dict[str, SentFile] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)


def line_of(message: dict[str, Any]) -> bytes:
    """A message as it travels."""
    return json.dumps(message).encode() + b"\n"


def order_message(order: Order) -> dict[str, Any]:
    """An order as a message."""
    files = {name: [str(file.path), file.sha256] for name, file in order.files.items()}
    return {"do": "run", **asdict(order), "files": files}


def order_of(message: dict[str, Any]) -> Order:
    """The order that a message holds."""
    fields = {name: value for name, value in message.items() if name != "do"}
    files = {name: SentFile(Path(path), sha256) for name, (path, sha256) in fields["files"].items()}
    return Order(**{**fields, "files": files})


def error_of(data: dict[str, Any]) -> GatelessError:
    """The error that a mapping of :meth:`GatelessError.to_dict` holds."""
    kind = getattr(errors, str(data["error"]), None)
    if not (isinstance(kind, type) and issubclass(kind, GatelessError)):
        kind = GatelessError
    context = {str(name): value for name, value in dict(data["context"]).items()}
    reserved = {"code", "message", "hint"}
    return kind(
        str(data["code"]),
        str(data["message"]),
        hint=str(data["hint"]),
        **{name: value for name, value in context.items() if name not in reserved},
    )
