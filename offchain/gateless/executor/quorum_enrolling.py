"""Enrolling for quorums as the configuration says, once what is promised was tried."""

from __future__ import annotations

import structlog
from eth_utils.crypto import keccak
from gateless_proofs.repeating import check_bundle_repetition
from gateless_proofs.runtime import runtime_text
from gateless_proofs.sandbox import Limits
from gateless_proofs.statements import UntrueStatementError

from gateless.adapters.chain import calls, quorum_calls
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.quorum import QuorumReader
from gateless.core.amounts import plain_amount
from gateless.core.errors import FundsError, InputError
from gateless.core.types import TrustMode
from gateless.daemon.versions import Versions
from gateless.executor.quorum_config import QuorumEnrolment
from gateless.executor.transactions import Transactions
from gateless.executor.work import IntentKind

log = structlog.get_logger(__name__)


class QuorumEnrolling:
    """Brings enrolments on chain into line with the configuration.

    Args:
        client: the chain.
        market: the quorum market.
        transactions: journals and sends.
        me: the executor.
        versions: fetches files.
        limits: of the processes that try whether outputs repeat.
    """

    def __init__(
        self,
        client: ChainClient,
        market: QuorumReader,
        transactions: Transactions,
        me: str,
        versions: Versions,
        limits: Limits,
    ) -> None:
        self._client = client
        self._market = market
        self._transactions = transactions
        self._me = me
        self._versions = versions
        self._limits = limits

    async def enroll(self, wanted: QuorumEnrolment) -> bytes:
        """Enrols, or wakes up, or changes the terms; safe to repeat. Returns the runtime class.

        Raises:
            InputError: ``mode-not-allowed``; ``not-repeatable``: on this machine outputs differ.
            FundsError: ``stake-too-low``.
            GatelessError: the version's files cannot be had.
        """
        info, bundle = await self._versions.unproven(wanted.version_id)
        if not info.allows(TrustMode.QUORUM):
            raise InputError(
                "mode-not-allowed",
                f"version {wanted.version_id} does not allow QUORUM",
                hint="take it out of the configuration",
            )
        text = runtime_text(circuit=bool(info.circuits))
        own = bytes(keccak(text=text))
        runtime = own if wanted.runtime_class is None else wanted.runtime_class
        members, me = self._market.members, self._me
        member = await members.member(wanted.version_id, runtime, me)
        if not member.is_enrolled:
            try:
                found = await check_bundle_repetition(bundle, self._limits)
            except UntrueStatementError as error:
                raise InputError(
                    "not-repeatable",
                    f"version {wanted.version_id} does not repeat on this machine: {error}",
                    hint="take it out of the configuration: it would be outvoted",
                ) from error
            log.info("quorum-tried", version_id=wanted.version_id, found=found, runtime=text)
            await self._allocate(wanted.stake)
            await self._execute(
                IntentKind.QUORUM_ENROLL,
                quorum_calls.enroll(wanted.version_id, runtime, wanted.stake, wanted.terms),
            )
            log.info("quorum-enrolled", version_id=wanted.version_id, stake=wanted.stake)
            return runtime
        terms = wanted.terms
        if (member.capacity, member.min_price, member.min_seconds) != (
            terms.capacity,
            terms.min_price,
            terms.min_seconds,
        ):
            await self._execute(
                IntentKind.QUORUM_TERMS, quorum_calls.set_terms(wanted.version_id, runtime, terms)
            )
        if not member.is_awake:
            await self._execute(
                IntentKind.QUORUM_WAKE, quorum_calls.wake(wanted.version_id, runtime)
            )
            log.info("quorum-awake", version_id=wanted.version_id)
        return runtime

    async def sleep(self, version_id: int, runtime_class: bytes) -> None:
        """Stops further draws, before the executor stops."""
        member = await self._market.members.member(version_id, runtime_class, self._me)
        if member.is_enrolled and member.is_awake:
            await self._execute(
                IntentKind.QUORUM_SLEEP, quorum_calls.sleep(version_id, runtime_class)
            )

    async def _allocate(self, stake: int) -> None:
        """Sees to it that so much stake is allocated to the members' contract and free there."""
        staking, me, pool = self._client.staking, self._me, self._market.members.address
        missing = stake - (await staking.allocation(me, pool)).available
        if missing <= 0:
            return
        free = await staking.free_stake(me)
        if free < missing:
            token = self._client.deployment.token
            raise FundsError(
                "stake-too-low",
                f"{token.format(missing - free)} of free stake are missing for quorums",
                hint=f"stake it, and leave it free: gateless executor stake"
                f" {plain_amount(missing - free, token)} --free",
                missing=missing - free,
            )
        await self._execute(IntentKind.QUORUM_ALLOCATE, calls.allocate(pool, missing))

    async def _execute(self, kind: IntentKind, call: calls.Call) -> None:
        async def wanted() -> bool:
            return True

        await self._transactions.execute(kind, call, still_wanted=wanted)
