"""Attacks from inside real worker processes, with every way of keeping them in that this machine
permits, and the same attacks without: there they must succeed, or else they would show nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gateless.core.errors import SandboxError
from gateless_proofs.isolation import EVERYTHING, NOTHING, Files, Isolation, Network, View, Ways
from gateless_proofs.probing import probe, require_sandbox
from gateless_proofs.process import WorkerProcess
from gateless_proofs.sandbox import Limits, exchange, run_worker

LIMITS = Limits(memory_bytes=1 << 30, seconds=60, threads=1)

#: names and ways; a way that the machine does not permit is left out, and the test says so
CONFINED = {
    "all": EVERYTHING,
    "filter-and-landlock": Ways(namespaces=False),
    "namespaces-and-landlock": Ways(seccomp=False),
    "namespaces-and-mounts": Ways(seccomp=False, landlock=False),
    "filter-and-mounts": Ways(namespaces=False, landlock=False),
}


@dataclass(frozen=True)
class Attacker:
    """A worker process that does as it is told."""

    process: WorkerProcess

    async def tries(self, attack: str, target: Any = None) -> Any:
        """What came of it, or the name of the error that kept it from coming."""
        answer = await self.answer(attack, target)
        return answer.get("did", answer.get("refused"))

    async def answer(self, attack: str, target: Any, limits: Limits = LIMITS) -> dict[str, Any]:
        view = View(read=(self.folder / "bundle",), write=(self.folder / "out",))
        request = {"attack": attack, "target": target}
        answer = await exchange(self.process, "attack", request, limits=limits, view=view)
        assert answer.error is None or answer.error["code"] == "memory-limit", answer.error
        return answer.result or {"refused": "MemoryError"}

    folder: Path


@asynccontextmanager
async def attacker(ways: Ways, folder: Path) -> AsyncIterator[Attacker]:
    for name in ("bundle", "out"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "bundle" / "model.onnx").write_text("the model")
    process = await WorkerProcess.start(
        ceiling_bytes=LIMITS.memory_bytes, threads=1, preload=["attacking_worker"], ways=ways
    )
    try:
        yield Attacker(process, folder)
    finally:
        await process.kill()


@pytest.fixture(autouse=True)
def attacks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.fixture(params=CONFINED)
async def confined(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Attacker]:
    ways = CONFINED[request.param]
    found = await probe(ways)
    if ways.namespaces and found.network is not Network.NAMESPACE:
        pytest.skip("network namespaces are not permitted here")
    if found.files is Files.NONE:
        pytest.skip("neither Landlock nor mounts are permitted here")
    async with attacker(ways, tmp_path) as made:
        yield made


@pytest.fixture
async def free(tmp_path: Path) -> AsyncIterator[Attacker]:
    """The same process without any of it."""
    async with attacker(NOTHING, tmp_path) as made:
        yield made


@pytest.fixture
async def server() -> AsyncIterator[tuple[str, int]]:
    """Somebody on this machine who tells a secret to whoever calls."""

    async def tell(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"a secret")
        writer.close()

    made = await asyncio.start_server(tell, "127.0.0.1", 0)
    yield made.sockets[0].getsockname()
    made.close()
    await made.wait_closed()


@pytest.fixture
async def unix_server(tmp_path: Path) -> AsyncIterator[str]:
    async def tell(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"a secret")
        writer.close()

    path = tmp_path / "socket"
    made = await asyncio.start_unix_server(tell, path)
    yield str(path)
    made.close()
    await made.wait_closed()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "keystore.json"
    path.write_text("a secret")
    return path


async def test_no_network(confined: Attacker, free: Attacker, server: tuple[str, int]) -> None:
    assert await free.tries("connect", server) == "a secret"
    assert await confined.tries("connect", server) in ("EPERM", "ENETUNREACH", "EACCES")


async def test_no_file_but_those_of_the_view(
    confined: Attacker, free: Attacker, secret: Path
) -> None:
    assert await free.tries("read", str(secret)) == "a secret"
    refusals = ("EACCES", "ENOENT", "EROFS")
    for attack in ("read", "write", "remove"):
        assert await confined.tries(attack, str(secret)) in refusals, attack
    assert await confined.tries("read", "/etc/passwd") in refusals
    # a view made of mounts has the folders above what it shows, with nothing else in them
    above = await confined.tries("list_folder", str(secret.parent))
    assert above in (*refusals, ["bundle", "out"])
    assert await free.tries("list_folder", str(secret.parent)) == ["bundle", secret.name, "out"]
    assert await free.tries("read", str(secret)) == "a secret"


async def test_the_bundle_can_be_read_and_not_changed(confined: Attacker, free: Attacker) -> None:
    model = confined.folder / "bundle" / "model.onnx"
    assert await confined.tries("read", str(model)) == "the model"
    for attack in ("write", "remove"):
        assert await confined.tries(attack, str(model)) in ("EACCES", "EROFS"), attack
    assert await confined.tries("write", str(model.with_name("new"))) in ("EACCES", "EROFS")
    assert model.read_text() == "the model"
    assert await confined.tries("write", str(confined.folder / "out" / "made")) == "written"
    assert await confined.tries("write", "in-its-own-home") == "written"
    # without isolation
    assert await free.tries("write", str(model)) == "written"


async def test_no_secrets_in_the_environment(
    confined: Attacker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "GATELESS_PASSWORD" not in await confined.tries("own_environment")
    monkeypatch.setenv("GATELESS_PASSWORD", "hunter2")
    async with attacker(EVERYTHING, confined.folder) as later:
        assert "hunter2" not in str(await later.tries("own_environment"))


async def test_no_open_file_of_the_parent(confined: Attacker, secret: Path) -> None:
    with secret.open() as opened:
        os.set_inheritable(opened.fileno(), True)
        async with attacker(EVERYTHING, confined.folder) as later:
            numbers = await later.tries("files")
    # the three pipes and the answers' channel, then the two files of /proc on itself
    assert len(numbers) <= 6, numbers


@pytest.fixture
async def bystander() -> AsyncIterator[int]:
    """A process of the same user that is none of the worker's business."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "import time; time.sleep(600)"), env={"SECRET": "a secret"}
    )
    yield process.pid
    with contextlib.suppress(ProcessLookupError):  # a signal that was sent ended it
        process.kill()
    await process.wait()


FILTERED = ("all", "filter-and-landlock", "filter-and-mounts")


@pytest.mark.parametrize("confined", FILTERED, indirect=True)
async def test_no_other_process_and_no_program(
    confined: Attacker, free: Attacker, bystander: int
) -> None:
    for attack, done in (
        ("environment", "SECRET=a secret\0"),
        ("memory_of", 0),
        ("limits_of", "set"),
        ("program", "ran\n"),
        ("fork", "forked"),
    ):
        assert await free.tries(attack, bystander) == done, attack
        assert await confined.tries(attack, bystander) in ("EPERM", "EACCES", "ENOENT"), attack
    for attack in ("stop", "trace", "namespace"):
        assert await confined.tries(attack, bystander) == "EPERM", attack
    assert await free.tries("stop", bystander) == "sent"
    # what ezkl and onnxruntime need goes on to work
    assert await confined.tries("thread") == "ran"


@pytest.mark.parametrize("confined", FILTERED, indirect=True)
async def test_no_other_way_to_talk(confined: Attacker, free: Attacker, unix_server: str) -> None:
    assert await free.tries("unix_socket", unix_server) == "a secret"
    assert await confined.tries("unix_socket", unix_server) == "EPERM"
    for attack in ("io_uring", "queue"):
        assert await confined.tries(attack) == "EPERM", attack


@pytest.mark.parametrize("confined", ["namespaces-and-landlock"], indirect=True)
async def test_landlock_alone_keeps_signals_in(confined: Attacker, bystander: int) -> None:
    assert await confined.tries("stop", bystander) == "EPERM"
    assert await confined.tries("environment", bystander) == "EACCES"
    assert await confined.tries("trace", bystander) == "EPERM"


async def test_limits_hold_inside(confined: Attacker) -> None:
    assert await confined.tries("memory", 2 << 30) == "MemoryError"


async def test_no_file_larger_than_the_memory(tmp_path: Path) -> None:
    async with attacker(EVERYTHING, tmp_path) as made:
        assert await made.tries("big_file", 2 << 30) == "EFBIG"


async def test_processor_time_ends(tmp_path: Path) -> None:
    async with attacker(EVERYTHING, tmp_path) as made:
        view = View(read=(tmp_path,))
        request = {"attack": "spin", "target": None}
        # no wall clock in this: the kernel itself ends it
        answer = made.process.do(
            "attack", request, memory_bytes=LIMITS.memory_bytes, cpu_seconds=0.1, view=view
        )
        with pytest.raises(Exception, match=f"status -{int(signal.SIGXCPU)}"):
            await asyncio.wait_for(answer, 60)


async def test_the_probe_believes_what_it_tried() -> None:
    assert await probe(NOTHING) == Isolation()
    everything = await probe()
    filtered = await probe(Ways(namespaces=False, landlock=False, mounts=False))
    if filtered.network is not Network.NONE:
        assert filtered == Isolation(Network.SECCOMP, Files.NONE, True)
    if everything.network is Network.NAMESPACE:
        alone = await probe(Ways(seccomp=False, landlock=False, mounts=False))
        assert alone == Isolation(Network.NAMESPACE, Files.NONE, False)


def test_without_network_isolation_models_are_refused() -> None:
    with pytest.raises(SandboxError) as caught:
        require_sandbox(Isolation(Network.NONE, Files.LANDLOCK, False))
    assert caught.value.code == "sandbox-unavailable"
    assert "--allow-unsandboxed" in caught.value.hint
    require_sandbox(Isolation(Network.SECCOMP))
    require_sandbox(Isolation(Network.NAMESPACE))


async def test_a_worker_with_threads_takes_no_job(tmp_path: Path) -> None:
    # a thread that runs already is not confined by Landlock: onnxruntime starts one when imported
    process = await WorkerProcess.start(
        ceiling_bytes=LIMITS.memory_bytes, threads=1, preload=["onnxruntime"]
    )
    try:
        answer = await exchange(process, "probe", {"canary": "x"}, limits=LIMITS, view=View())
    finally:
        await process.kill()
    assert answer.error is not None
    assert answer.error["code"] == "sandbox-unavailable"
    assert answer.spent


@pytest.fixture
def umask() -> Iterator[None]:
    old = os.umask(0o077)
    yield
    os.umask(old)


async def test_every_model_run_is_confined(tmp_path: Path, umask: None) -> None:
    """An operation sees the file that its request names, not the one beside it."""
    (tmp_path / "seen").write_text("no model")
    with pytest.raises(Exception, match="not an ONNX model"):
        await run_worker("inspect", {"model": str(tmp_path / "seen")}, limits=LIMITS)
    link = tmp_path / "link"
    link.symlink_to("/etc/passwd")
    process = await WorkerProcess.start(ceiling_bytes=LIMITS.memory_bytes, threads=1)
    try:
        request = {"model": str(link)}
        answer = await exchange(
            process, "inspect", request, limits=LIMITS, view=View(read=(tmp_path,))
        )
    finally:
        await process.kill()
    assert answer.error is not None
    assert "PermissionError" in answer.error["message"] or "FileNotFound" in answer.error["message"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be root without capabilities")
async def test_root_without_capabilities_is_kept_in_as_far_as_the_system_permits() -> None:
    """As in a container that drops them all: there a mount can be made, but no file in it."""
    script = (
        "import asyncio; from gateless_proofs.isolation import Ways;"
        "from gateless_proofs.probing import probe;"
        "print(asyncio.run(probe(Ways(landlock=False))).network)"
    )
    dropped = ("setpriv", "--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all")
    process = await asyncio.create_subprocess_exec(
        *dropped, sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    assert said.decode().strip() in ("namespace", "seccomp")
