"""What is the operator's alone: at the program's port, or at one of its own and nowhere else."""

from __future__ import annotations

import contextlib
import socket

import httpx
import pytest
from fastapi import FastAPI
from gateless.cli.serving import server_config
from gateless.core.errors import ConfigError, InputError
from gateless.daemon.serving import OPERATORS, WITH_STATUS, ServerConfig, base_url, serve_parted

PATHS = ("/metrics", "/ready", "/v1/status", "/health", "/v1/search")


@pytest.fixture
def app() -> FastAPI:
    made = FastAPI(openapi_url=None)
    for path in PATHS:
        made.add_api_route(path, lambda: "here")
    return made


async def found_at(url: str) -> set[str]:
    async with httpx.AsyncClient(base_url=url) as client:
        statuses = {path: (await client.get(path)).status_code for path in PATHS}
    assert set(statuses.values()) <= {200, 404}
    return {path for path, status in statuses.items() if status == 200}


async def test_without_a_port_of_its_own_all_is_in_one_place(app: FastAPI) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with serve_parted(app, listening, ServerConfig()) as operators:
            assert operators == base_url(listening)
            assert await found_at(operators) == set(PATHS)


@pytest.mark.parametrize("theirs", [OPERATORS, WITH_STATUS])
async def test_with_one_nobody_else_sees_it(app: FastAPI, theirs: frozenset[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = ServerConfig(metrics_port=0)
        async with serve_parted(app, listening, config, theirs) as operators:
            assert await found_at(operators) == {*theirs, "/health"}
            assert await found_at(base_url(listening)) == {*PATHS} - theirs


async def test_who_serves_nobody_may_be_watched(app: FastAPI) -> None:
    async with serve_parted(app, None, ServerConfig(metrics_port=0)) as operators:
        assert await found_at(operators) == {"/metrics", "/ready", "/health"}
    async with serve_parted(app, None, ServerConfig()) as operators:
        assert operators == ""


async def test_a_taken_port_is_said(app: FastAPI) -> None:
    async with contextlib.AsyncExitStack() as stack:
        taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        config = ServerConfig(metrics_port=taken.getsockname()[1])
        with pytest.raises(ConfigError) as caught:
            await stack.enter_async_context(serve_parted(app, None, config))
    assert caught.value.code == "port-taken"


def test_a_proxy_is_named_by_its_address() -> None:
    assert server_config(None, "127.0.0.1", ["127.0.0.1", "::1"]).limits.trusted_proxies == (
        "127.0.0.1",
        "::1",
    )
    with pytest.raises(InputError) as caught:
        server_config(None, "127.0.0.1", ["*"])
    assert caught.value.code == "invalid-proxy"
