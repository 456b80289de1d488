"""``python -m gateless_proofs.cluster.driver``: joins a cluster and does what an executor orders.

A process of its own, so that the executor's memory, keys and event loop have nothing to do with
Ray. It gets orders on stdin, tells events on stdout, one JSON object a line
(:mod:`gateless_proofs.cluster.wire`), and ends with its parent or with stdin. Ray prints as it
pleases: file descriptor 1 points to stderr.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from gateless.core.errors import ConfigError, GatelessError

from gateless_proofs.cluster.wire import MAX_LINE, Options, line_of, order_of
from gateless_proofs.worker import die_with_parent

_LISTENER_SECONDS = 10.0


def main() -> None:
    """Serves one executor until stdin ends."""
    channel = os.dup(1)
    os.dup2(2, 1)
    die_with_parent()

    def tell(message: dict[str, Any]) -> None:
        _write(channel, line_of(message))

    options = Options(**json.loads(sys.argv[1]))
    try:
        _connect(options)
    except GatelessError as error:
        tell({"event": "failed", "error": error.to_dict()})
        return
    try:
        asyncio.run(_serve(options, tell))
    finally:
        _leave()


def _leave() -> None:
    """Ends the agents and this process, without what Ray does at interpreter exit."""
    import ray

    ray.shutdown()
    os._exit(0)


def _connect(options: Options) -> None:
    try:
        import ray
    except ImportError as error:
        raise ConfigError(
            "cluster-not-installed",
            f"a cluster needs Ray, which is not installed: {error}",
            hint='pip install "gateless[cluster]"',
        ) from error
    try:
        _require_listener(options.address)
        ray.init(options.address, log_to_driver=False, configure_logging=False)
    except Exception as error:  # whatever Ray raises here: there is no cluster to work with
        raise ConfigError(
            "cluster-unreachable",
            f"cannot join the cluster at {options.address}: {error}",
            hint="see that its head runs (ray status) with the versions of Ray and Python here",
        ) from error


def _require_listener(address: str) -> None:
    """Ray itself asks an address where nobody listens for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _LISTENER_SECONDS).close()


async def _serve(options: Options, tell: Callable[[dict[str, Any]], None]) -> None:
    from gateless_proofs.cluster.nodes import NodeLost, Nodes

    nodes = Nodes(options, tell)
    jobs: dict[int, asyncio.Task[None]] = {}

    async def work(message: dict[str, Any]) -> None:
        order = order_of(message)
        try:
            tell({"event": "done", "job": order.job, "said": await nodes.run(order)})
        except NodeLost as lost:
            tell({"event": "lost", "job": order.job, "reason": str(lost)})
        except OSError as error:  # a file of the job cannot be read here
            tell({"event": "lost", "job": order.job, "reason": str(error)})
        finally:
            del jobs[order.job]

    def take(message: dict[str, Any]) -> None:
        match message["do"]:
            case "run":
                jobs[message["job"]] = asyncio.ensure_future(work(message))
            case "cancel":
                if message["job"] in jobs:
                    jobs[message["job"]].cancel()
            case "drop":
                nodes.drop(message["node"], message["reason"])

    await nodes.look()
    tell({"event": "ready"})
    tending = asyncio.ensure_future(nodes.tend())
    reading = asyncio.ensure_future(_read_orders(take))
    await asyncio.wait({tending, reading}, return_when=asyncio.FIRST_COMPLETED)
    if tending.done():
        tending.result()  # the cluster is gone: its error is the last that is said


async def _read_orders(take: Callable[[dict[str, Any]], None]) -> None:
    reader = asyncio.StreamReader(limit=MAX_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        take(json.loads(line))


def _write(channel: int, data: bytes) -> None:
    while data:
        data = data[os.write(channel, data) :]


if __name__ == "__main__":
    main()
