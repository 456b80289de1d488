"""The indexer's HTTP application. It only reads; pages of anybody may ask."""

from __future__ import annotations

from typing import Any, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateless.adapters.clock import Clock
from gateless.core.errors import GatelessError, InputError, NotFoundError
from gateless.daemon.limits import Limited, Rates
from gateless.daemon.request_ids import HEADER, RequestIds
from gateless.daemon.statuses import public, status_of
from gateless.indexer.api import answers
from gateless.indexer.api.routes import api_routes
from gateless.indexer.reader import IndexReader

DESCRIPTION = """\
What is on the chain, made easy to find. Everything follows from events and from manifests fetched
by digest; nobody is listed, ranked or left out by hand. Amounts are decimal strings of token units.
Text that publishers and executors wrote is text, never markup.
"""
_MAX_BODY_BYTES = 1024
_NO_STORE = {"Cache-Control": "no-store"}


class Standing(Protocol):
    """What the API asks of the program around it."""

    async def status(self) -> answers.StatusAnswer:
        """How far the index is."""
        ...

    def ready(self) -> answers.Ready:
        """Whether it is up with the chain."""
        ...


def indexer_app(
    reader: IndexReader,
    token: answers.Token,
    standing: Standing,
    clock: Clock,
    *,
    rate_per_second: float,
    burst: int,
) -> FastAPI:
    """The application.

    Args:
        reader: of the index.
        token: in whose units amounts are.
        standing: how far the index is.
        clock: for rates.
        rate_per_second: requests that one address may make in the long run.
        burst: and at once.
    """
    app = FastAPI(
        title="Gateless index", version="1", description=DESCRIPTION, docs_url=None, redoc_url=None
    )
    app.include_router(api_routes(reader, token))
    _add_standing(app, standing)
    app.add_exception_handler(GatelessError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_parameters)
    app.add_exception_handler(HTTPException, _refuse_path)
    app.add_middleware(
        Limited,
        rates=Rates(clock, per_second=rate_per_second, burst=burst),
        max_body_bytes=_MAX_BODY_BYTES,
        own_limit=lambda _path: False,
        answer=answer_of,
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET"],
        allow_headers=["if-none-match", HEADER],
        expose_headers=["etag", "retry-after", HEADER],
    )
    app.add_middleware(NoSniffing)
    app.add_middleware(RequestIds)
    _describe(app)
    return app


class NoSniffing:
    """ASGI middleware: browsers take answers for what they are, never for pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Adds the header to every answer."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-content-type-options", b"nosniff"))
            await send(message)

        await self._app(scope, receive, sending)


def answer_of(error: GatelessError) -> JSONResponse:
    """An error as it is answered: its code, what is wrong, what to do."""
    return JSONResponse(public(error), status_of(error), headers=_NO_STORE)


def _add_standing(app: FastAPI, standing: Standing) -> None:
    unready: dict[int | str, dict[str, Any]] = {
        503: {"model": answers.Ready, "description": "It is behind the chain."},
        429: {"model": answers.Problem, "description": "Too many requests."},
    }
    busy: dict[int | str, dict[str, Any]] = {
        429: {"model": answers.Problem, "description": "Too many requests."},
        503: {"model": answers.Problem, "description": "The database cannot be read now."},
    }

    @app.get("/v1/status", response_model=answers.StatusAnswer, responses=busy)
    async def status() -> Response:
        """How far the index is, of what, and what keeps it."""
        told = await standing.status()
        return Response(told.model_dump_json(), media_type="application/json", headers=_NO_STORE)

    @app.get("/health", response_model=answers.Health, responses={429: busy[429]})
    async def health() -> Response:
        """Whether the process lives."""
        return JSONResponse({"status": "ok"}, headers=_NO_STORE)

    @app.get("/ready", response_model=answers.Ready, responses=unready)
    async def ready() -> Response:
        """Whether the index is up with the chain."""
        told = standing.ready()
        return JSONResponse(told.model_dump(), 200 if told.ready else 503, headers=_NO_STORE)


async def _refuse(_request: Request, error: Exception) -> Response:
    if not isinstance(error, GatelessError):  # the type that handlers must take is wider
        raise error
    return answer_of(error)


async def _refuse_parameters(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return answer_of(
        InputError(
            "invalid-parameter",
            f"{where[:80]}: {first['msg']}",
            hint="/openapi.json says what each parameter takes",
        )
    )


async def _refuse_path(_request: Request, error: Exception) -> Response:
    """Paths and methods that there are not."""
    if not isinstance(error, HTTPException):
        raise error
    told: GatelessError
    if error.status_code == 405:
        told = InputError("method-not-allowed", "this can only be read", hint="use GET")
    else:
        told = NotFoundError("unknown-path", "there is nothing here", hint="see /openapi.json")
    return JSONResponse(told.to_dict(), error.status_code, headers={**(error.headers or {})})


def _describe(app: FastAPI) -> None:
    """Takes out of the OpenAPI document what FastAPI adds for errors that look otherwise here."""
    made = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            for path in document["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
            for name in ("HTTPValidationError", "ValidationError"):
                document["components"]["schemas"].pop(name, None)
        return app.openapi_schema or {}

    app.openapi = described  # type: ignore[method-assign]
