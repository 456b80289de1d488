"""An honest executor keeps its stake: whatever refuses its proofs, and whatever becomes of files.

An endpoint says that the verifier rejects a proof that holds; a proof rots in the journal; files of
a version rot while it is served. Nothing of that says anything about what was claimed.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import web
from eth_utils.crypto import keccak
from executor_fixtures import Running, config_of, running
from faulty_rpc import Call, Fault, Node, faulty_rpc
from gateless.core.lazy import LazyState
from gateless.devnet import Devnet
from gateless.executor.journal_lazy import subject_of
from lazy_serving import LAZY
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from promising import promising
from quorum_fixtures import mining
from seated import seated
from tried import PATIENCE_SECONDS, Tried, on_trial, rows

REJECTED = "0x" + keccak(text="ZkVerifier_ProofRejected()")[:4].hex()
#: Calldata of a proof of the tiny model, and of nothing else that is asked here.
_PROOF_CHARACTERS = 4000


@dataclass
class Rejects(Fault):
    """The verifier's refusal, for calls that carry a proof: as of a node that caps their gas."""

    def strikes(self, call: Call) -> bool:
        if call["method"] not in ("eth_call", "eth_estimateGas"):
            return False
        sent = call["params"][0]
        if len(sent.get("data", sent.get("input", ""))) < _PROOF_CHARACTERS:
            return False
        return super().strikes(call)

    async def answer(self, request: web.Request, call: Call, node: Node) -> web.StreamResponse:
        error = {"code": 3, "message": "execution reverted", "data": REJECTED}
        return web.json_response({"jsonrpc": "2.0", "id": call["id"], "error": error})


@pytest.fixture
async def tried(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> Tried:
    found = await on_trial(isolated_devnet, make_served, make_account, "honest")
    found.config = replace(found.config, lazy=LAZY)
    return found


@asynccontextmanager
async def answered_lazily(tried: Tried, devnet: Devnet) -> AsyncIterator[tuple[Running, int]]:
    """The executor, which has answered a lazy request that nobody has doubted yet."""
    async with running(devnet, tried.ask.served.executor, tried.config) as run:
        request_id = await tried.asks_lazily()
        await tried.ask.reaches(request_id, LazyState.ANSWERED)
        yield run, request_id


# --- refusals ---


@pytest.mark.parametrize("times", [1, 2, 7])
async def test_the_verifier_refuses_the_proof_of_a_doubted_answer(
    tried: Tried, make_account: MakeAccount, times: int
) -> None:
    async with (
        faulty_rpc(tried.devnet.deployment.rpc_url) as proxy,
        answered_lazily(tried, tried.reached_by(proxy.url)) as (run, request_id),
    ):
        fault = Rejects(times=times)
        proxy.faults.append(fault)
        await tried.ask.doubt(await make_account(), request_id)
        await tried.at_rest(run.journal)
        assert fault.times == 0
        await run.has_problems()
    await tried.judged()


@pytest.mark.parametrize("times", [1, 2, 7])
async def test_the_verifier_refuses_the_proof_of_a_challenged_receipt(
    tried: Tried, make_account: MakeAccount, times: int
) -> None:
    up, doubter = await promising(tried), await make_account()
    executor = tried.ask.served.executor
    async with (
        faulty_rpc(tried.devnet.deployment.rpc_url) as proxy,
        running(tried.reached_by(proxy.url), executor, tried.config, receipt_key=up.key) as run,
    ):
        signed = await up.signs()
        fault = Rejects(times=times)
        proxy.faults.append(fault)
        await up.is_doubted(signed, doubter)
        await tried.at_rest(run.journal)
        assert fault.times == 0
        await run.has_problems()
    await tried.judged()


async def test_the_first_of_two_endpoints_always_refuses(
    tried: Tried, make_account: MakeAccount
) -> None:
    real = tried.devnet.deployment.rpc_url
    async with (
        faulty_rpc(real) as proxy,
        answered_lazily(tried, tried.reached_by(proxy.url, real)) as (run, request_id),
    ):
        proxy.faults.append(Rejects())
        await tried.ask.doubt(await make_account(), request_id)
        await tried.at_rest(run.journal)
        assert proxy.struck > 0
    await tried.judged()


async def test_a_proof_rots_in_the_journal(tried: Tried, make_account: MakeAccount) -> None:
    """Whoever refuses it is right: it is made anew."""
    rotten = bytes(tried.ask.served.bundle.circuit().proof_length)
    async with answered_lazily(tried, tried.devnet) as (run, request_id):
        subject = subject_of(await tried.ask.claim_of(request_id))
        packed_output = (await run.journal.lazy(request_id)).packed_output
        assert packed_output is not None
        await run.journal.expect_proof(subject, tried.ask.packed)
        await run.journal.keep_proof(subject, packed_output, 0, rotten)
        await tried.ask.doubt(await make_account(), request_id)
        await tried.at_rest(run.journal)
        assert (await run.journal.kept_proof(subject)).proof not in (None, rotten)
    await tried.judged()


# --- files ---


def _flipped(whole: bytes) -> bytes:
    middle = len(whole) // 2
    return whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :]


DAMAGE: dict[str, Callable[[Path], object]] = {
    "flipped": lambda path: path.write_bytes(_flipped(path.read_bytes())),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "emptied": lambda path: path.write_bytes(b""),
    "missing": lambda path: path.unlink(),
}
CIRCUIT, MODEL = "circuit.compiled", "model.onnx"


def damage(folder: Path, name: str, how: str) -> None:
    """Damages a file of all bundles in a folder."""
    paths = list(folder.rglob(name))
    assert paths, f"no {name} in {folder}"
    for path in paths:
        path.chmod(0o600)
        DAMAGE[how](path)


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("name", [CIRCUIT, MODEL])
async def test_a_file_rots_before_a_direct_request(tried: Tried, name: str, how: str) -> None:
    async with running(tried.devnet, tried.ask.served.executor, tried.config) as run:
        await tried.asks()
        await tried.at_rest(run.journal)
        damage(tried.config.bundles_dir, name, how)
        await tried.asks(rows(1)[0])
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("name", [CIRCUIT, MODEL])
async def test_a_file_rots_before_an_answer_is_doubted(
    tried: Tried, make_account: MakeAccount, name: str, how: str
) -> None:
    async with answered_lazily(tried, tried.devnet) as (run, request_id):
        damage(tried.config.bundles_dir, name, how)
        await tried.ask.doubt(await make_account(), request_id)
        await tried.at_rest(run.journal)
        # What it answers from now on is right as well.
        again = await tried.asks_lazily()
        await tried.ask.reaches(again, LazyState.ANSWERED)
        await tried.window_passes(again)
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("how", DAMAGE)
async def test_a_file_rots_before_a_receipt_is_challenged(
    tried: Tried, make_account: MakeAccount, how: str
) -> None:
    up, doubter = await promising(tried), await make_account()
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config, receipt_key=up.key) as run:
        signed = await up.signs()
        damage(tried.config.bundles_dir, CIRCUIT, how)
        await up.is_doubted(signed, doubter)
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("where", ["own-store", "bundle"])
async def test_nobody_has_the_file_for_a_while(
    tried: Tried, make_account: MakeAccount, where: str
) -> None:
    """The own store is damaged too: an operator sees it, and puts the file back in time."""
    bundle = tried.ask.served.bundle
    digest = bundle.circuit().compiled_circuit
    kept = tried.ask.served.executor.client.services.store.path_of(digest)
    async with answered_lazily(tried, tried.devnet) as (run, request_id):
        used = next(tried.config.bundles_dir.rglob(CIRCUIT))
        for path in (kept, used):
            path.chmod(0o600)
            path.write_bytes(b"")
        await tried.ask.doubt(await make_account(), request_id)
        (problem,) = await run.shows_problem("content-tampered")
        assert problem.request_id == request_id
        shutil.copy(bundle.compiled(), kept if where == "own-store" else used)
        await tried.at_rest(run.journal)
        await run.has_problems()
    await tried.judged()


@pytest.mark.xdist_group("quorums")
@pytest.mark.parametrize("how", DAMAGE)
async def test_the_model_of_a_quorums_member_rots(
    isolated_devnet: Devnet, make_account: MakeAccount, tmp_path: Path, how: str
) -> None:
    """It agrees with the others: nobody is outvoted."""
    three = await seated(isolated_devnet, make_account, tmp_path, "quorum-rots", 3)
    stage = three.stage

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(mining(three.devnet))
        for account in stage.executors:
            config = config_of(account, quorum=stage.config)
            await stack.enter_async_context(running(three.devnet, account, config))
        await eventually("all can be drawn", stage.are_awake, PATIENCE_SECONDS)
        damage(three.config.bundles_dir, MODEL, how)
        await three.asks()
        answer = await stage.user.client.wait_quorum(three.asked, patience=PATIENCE_SECONDS)
        assert answer.agreed == 3
        await three.settled()
    await three.judged()
