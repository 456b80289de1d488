"""What clients hand over: files in a folder, and an HTTP address that takes the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import structlog
from eth_utils.crypto import keccak
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.clock import Clock
from gateless.core.claims import ReceiptFlaw
from gateless.core.errors import ConfigError, GatelessError, InputError, NotFoundError
from gateless.core.handovers import MAX_HANDOVER_BYTES, Handover, parse_handover
from gateless.core.receipts import SignedReceipt
from gateless.daemon.faults import is_chain_away
from gateless.daemon.limits import Limited, Rates
from gateless.daemon.request_ids import RequestIds, named
from gateless.daemon.statuses import public
from gateless.sdk.receipt_checks import check_flaw
from gateless.watchtower.cases import Case, CaseKind, CaseState
from gateless.watchtower.config import WatchtowerConfig
from gateless.watchtower.court import equivocation_case, receipt_case, receipts_of
from gateless.watchtower.journal import Journal
from gateless.watchtower.lazy import claim_of

log = structlog.get_logger(__name__)

#: Requests that one address may make, in the long run and at once.
_PER_SECOND, _BURST = 20.0, 60
_STATUS = {"body-too-large": 413, "rate-limited": 429, "inbox-full": 429, "body-too-slow": 408}
#: What another try may bring.
_LATER = frozenset({"inbox-closed", "inbox-full"})
#: Not worth a challenge any more, or not yet, but signed by a pool's key: of use as evidence.
_EVIDENCE = frozenset({ReceiptFlaw.EXPIRED, ReceiptFlaw.SLOT_SLASHED, ReceiptFlaw.NOT_YET_ISSUED})


class Inbox:
    """Takes receipts in.

    Args:
        client: the chain; its network has a court.
        journal: where they are kept.
        config: limits.
    """

    def __init__(self, client: ChainClient, journal: Journal, config: WatchtowerConfig) -> None:
        self._client = client
        self._journal = journal
        self._config = config
        self._seen: dict[Path, tuple[int, int]] = {}
        self._closed = False

    def close(self) -> None:
        """Takes nothing more in."""
        self._closed = True

    def require_open(self) -> None:
        """Refuses what comes while the watchtower stops.

        Raises:
            ConfigError: ``inbox-closed``.
        """
        if self._closed:
            raise ConfigError(
                "inbox-closed",
                "this watchtower is stopping",
                hint="hand it to another one, or again when it is back",
            )

    async def take(self, given: Handover) -> Case:
        """Takes a handover in; the same one again changes nothing.

        Raises:
            InputError: ``receipt-…``: the court would never take it; ``receipt-other-version``:
                this watchtower looks at other versions.
            GatelessError: ``inbox-full``.
        """
        signed = given.signed
        await self._check(signed)
        counts = await self._journal.counts()
        waiting = counts.get(CaseState.NEW, 0) + counts.get(CaseState.UNDECIDED, 0)
        if waiting >= self._config.max_waiting:
            raise GatelessError(
                "inbox-full",
                f"{waiting} cases wait for a judgement already",
                hint="try again later, or hand it to another watchtower",
            )
        if await self._journal.take(receipt_case(given)):
            log.info("receipt-taken", case=f"0x{signed.digest.hex()}")
        await self._look_for_equivocation(signed)
        return await self._journal.get(signed.digest)

    async def take_input(self, case: Case, packed_input: bytes) -> None:
        """Adds the input of a case that lacks it; it is judged anew.

        Raises:
            InputError: ``handover-mismatch``.
        """
        if case.kind is CaseKind.LAZY:
            digest = claim_of(case).input_digest
        elif case.kind is CaseKind.RECEIPT:
            digest = receipts_of(case)[0].receipt.packed_digest
        else:
            return
        if keccak(packed_input) != digest:
            raise InputError(
                "handover-mismatch",
                "the case is about another input",
                hint="give exactly the packed input that was sent to the executor",
            )
        await self._journal.give_input(case.case_id, packed_input)

    async def read_folder(self) -> int:
        """Takes in what is new in the folder; returns how many files were."""
        folder = self._config.inbox
        if folder is None:
            return 0
        taken = 0
        for path, data in await asyncio.to_thread(self._new_files, folder):
            try:
                await self.take(parse_handover(data))
                taken += 1
            except GatelessError as error:
                if is_chain_away(error) or error.code == "inbox-full":
                    self._seen.pop(path, None)  # looked at again
                    raise
                # Whatever else is wrong with a file is its own: the others are read all the same.
                log.warning("file-refused", file=str(path), code=error.code, message=error.message)
        return taken

    def _new_files(self, folder: Path) -> list[tuple[Path, bytes]]:
        """Files that were not read yet as they are now."""
        found = []
        for path in sorted(folder.glob("*.json")):
            try:
                stat = path.stat()
                mark = (stat.st_mtime_ns, stat.st_size)
                if self._seen.get(path) == mark:
                    continue
                with path.open("rb") as file:
                    found.append((path, file.read(MAX_HANDOVER_BYTES + 1)))
            except OSError as error:
                log.warning("file-unreadable", file=str(path), message=error.strerror)
                continue
            self._seen[path] = mark
        return found

    async def _check(self, signed: SignedReceipt) -> None:
        court = self._client.court.court
        if signed.court != court:
            raise InputError(
                "receipt-other-court",
                f"the receipt is for the court {signed.court.address}",
                hint=f"this watchtower watches {court.address}",
            )
        versions = self._config.versions
        if versions and signed.receipt.version_id not in versions:
            raise InputError(
                "receipt-other-version",
                "this watchtower looks at other versions",
                hint="hand it to another watchtower",
            )
        flaw = await self._client.court.flaw(signed)
        if flaw not in _EVIDENCE:
            check_flaw(flaw, signed.receipt)

    async def _look_for_equivocation(self, signed: SignedReceipt) -> None:
        """Two receipts for one slot forfeit the pool."""
        first = await self._journal.take_slot(signed, signed.digest)
        if first == signed.digest or not self._config.report_equivocations:
            return
        (other,) = receipts_of(await self._journal.get(first))
        receipt = signed.receipt
        pool = await self._client.court.pool(receipt.executor, receipt.epoch)
        case = equivocation_case(other, signed, pool.releasable_at)
        if await self._journal.take(case):
            log.info("equivocation-found", case=f"0x{case.case_id.hex()}", executor=case.executor)


def inbox_app(inbox: Inbox, journal: Journal, clock: Clock) -> FastAPI:
    """The HTTP side: ``/v1/handovers`` takes receipts, ``/v1/cases/{id}`` inputs and questions."""
    app = FastAPI(title="Gateless watchtower", version="1", docs_url=None, redoc_url=None)

    @app.exception_handler(GatelessError)
    async def refuse(request: Request, error: Exception) -> Response:
        if not isinstance(error, GatelessError):  # the type that the decorator asks for is wider
            raise error
        return _refusal(error)

    @app.post("/v1/handovers", response_class=JSONResponse)
    async def hand_over(request: Request) -> Response:
        """Takes a receipt with its input and output."""
        inbox.require_open()
        given = parse_handover(await request.body())
        return JSONResponse(case_data(await inbox.take(given)), 202)

    @app.put("/v1/cases/{name}/input", response_class=JSONResponse)
    async def hand_input(name: str, request: Request) -> Response:
        """Takes the packed input of a case that lacks it."""
        found = await _case(journal, name)
        await inbox.take_input(found, await request.body())
        return JSONResponse(case_data(await journal.get(found.case_id)), 202)

    @app.get("/v1/cases/{name}", response_class=JSONResponse)
    async def case(name: str) -> Response:
        """What became of a case."""
        return JSONResponse(case_data(await _case(journal, name)))

    app.add_middleware(
        Limited,
        rates=Rates(clock, per_second=_PER_SECOND, burst=_BURST),
        max_body_bytes=MAX_HANDOVER_BYTES,
        own_limit=lambda _path: False,
        answer=_refusal,
    )
    app.add_middleware(RequestIds)
    return app


def _refusal(error: GatelessError) -> JSONResponse:
    """An error as it is answered: its code, what is wrong, what to do."""
    if isinstance(error, InputError):
        status = _STATUS.get(error.code, 422)
    elif isinstance(error, NotFoundError):
        status = 404
    else:
        status = _STATUS.get(error.code, 503)
    later = {"Retry-After": "30"} if error.code in _LATER else None
    return JSONResponse(named(public(error)), status, headers=later)


async def _case(journal: Journal, name: str) -> Case:
    try:
        return await journal.get(bytes.fromhex(name.removeprefix("0x")))
    except (LookupError, ValueError) as error:
        raise NotFoundError(
            "unknown-case",
            "this watchtower has no such case",
            hint="name the receipt's digest or the lazy request's id: 0x and 64 hex digits",
        ) from error


def case_data(case: Case) -> dict[str, Any]:
    """A case for machines."""
    return {
        "case": case.name,
        "kind": case.kind.value,
        "state": case.state.value,
        "reason": case.reason,
        "text": case.text,
        "executor": case.executor,
        "version_id": case.version_id,
        "expires": case.expires,
        "claim_id": case.claim_id,
        "deadline": case.deadline,
        "bond": str(case.bond),
        "reward": str(case.reward),
        "lost": str(case.lost),
    }
