"""The executor's end of its driver: a process that joins the cluster and is started again.

The driver gets no secrets: its environment is what Ray needs and nothing else. What it says is
JSON, and is read as data from a stranger.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from itertools import count
from typing import Any

from gateless.core.errors import ConfigError, SandboxError

from gateless_proofs.cluster.wire import MAX_LINE, Options, Order, error_of, line_of, order_message
from gateless_proofs.process import Progress

_PASSED_ON = ("PATH", "PYTHONPATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
_STDERR_TAIL = 4096
#: joining takes Ray some seconds, and looks at every node
_JOIN_SECONDS = 90.0

#: told of nodes that join, leave or are refused, as :mod:`gateless_proofs.cluster.nodes` says it
Heard = Callable[[dict[str, Any]], None]


class JobLost(Exception):
    """The node, or the driver, that did a job is gone."""


class Link:
    """A driver process and the orders it has. Made by :meth:`start`, ended by :meth:`close`."""

    def __init__(self, process: asyncio.subprocess.Process, heard: Heard) -> None:
        self._process = process
        self._heard = heard
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._progress: dict[int, Progress] = {}
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ready.add_done_callback(_seen)
        self._tail = bytearray()
        self._readers = [
            asyncio.ensure_future(self._read_events()),
            asyncio.ensure_future(self._keep_tail()),
        ]

    @classmethod
    async def start(cls, options: Options, heard: Heard) -> Link:
        """Starts a driver; returns when it has looked at every node there is.

        Raises:
            ConfigError: ``cluster-not-installed``, ``cluster-unreachable``.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "gateless_proofs.cluster.driver"),
            json.dumps(asdict(options)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
            limit=MAX_LINE,
        )
        link = cls(process, heard)
        try:
            async with asyncio.timeout(_JOIN_SECONDS):
                await asyncio.shield(link._ready)
        except TimeoutError as error:
            await link.close()
            raise _unreachable(options, f"no answer in {_JOIN_SECONDS:g} seconds") from error
        except BaseException:
            await link.close()
            raise
        return link

    @property
    def pid(self) -> int:
        """The driver process."""
        return self._process.pid

    @property
    def last_words(self) -> str:
        """End of what the driver, and Ray in it, wrote to stderr."""
        return bytes(self._tail).decode("utf-8", "replace").strip()

    async def ended(self) -> None:
        """Waits until the driver has ended."""
        await asyncio.wait(self._readers[:1])

    async def run(self, order: dict[str, Any], progress: Progress | None) -> dict[str, Any]:
        """Has a node do a job; returns its result. Cancelling it stops the job there.

        Args:
            order: fields of :class:`Order` but its number.
            progress: told how far it is.

        Raises:
            JobLost: nobody will ever answer.
            GatelessError: what the node says went wrong.
        """
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        if progress is not None:
            self._progress[number] = progress
        try:
            await self._send(order_message(Order(job=number, **order)))
            said = await answer
        except asyncio.CancelledError:
            with suppress(JobLost):
                await self._send({"do": "cancel", "job": number})
            raise
        finally:
            self._waiting.pop(number, None)
            self._progress.pop(number, None)
        try:
            if "error" in said:
                raise error_of(said["error"])
            return dict(said["result"])
        except (KeyError, TypeError, ValueError) as error:
            raise JobLost("its answer has no sense") from error

    async def drop(self, node: str, reason: str) -> None:
        """Uses a node no more for a while."""
        with suppress(JobLost):
            await self._send({"do": "drop", "node": node, "reason": reason})

    async def close(self) -> None:
        """Ends the driver, which ends its agents."""
        stdin = self._process.stdin
        if stdin is not None:
            stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), 10)
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await asyncio.gather(*self._readers, return_exceptions=True)
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()

    async def _send(self, message: dict[str, Any]) -> None:
        stdin = self._process.stdin
        if stdin is None or self._readers[0].done():
            raise JobLost("the driver has ended")
        try:
            stdin.write(line_of(message))
            await stdin.drain()
        except ConnectionError as error:
            raise JobLost("the driver has ended") from error

    async def _read_events(self) -> None:
        stdout = self._process.stdout
        try:
            while stdout is not None and (line := await stdout.readline()):
                self._take(json.loads(line))
        except (ValueError, KeyError, TypeError):
            # No line of ours: whatever speaks there is not the driver any more.
            with suppress(ProcessLookupError):
                self._process.kill()
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(JobLost("the driver has ended"))
            if not self._ready.done():
                await asyncio.wait_for(asyncio.shield(self._readers[1]), 5)
                self._ready.set_exception(
                    ConfigError(
                        "cluster-unreachable",
                        f"the driver ended: {self.last_words[-500:]}",
                        hint="see that the cluster runs (ray status)",
                    )
                )

    def _take(self, message: dict[str, Any]) -> None:
        match message["event"]:
            case "ready":
                if not self._ready.done():
                    self._ready.set_result(None)
            case "failed":
                self._ready.set_exception(error_of(message["error"]))
            case "progress":
                told = self._progress.get(message["job"])
                if told is not None:
                    stage, fraction = message["progress"]
                    told(str(stage), float(fraction))
            case "done":
                self._end(message["job"], dict(message["said"]))
            case "lost":
                self._end(message["job"], JobLost(str(message["reason"])))
            case _:
                self._heard(message)

    def _end(self, job: int, how: dict[str, Any] | JobLost) -> None:
        answer = self._waiting.get(job)
        if answer is None or answer.done():
            return
        if isinstance(how, JobLost):
            answer.set_exception(how)
        else:
            answer.set_result(how)

    async def _keep_tail(self) -> None:
        stderr = self._process.stderr
        while stderr is not None and (chunk := await stderr.read(65536)):
            self._tail += chunk
            del self._tail[:-_STDERR_TAIL]


def _seen(ready: asyncio.Future[None]) -> None:
    """Keeps asyncio from complaining where nobody waits any more for a driver to start."""
    if not ready.cancelled():
        ready.exception()


def closed() -> SandboxError:
    """What is said of work that comes after the end."""
    return SandboxError("pool-closed", "the connection to the cluster has been closed")


def _unreachable(options: Options, why: str) -> ConfigError:
    return ConfigError(
        "cluster-unreachable",
        f"cannot join the cluster at {options.address}: {why}",
        hint="see that its head runs (ray status) with the versions of Ray and Python here",
    )


def _environment() -> dict[str, str]:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # How a cluster is reached, its certificates included, is told to Ray in variables of its own.
    environment |= {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
    # Nobody outside is told that this executor exists.
    return {"RAY_USAGE_STATS_ENABLED": "0", **environment}
