"""Follows one nonce until a transaction with it is mined.

All attempts at one thing have one nonce, so at most one of them is mined, whichever nodes have
them. An attempt is handed to ``keep`` before anybody else sees it: so whoever dies in between finds
all hashes again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from gateless.adapters.chain.channel import Channel
from gateless.adapters.chain.fees import Fees, raised_fees
from gateless.adapters.chain.headers import read_block
from gateless.adapters.chain.lane import Lane, Trouble, gas_balance_too_low, nonce_used
from gateless.adapters.chain.nonce_users import find_nonce_use
from gateless.adapters.chain.nonces import Keep, Taken
from gateless.adapters.chain.outcomes import require_success
from gateless.adapters.chain.prepared import PreparedTx, decode_transaction
from gateless.adapters.chain.provider_faults import is_passing
from gateless.adapters.chain.refusals import Refusal, classify_refusal
from gateless.adapters.chain.rpc import RpcError
from gateless.adapters.quiet_log import QuietLog
from gateless.core.errors import ChainError, GatelessError
from gateless.core.types import Receipt

log = QuietLog(__name__)

#: Whether a transaction that is not mined yet is still wanted.
StillWanted = Callable[[], Awaitable[bool]]

_FIRST_POLL_SECONDS = 0.02
_MAX_POLL_SECONDS = 1.0
#: A node that restarts forgets what it had not mined.
_RESEND_SECONDS = 15.0
#: What ends a pursuit. After any other fault it goes on: nobody knows whether a node has it.
_FINAL = frozenset(
    {"transaction-reverted", "transaction-cancelled", "transaction-refused"}
    | {"nonce-used", "gas-balance-too-low"}
)
#: Troubles that are over once somebody takes the transaction.
_OF_SENDING = ("transaction-refused", "relay-slow", "relay-refused")
#: Gas that any transaction pays, and per byte of calldata (EIP-2028).
_BASE_GAS, _ZERO_BYTE_GAS, _BYTE_GAS = 21_000, 4, 16


class Pursuit:
    """One nonce, and the attempts to get something mined under it.

    Args:
        lane: the account's way to the chain.
        attempts: what may have been sent already, oldest first; all with the same nonce.
        keep: writes each further attempt down before it is sent.
        still_wanted: asked now and then; what is not wanted any more is not sped up, and cancelled
            where that is cheaper than letting it revert.
        fresh: whether the attempt was signed just now, so that nobody else can have it.
    """

    def __init__(
        self,
        lane: Lane,
        attempts: Sequence[PreparedTx],
        *,
        keep: Keep | None = None,
        still_wanted: StillWanted | None = None,
        fresh: bool = False,
    ) -> None:
        self._lane = lane
        self._given = tuple(attempts)
        self._attempts = list(attempts)
        self._keep = keep
        self._still_wanted = still_wanted
        self._nonce = attempts[0].nonce
        self._label = attempts[0].label
        #: Whether any node may have any of the attempts.
        self._is_out = not fresh
        self._is_wanted = True
        self._asked_at = -1
        self._sent_at: float | None = None
        self._channel = Channel(lane)
        self._looked_at = lane.clock.monotonic() if fresh else float("-inf")
        self._turn: tuple[float, int] | None = None
        self._hurry = False

    @property
    def latest(self) -> PreparedTx:
        """The attempt that is sent now."""
        return self._attempts[-1]

    async def run(self, patience: float | None, told: Callable[[], None] | None = None) -> Receipt:
        """Sends, and speeds up, until one attempt is mined.

        Args:
            patience: seconds after which it is left alone; None for never.
            told: called once a node has it.

        Raises:
            ContractError: (``transaction-reverted``) it was mined and reverted.
            ChainError: ``transaction-cancelled``, ``nonce-used``, ``transaction-refused``: it can
                never be mined; ``transaction-timeout``: it may still be mined.
            FundsError: ``gas-balance-too-low``: nobody took it.
        """
        clock, book = self._lane.clock, self._lane.nonces
        taken = book.follow(self._given, self._keep)
        self._attempts = taken.attempts
        end = None if patience is None else clock.monotonic() + patience
        pause = _FIRST_POLL_SECONDS
        is_over = is_used = False
        try:
            while True:
                why = "no receipt"
                try:
                    found = await self._find() if self._is_out else None
                    if found is not None:
                        is_over = is_used = True
                        return await require_success(self._lane.client, *found)
                    await self._step()
                    if told is not None and self._is_out:
                        told()
                        told = None
                except GatelessError as error:
                    is_over = is_over or error.code in _FINAL
                    is_used = is_used or error.code == "nonce-used"
                    if is_over:
                        raise
                    why = error.message
                if end is not None and clock.monotonic() >= end:
                    raise self._timed_out(patience or 0.0, why)
                await clock.sleep(pause)
                pause = min(pause * 1.5, _MAX_POLL_SECONDS)
        finally:
            self._lane.troubles.pop(self._nonce, None)
            book.leave(taken, clock.monotonic())
            if is_over and is_used:
                book.used(self._nonce)
            elif is_over:
                book.release(self._nonce)

    # --- steps ---

    async def _find(self) -> tuple[PreparedTx, Receipt] | None:
        for attempt in reversed(self._attempts):
            receipt = await self._lane.receipt(attempt.tx_hash)
            if receipt is not None:
                return attempt, receipt
        return None

    async def _step(self) -> None:
        now = self._lane.clock.monotonic()
        if now - self._looked_at >= self._lane.policy.look_seconds or self._hurry:
            self._looked_at = now
            await self._look(now)
        # What is not wanted is not shown to a node that may have forgotten it.
        is_due = self._sent_at is None or now - self._sent_at > _RESEND_SECONDS
        if is_due and (self._is_wanted or self.latest.cancels):
            await self._broadcast(self.latest)
            self._sent_at = now

    async def _look(self, now: float) -> None:
        """Looks what holds it up: others before it, its fees, or nobody's wish to have it."""
        head = await self._lane.client.rpc.quantity("eth_blockNumber")
        count = await self._lane.nonces.mined()
        if count > self._nonce:
            await self._require_unused()
            return
        await self._ask(head)
        if not self._is_wanted and not self.latest.cancels:
            if await self._find() is not None:  # not wanted because it is mined by now
                return
            if await self._is_cancel_better():
                await self._replace(cancel=True)
                return
        if count < self._nonce:
            self._turn = None
            await self._clear_way(now)
            return
        if self._turn is None:
            self._turn = (now, head)
        since, block = self._turn
        policy = self._lane.policy
        is_stuck = now - since >= policy.stuck_seconds and head - block >= policy.stuck_blocks
        if is_stuck or self._hurry:
            self._hurry = False
            await self._replace(cancel=self.latest.cancels or not self._is_wanted)
            self._turn = (now, head)

    async def _ask(self, head: int) -> None:
        """Asks whether it is wanted: once a block, and never again after a no."""
        if self._still_wanted is None or not self._is_wanted or head == self._asked_at:
            return
        self._asked_at = head
        try:
            self._is_wanted = await self._still_wanted()
        except GatelessError as error:
            log.warning("not-known-whether-wanted", label=self._label, code=error.code)

    async def _is_cancel_better(self) -> bool:
        """Whether an empty transfer costs less than what it replaces would cost if it were mined.

        A call that reverts pays at least for its calldata. What no node has, as far as this one can
        tell, is not sent for the first time to revert.
        """
        if not await self._lane.is_known(self.latest.tx_hash):
            return True
        sent = decode_transaction(self.latest.raw)
        market, block = await self._market()
        fees = raised_fees(sent.fees, market, self._lane.policy.fees)
        if fees is None:
            return False
        base_fee = int(block.get("baseFeePerGas", "0x0"), 16)
        zeros = sent.data.count(0)
        gas = _BASE_GAS + zeros * _ZERO_BYTE_GAS + (len(sent.data) - zeros) * _BYTE_GAS
        return _BASE_GAS * fees.price_at(base_fee) < gas * sent.fees.price_at(base_fee)

    async def _replace(self, *, cancel: bool) -> None:
        """Signs the same call, or an empty transfer, at a higher fee, and writes it down."""
        lane, before = self._lane, decode_transaction(self.latest.raw)
        market, _ = await self._market()
        fees = raised_fees(before.fees, market, lane.policy.fees)
        if fees is None and not await lane.is_known(self.latest.tx_hash):
            fees = market or before.fees  # nothing has to be outbid
        if fees is None or (fees == before.fees and cancel == self.latest.cancels):
            self._trouble(
                "fee-at-cap",
                f"{self._label} is not mined for {before.fees.per_gas / 1e9:g} gwei, and the caps"
                " allow no higher fee that a node would take",
                "wait for lower fees, or raise the caps and restart",
            )
            return
        try:
            if cancel:
                attempt = await lane.sign_empty(self._nonce, fees, self._label)
            else:
                fields = before.fields() | fees.fields()
                attempt = await lane.sign(fields, self._label, private=self.latest.private)
        except GatelessError as error:
            self._trouble(error.code, error.message, error.hint)
            return
        if self._keep is not None:
            await self._keep(attempt)
        log.info(
            "transaction-cancelling" if cancel else "transaction-replaced",
            kind=self._label,
            nonce=self._nonce,
            before=self.latest.tx_hash,
            tx_hash=attempt.tx_hash,
            max_fee_per_gas=fees.per_gas,
        )
        if all(other.tx_hash != attempt.tx_hash for other in self._attempts):
            self._attempts.append(attempt)
        self._sent_at = None

    async def _market(self) -> tuple[Fees | None, dict[str, str]]:
        try:
            fees, block = await self._lane.market_fees()
        except ChainError as error:
            if error.code != "fee-above-cap":
                raise
            block = await read_block(self._lane.client.rpc)
            return None, dict(block)
        return fees, dict(block)

    # --- sending ---

    async def _broadcast(self, attempt: PreparedTx) -> None:
        try:
            try:
                trouble = await self._channel.send(attempt)
            finally:
                self._lane.nonces.shown(self._nonce)
        except RpcError as error:
            if is_passing(error):
                self._is_out = True  # perhaps: it says nothing about the transaction
                raise
            await self._refused(attempt, error)
            return
        except ChainError:
            self._is_out = True  # perhaps: nobody knows
            raise
        self._is_out = True
        if trouble is not None:
            self._tell(trouble)
        elif self._is_troubled_by(*_OF_SENDING):
            del self._lane.troubles[self._nonce]

    async def _refused(self, attempt: PreparedTx, error: RpcError) -> None:
        """What a node's refusal means: it has it, it will never have it, or another time."""
        refusal = classify_refusal(error.rpc_message)
        if refusal is Refusal.ALREADY_KNOWN:
            self._is_out = True
            return
        if refusal is Refusal.NONCE_USED:
            await self._require_unused()
            return
        if refusal is Refusal.NONCE_WAITING or await self._lane.is_known(attempt.tx_hash):
            self._is_out = True
            return
        if not self._is_out:
            if refusal is Refusal.GAS_MONEY:
                balance = await self._lane.client.native_balance(self._lane.address)
                raise gas_balance_too_low(self._lane.address, balance, None) from error
            raise ChainError(
                "transaction-refused",
                f"the node refused the transaction: {error.rpc_message}",
                hint=refusal.hint,
                tx_hash=attempt.tx_hash,
            ) from error
        self._hurry = refusal is Refusal.UNDERPRICED
        self._trouble("transaction-refused", error.rpc_message, refusal.hint)

    async def _require_unused(self) -> None:
        """The nonce is said to be used: by which transaction?

        A node may know that a nonce is used before it can show by what; then it is asked again.
        """
        self._is_out = True
        if await self._find() is not None:
            return
        use = await find_nonce_use(self._lane.client.rpc, self._lane.address, self._nonce)
        if use is None or any(attempt.tx_hash == use.tx_hash for attempt in self._attempts):
            return
        raise nonce_used(self._lane.address, self.latest, use.tx_hash, use.text)

    # --- those before it ---

    async def _clear_way(self, now: float) -> None:
        """Fills a nonce that was given up, or goes on with a transaction that was left alone."""
        book = self._lane.nonces
        if book.clearing.locked():
            return
        async with book.clearing:
            obstacle = await book.obstacle(self._nonce)
            if isinstance(obstacle, Taken):
                if now - (obstacle.left_at or now) >= self._lane.policy.stuck_seconds:
                    await self._go_on_with(obstacle.attempts, obstacle.keep)
            elif obstacle:
                await self._fill(obstacle)

    async def _fill(self, nonces: Sequence[int]) -> None:
        """Takes nonces by empty transfers. The book holds them for that."""
        try:
            fees, _ = await self._lane.market_fees()
            empty = [await self._lane.sign_empty(nonce, fees, "fill a gap") for nonce in nonces]
        except BaseException:
            for nonce in nonces:
                self._lane.nonces.release(nonce)
            raise
        async with asyncio.TaskGroup() as group:
            for each in empty:
                log.info("gap-filled", nonce=each.nonce, tx_hash=each.tx_hash, waiting=self._nonce)
                group.create_task(self._go_on_with([each], None, fresh=True))

    async def _go_on_with(
        self, attempts: Sequence[PreparedTx], keep: Keep | None, *, fresh: bool = False
    ) -> None:
        try:
            await Pursuit(self._lane, attempts, keep=keep, fresh=fresh).run(None)
        except GatelessError as error:
            log.info("way-cleared", nonce=attempts[0].nonce, code=error.code)

    def _is_troubled_by(self, *codes: str) -> bool:
        trouble = self._lane.troubles.get(self._nonce)
        return trouble is not None and trouble.code in codes

    def _trouble(self, code: str, message: str, hint: str) -> None:
        self._tell(Trouble(code, message, hint))

    def _tell(self, trouble: Trouble) -> None:
        if not self._is_troubled_by(trouble.code):
            log.warning(
                "transaction-waits", kind=self._label, code=trouble.code, message=trouble.message
            )
        self._lane.troubles[self._nonce] = trouble

    def _timed_out(self, seconds: float, why: str) -> ChainError:
        return ChainError(
            "transaction-timeout",
            f"no receipt of {self.latest.tx_hash} within {seconds:g} s ({why})",
            hint="it may still be mined: look for the hash before sending anything again",
            tx_hash=self.latest.tx_hash,
            nonce=self._nonce,
        )
