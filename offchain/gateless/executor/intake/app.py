"""The executor's HTTP application: content, status, inputs, signed requests, direct calls."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from gateless.adapters.clock import Clock
from gateless.adapters.storage import LocalStore, content_hint, create_app
from gateless.core.errors import GatelessError, InputError
from gateless.daemon.limits import Limited, Rates
from gateless.daemon.operating import add_operating
from gateless.daemon.request_ids import HEADER, RequestIds, named
from gateless.daemon.statuses import public, status_of
from gateless.executor.config import IntakeConfig
from gateless.executor.executor import Executor
from gateless.executor.intake.inputs import HeldInput, ServedStore
from gateless.executor.intake.tensors import InferRequest

#: What is answered while nothing new is taken on, such as before a shutdown.
_CLOSED = frozenset({"offers-closed", "receipts-closed", "busy", "intake-full", "proof-put-off"})
_CLOSED_SECONDS = "30"
_DIGEST = re.compile(r"0x[0-9a-fA-F]{64}")


def intake_app(
    store: LocalStore, executor: Executor, config: IntakeConfig, clock: Clock
) -> FastAPI:
    """Everything that an executor serves, on one port.

    Args:
        store: its files.
        executor: does the work.
        config: how much of it.
        clock: for rates.
    """
    app = create_app(ServedStore(store, executor.intake.inputs.store))
    app.add_exception_handler(GatelessError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_body)
    _add_inputs(app, executor)
    _add_requests(app, executor)
    _add_calls(app, executor)
    _add_views(app, executor)
    add_operating(app, executor, lambda: executor.halted)
    app.add_middleware(
        Limited,
        rates=Rates(clock, per_second=config.rate_per_second, burst=config.burst),
        max_body_bytes=config.max_body_bytes,
        own_limit=lambda path: path.startswith("/v1/inputs"),
        answer=answer_of,
    )
    # Pages of anybody may ask: nothing here goes by cookies.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST", "PUT"],
        allow_headers=["content-type", HEADER],
        expose_headers=["retry-after", "etag", "x-content-cid", HEADER],
    )
    app.add_middleware(RequestIds)
    return app


def answer_of(error: GatelessError) -> JSONResponse:
    """An error as it is answered: its code, what is wrong, what to do."""
    return JSONResponse(named(public(error)), status_of(error), headers=_later(error))


def _later(error: GatelessError) -> dict[str, str]:
    """When to come back, where nothing new is taken now."""
    return {"Retry-After": _CLOSED_SECONDS} if error.code in _CLOSED else {}


async def _refuse(_request: Request, error: Exception) -> Response:
    if not isinstance(error, GatelessError):  # the type that handlers must take is wider
        raise error
    return answer_of(error)


async def _refuse_body(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return answer_of(_invalid_body(where, str(first["msg"])))


def _add_inputs(app: FastAPI, executor: Executor) -> None:
    @app.post("/v1/inputs", status_code=201)
    async def hand_in(request: Request) -> dict[str, Any]:
        """Keeps a packed input; the answer says by which digests it goes."""
        held = await executor.intake.inputs.take(request.stream())
        return await _held(executor, held)

    @app.put("/v1/inputs/{digest}", status_code=201)
    async def hand_in_named(digest: str, request: Request) -> dict[str, Any]:
        """Keeps a packed input under the keccak256 that requests name it by."""
        if _DIGEST.fullmatch(digest) is None:
            raise InputError(
                "invalid-digest",
                f"{digest[:80]!r} is no keccak256",
                hint="give 0x and 64 hex digits, as requests name inputs",
            )
        expected = bytes.fromhex(digest[2:])
        held = await executor.intake.inputs.take(request.stream(), expected)
        return await _held(executor, held)


def _add_requests(app: FastAPI, executor: Executor) -> None:
    @app.post("/v1/requests", status_code=202)
    async def sign_up(request: Request) -> dict[str, Any]:
        """Takes a signed request in."""
        return await executor.intake.accept(await request.body())

    @app.get("/v1/requests/{request_id}")
    async def progress(request_id: str) -> dict[str, Any]:
        """How far a request is, by its id in hex."""
        if _DIGEST.fullmatch(request_id) is None:
            raise InputError(
                "invalid-digest",
                f"{request_id[:80]!r} is no id of a signed request",
                hint="give 0x and 64 hex digits",
            )
        return await executor.intake.progress(int(request_id, 16))


def _add_calls(app: FastAPI, executor: Executor) -> None:
    """Paths and words of the Open Inference Protocol, version 2."""

    @app.get("/v2")
    async def server() -> dict[str, Any]:
        return {"name": "gateless", "version": "1", "extensions": ["gateless_receipts"]}

    @app.get("/v2/health/live")
    async def live() -> dict[str, bool]:
        return {"live": True}

    @app.get("/v2/health/ready")
    async def ready() -> Response:
        found = executor.phase == "running"
        return JSONResponse({"ready": found}, 200 if found else 503)

    @app.get("/v2/models/{model}/versions/{version}")
    async def metadata(model: str, version: str) -> dict[str, Any]:
        return await executor.intake.metadata(model, version)

    @app.get("/v2/models/{model}/versions/{version}/ready")
    async def model_ready(model: str, version: str) -> Response:
        found = await executor.intake.is_ready(model, version)
        return JSONResponse({"name": model, "ready": found}, 200 if found else 503)

    @app.post("/v2/models/{model}/versions/{version}/infer")
    async def infer(model: str, version: str, request: Request) -> dict[str, Any]:
        return await executor.intake.infer(model, version, await _call(request))

    @app.post("/v2/models/{model}/infer")
    async def infer_latest(model: str, request: Request) -> dict[str, Any]:
        return await executor.intake.infer(model, "latest", await _call(request))


def _add_views(app: FastAPI, executor: Executor) -> None:
    @app.get("/v1/info")
    async def info() -> dict[str, Any]:
        """What is served, for how much, and what receipts are worth."""
        return await executor.intake.info()

    @app.get("/v1/status")
    async def status() -> dict[str, Any]:
        """What the executor does and what keeps it from doing more."""
        return (await executor.status()).to_dict()


async def _call(request: Request) -> InferRequest:
    """The body of a call; read here, so that mistakes in it have a code of their own."""
    try:
        return InferRequest.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _invalid_body(where, first["msg"]) from error


async def _held(executor: Executor, held: HeldInput) -> dict[str, Any]:
    endpoint = await executor.intake.endpoint()
    return {
        "digest": f"0x{held.digest.hex()}",
        "sha256": held.sha256,
        "size": held.size,
        "hint": content_hint(held.sha256, endpoint or None),
    }


def _invalid_body(where: str, why: str) -> InputError:
    return InputError(
        "invalid-body",
        f"{where}: {why}" if where else why,
        hint="docs/receipts.md shows a call",
    )
