"""From a wrong answer to the end of its claim: announce, open a block later, slash when overdue.

Each step is journaled before it is sent, compares the journal with the chain, and can be repeated:
the same signed bytes are sent again, never a second commitment for one case.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import structlog

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.lane import Trouble
from gateless.adapters.chain.permit import sign_permit
from gateless.adapters.chain.sender import Sender
from gateless.adapters.clock import Clock
from gateless.adapters.signer import Signer
from gateless.core.errors import ContractError, GatelessError
from gateless.core.types import Block
from gateless.daemon.faults import is_chain_away
from gateless.watchtower.case_transactions import CaseTransactions
from gateless.watchtower.cases import Case, CaseKind, CaseState, IntentKind
from gateless.watchtower.config import WatchtowerConfig
from gateless.watchtower.forum import Forum, Offer, Refusal, Standing
from gateless.watchtower.journal import Journal

log = structlog.get_logger(__name__)

_S = CaseState
#: How long a signed permit may wait to be mined.
_PERMIT_SECONDS = 1800
_ENDS = {Standing.WON: _S.WON, Standing.LOST: _S.LOST, Standing.MOOT: _S.MOOT}


class Challenges:
    """Makes, follows and ends the challenges of one account.

    Args:
        client: the chain.
        sender: signs and sends; nobody else may send for the account.
        signer: signs permits for bonds.
        journal: the memory.
        forums: where cases of each kind are challenged.
        config: budgets.
        clock: what time it is.
    """

    def __init__(
        self,
        client: ChainClient,
        sender: Sender,
        signer: Signer,
        journal: Journal,
        forums: Mapping[CaseKind, Forum],
        config: WatchtowerConfig,
        clock: Clock,
    ) -> None:
        self._client = client
        self._sender = sender
        self._signer = signer
        self._journal = journal
        self._forums = forums
        self._config = config
        self._clock = clock
        self._steps = CaseTransactions(client, sender, journal)

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What holds transactions up."""
        return self._steps.troubles

    async def settle_leftovers(self) -> None:
        """Finds out what became of deposits and withdrawals that an earlier run sent."""
        await self._steps.settle_leftovers()

    async def advance(self, case: Case, head: Block) -> None:
        """Takes a case as many steps on as can be taken now.

        Raises:
            GatelessError: the chain is out of reach, or refused; the case stays where it was.
        """
        if case.state is _S.WRONG:
            await self._announce(case, head)
        elif case.state is _S.COMMITTING:
            await self._resume(case)
        elif case.state is _S.COMMITTED:
            await self._open(case, head)
        elif case.state is _S.OPEN:
            await self._follow(case, head)

    # --- announcing ---

    async def _announce(self, case: Case, head: Block) -> None:
        if await self._adopted(case):
            return
        offer = await self._worth_it(case, head)
        if offer is None:
            return
        forum = self._forums[case.kind]
        if case.kind is CaseKind.LOT:
            await self._draw(case, forum)
            return
        await self._fund(forum, offer.commit_bond, case)
        case = await self._journal.move(
            case.case_id,
            _S.COMMITTING,
            salt=secrets.token_bytes(32),
            bond=offer.commit_bond,
        )
        try:
            receipt = await self._steps.execute(
                IntentKind.COMMIT, forum.commit(forum.commitment(case)), case
            )
        except GatelessError as error:
            if is_chain_away(error) or await self._steps.is_pending(case, IntentKind.COMMIT):
                raise
            await self._back_to_wrong(case, error)
            return
        await self._committed(case, forum.committed_as(receipt))

    async def _adopted(self, case: Case) -> bool:
        """Takes over a challenge that an earlier run made and a restored journal does not know."""
        own = await self._forums[case.kind].own(case)
        if own is None:
            return False
        await self._journal.move(
            case.case_id,
            _S.OPEN,
            claim_id=own.claim_id,
            bond=own.bond,
            deadline=own.deadline,
            opened_block=case.block or self._client.deployment.start_block,
        )
        log.warning("challenge-adopted", case=case.name, deadline=own.deadline)
        return True

    async def _draw(self, case: Case, forum: Forum) -> None:
        """Shows that the lot fell on an answer: there is no bond, and nothing to hide."""
        if await self._steps.send_again(case, IntentKind.DRAW_LOT) is None:
            await self._steps.execute(IntentKind.DRAW_LOT, forum.open(case), case)
        head = await self._client.block()
        found = await forum.look(case, head.number)
        if found.standing is Standing.OPEN:
            await self._journal.move(
                case.case_id, _S.OPEN, deadline=found.deadline, opened_block=case.block
            )
            log.info("lot-drawn", case=case.name, deadline=found.deadline)

    async def _worth_it(self, case: Case, head: Block) -> Offer | None:
        """What a challenge takes, if it is to be made; says why not otherwise."""
        if case.expires < head.timestamp + self._config.min_life:
            await self._leave(case, "too-late", "no time is left to challenge it")
            return None
        offer = await self._forums[case.kind].offer(case)
        if isinstance(offer, Refusal):
            if offer.final:
                await self._leave(case, offer.code, offer.text)
            else:
                await self._journal.note(case.case_id, offer.code, offer.text)
            return None
        if offer.reward < self._config.min_reward:
            await self._leave(case, "reward-too-low", f"it would bring {offer.reward} token units")
            return None
        most = self._config.max_at_risk
        if most is not None and await self._journal.at_risk() + offer.commit_bond > most:
            text = f"another bond of {offer.commit_bond} token units would exceed the budget"
            await self._journal.note(case.case_id, "budget-used", text)
            return None
        return offer

    async def _fund(self, forum: Forum, needed: int, case: Case) -> None:
        """Deposits what the balance at the contract lacks for a commitment."""
        await self._steps.finish_deposits()
        missing = needed - await forum.balance()
        if missing <= 0:
            return
        until = max(int(self._clock.now()), (await self._client.block()).timestamp)
        permit = await sign_permit(
            self._client, self._signer, forum.address, missing, until + _PERMIT_SECONDS
        )
        await self._steps.execute(IntentKind.DEPOSIT, forum.deposit(permit), case)

    async def _resume(self, case: Case) -> None:
        """Finds out what became of an announcement: mined, still to be mined, or never sent."""
        forum = self._forums[case.kind]
        receipt = await self._steps.send_again(case, IntentKind.COMMIT)
        if receipt is not None:
            await self._committed(case, forum.committed_as(receipt))
            return
        found = await forum.find(case)
        if found is not None:
            await self._committed(case, found)
            return
        await self._journal.move(case.case_id, _S.WRONG, salt=b"", bond=0, claim_id=0)

    async def _committed(self, case: Case, claim_id: int) -> None:
        await self._journal.move(case.case_id, _S.COMMITTED, claim_id=claim_id)
        log.info("challenge-announced", case=case.name, claim_id=claim_id)

    async def _back_to_wrong(self, case: Case, error: GatelessError) -> None:
        await self._journal.move(
            case.case_id, _S.WRONG, reason=error.code, text=error.message, salt=b"", bond=0
        )

    # --- opening ---

    async def _open(self, case: Case, head: Block) -> None:
        forum = self._forums[case.kind]
        found = await forum.look(case, head.number - self._config.confirmations)
        if found.standing is Standing.ABSENT:
            await self._undone(case)
            return
        if found.standing is Standing.WITHDRAWN:
            await self._leave(case, case.reason or "withdrawn", case.text or "it was taken back")
            return
        if found.standing is not Standing.COMMITTED:
            await self._opened(case, head)
            return
        if head.number - found.committed_block < self._config.confirmations:
            return
        offer = await forum.offer(case)
        if isinstance(offer, Refusal):
            await self._take_back(case, offer.code, offer.text)
            return
        try:
            if await self._steps.send_again(case, IntentKind.OPEN) is None:
                await self._steps.execute(IntentKind.OPEN, forum.open(case), case)
        except ContractError as error:
            if forum.is_too_early(error.code):
                return
            if await self._steps.is_pending(case, IntentKind.OPEN):
                raise
            if (await forum.look(case, head.number)).standing is Standing.COMMITTED:
                await self._take_back(case, error.code, error.message)
            return
        await self._opened(case, await self._client.block())

    async def _opened(self, case: Case, head: Block) -> None:
        """Takes over what the chain says of an opened announcement."""
        forum = self._forums[case.kind]
        found = await forum.look(case, head.number)
        if found.standing in (Standing.COMMITTED, Standing.ABSENT):
            return  # not shown yet, or undone: looked at again
        if case.kind is CaseKind.EQUIVOCATION:
            await self._journal.move(case.case_id, _S.WON, bond=0, opened_block=head.number)
            log.info("equivocation-reported", case=case.name, executor=case.executor)
            return
        offer = await forum.offer(case)
        bond = offer.bond if isinstance(offer, Offer) else case.bond
        block = min(
            [
                block
                for intent in await self._journal.intents(case.case_id, kind=IntentKind.OPEN)
                if (block := await self._steps.mined_in(intent)) is not None
            ],
            default=self._client.deployment.start_block,
        )
        await self._journal.move(
            case.case_id, _S.OPEN, bond=bond, deadline=found.deadline, opened_block=block
        )
        log.info("challenge-opened", case=case.name, deadline=found.deadline)

    async def _take_back(self, case: Case, code: str, text: str) -> None:
        """The challenge cannot be opened any more: its bond comes back."""
        await self._journal.note(case.case_id, code, text)
        if await self._steps.send_again(case, IntentKind.WITHDRAW) is None:
            await self._steps.execute(
                IntentKind.WITHDRAW, self._forums[case.kind].withdraw(case), case
            )
        await self._leave(case, code, text)

    # --- following ---

    async def _follow(self, case: Case, head: Block) -> None:
        forum = self._forums[case.kind]
        found = await forum.look(case, head.number - self._config.confirmations)
        if found.standing is Standing.ABSENT:
            await self._undone(case)
        elif found.standing is Standing.COMMITTED:
            await self._steps.restore()
            await self._journal.move(case.case_id, _S.COMMITTED, deadline=0)
        elif found.standing in _ENDS:
            await self._journal.move(
                case.case_id,
                _ENDS[found.standing],
                bond=0,
                reward=found.reward,
                lost=found.lost,
            )
            log.info(
                "challenge-ended",
                case=case.name,
                end=found.standing.value,
                reward=found.reward,
                lost=found.lost,
            )
        elif (await self._client.block("pending")).timestamp > found.deadline:
            await self._slash(case, forum)

    async def _slash(self, case: Case, forum: Forum) -> None:
        try:
            if await self._steps.send_again(case, IntentKind.SLASH) is None:
                await self._steps.execute(IntentKind.SLASH, forum.slash(case), case)
        except ContractError as error:
            # Somebody else may have ended it in the same moment; the chain tells next time.
            log.info("not-slashed", case=case.name, code=error.code)

    # --- steps ---

    async def _undone(self, case: Case) -> None:
        """A reorganisation took the announcement out: the same bytes are sent again."""
        log.warning("challenge-undone", case=case.name, claim_id=case.claim_id)
        await self._steps.restore()
        if case.kind is CaseKind.LOT:
            await self._journal.move(case.case_id, _S.WRONG, deadline=0)
            return
        await self._journal.move(case.case_id, _S.COMMITTING, claim_id=0, deadline=0)

    async def _leave(self, case: Case, code: str, text: str) -> None:
        await self._journal.move(case.case_id, _S.LEFT, reason=code, text=text, bond=0)
        log.info("case-left", case=case.name, reason=code)
