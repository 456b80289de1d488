"""Reads the lazy market's answers off the chain, each once, and finds their inputs."""

from __future__ import annotations

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.lazy import answered, requested
from gateless.adapters.chain.lazy_calls import LAZY_MARKET
from gateless.adapters.storage import parse_hint
from gateless.core.errors import InputError
from gateless.core.types import Event
from gateless.daemon.content import ContentSources
from gateless.daemon.follower import Follower
from gateless.watchtower.cases import Case, CaseKind, NewCase
from gateless.watchtower.config import WatchtowerConfig
from gateless.watchtower.journal import AskedInput, Journal
from gateless.watchtower.lazy import claim_id_of, claim_of, hint_of, lazy_case, lot_case

_EVENTS = (f"{LAZY_MARKET}.Requested", f"{LAZY_MARKET}.Answered")
#: Largest packed input that is fetched.
_MAX_INPUT_BYTES = 1 << 24


class AnswerReader:
    """Journals what executors answered.

    Args:
        client: the chain; its network has a lazy market.
        journal: holds the cursor.
        config: what to look at.
        me: own account: who serves and watches does not judge himself.
    """

    def __init__(
        self, client: ChainClient, journal: Journal, config: WatchtowerConfig, me: str
    ) -> None:
        self._journal = journal
        self._config = config
        self._me = me.lower()
        self._follower = Follower(
            client,
            _EVENTS,
            journal,
            start_block=client.deployment.start_block,
            confirmations=config.confirmations,
        )

    async def poll(self) -> int:
        """Reads everything up to the head, less the confirmations; returns how much is new.

        Raises:
            ChainError: the chain cannot be read now; what was read stays journaled.
        """
        look = await self._follower.look()
        added = 0
        async for stretch in self._follower.read(look.head):
            cases = [
                case
                for event in stretch.events
                if event.name == "Answered"
                for case in self._cases(event, look.head.timestamp)
            ]
            inputs = [
                asked
                for event in stretch.events
                if event.name == "Requested" and (asked := _asked(event)) is not None
            ]
            added += len(await self._journal.advance(cases, stretch.last, inputs))
        return added

    def _cases(self, event: Event, now: int) -> list[NewCase]:
        claim, _, _ = answered(event)
        versions = self._config.versions
        if (
            claim.executor.lower() == self._me
            or claim.challenge_deadline < now
            or (versions and claim.version_id not in versions)
        ):
            return []
        found = [lazy_case(event)]
        if claim.audit_bps and self._config.draw_lots:
            found.append(lot_case(event))
        return found


class InputFinder:
    """Finds the inputs of lazy answers: with the request, where its hint points, at the executor.

    Args:
        client: the chain.
        journal: inputs that came with requests.
        sources: content stores.
    """

    def __init__(self, client: ChainClient, journal: Journal, sources: ContentSources) -> None:
        self._client = client
        self._journal = journal
        self._sources = sources

    async def find(self, case: Case) -> bytes | None:
        """The packed input of a case; None where nothing says where it is.

        Raises:
            StorageError: it cannot be had now.
        """
        if case.packed_input is not None or case.kind is not CaseKind.LAZY:
            return case.packed_input
        claim = claim_of(case)
        with_request = await self._journal.asked_input(claim_id_of(claim))
        if with_request is not None:
            return with_request
        try:
            where = parse_hint(hint_of(case))
        except InputError:
            return None
        endpoint = (await self._client.staking.executor(claim.executor)).endpoint
        named = [url for url in (where.base_url, endpoint) if url]
        return await self._sources.store(named).get(where.sha256, max_bytes=_MAX_INPUT_BYTES)


def _asked(event: Event) -> AskedInput | None:
    request_id, request, packed = requested(event)
    if not packed:
        return None
    useless_at = request.deadline + request.challenge_window
    return AskedInput(request_id.to_bytes(32, "big"), packed, event.block_number, useless_at)
