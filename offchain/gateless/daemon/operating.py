"""What those who operate a program ask it over HTTP: does it live, can it work, what does it count.

``/health`` says that the process answers; whoever restarts programs asks that. ``/ready`` says
whether it can do its work, and what keeps it; whoever routes or alarms asks that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse

from gateless.core.errors import GatelessError
from gateless.daemon.metrics import CONTENT_TYPE

_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a program cannot do its work, and what to do about it."""

    code: str
    message: str
    hint: str = ""

    def to_dict(self) -> dict[str, str]:
        """JSON-ready."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class Operated(Protocol):
    """What is asked of a program."""

    async def obstacles(self) -> list[Obstacle]:
        """Why it cannot do its work now; none where it can."""
        ...

    async def exposition(self) -> bytes:
        """Its metrics, as Prometheus reads them."""
        ...


async def unwritable(write: Callable[[], Awaitable[None]]) -> list[Obstacle]:
    """What keeps a program's database from being written; where it is, is nobody else's business.

    Args:
        write: writes something that changes nothing.
    """
    try:
        await write()
    except GatelessError as error:
        return [Obstacle(error.code, "the database cannot be written now", error.hint)]
    return []


def add_operating(
    app: FastAPI, program: Operated, halted: Callable[[], Sequence[Obstacle]] = tuple
) -> None:
    """Adds ``/health``, ``/ready`` and ``/metrics``.

    Args:
        app: to this.
        program: what is asked.
        halted: what the program has stopped by itself, why, and how it is resumed. It lives all
            the same: a restart would not help.
    """

    @app.get("/health")
    async def health() -> Response:
        """Whether the process lives, and what it has stopped until somebody looks."""
        found = [entry.to_dict() for entry in halted()]
        told: dict[str, Any] = {"status": "ok"} | ({"halted": found} if found else {})
        return JSONResponse(told, headers=_NO_STORE)

    @app.get("/ready")
    async def ready() -> Response:
        """Whether it can do its work, and what keeps it."""
        found = [entry.to_dict() for entry in await program.obstacles()]
        told: dict[str, Any] = {"ready": not found, "reasons": found}
        return JSONResponse(told, 503 if found else 200, headers=_NO_STORE)

    add_metrics(app, program)


def add_metrics(app: FastAPI, program: Operated) -> None:
    """Adds ``/metrics`` alone, for programs that spell the others out themselves."""

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Everything that is measured, for Prometheus."""
        return Response(await program.exposition(), media_type=CONTENT_TYPE, headers=_NO_STORE)
