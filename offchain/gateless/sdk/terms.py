"""The terms of a request: price, collateral, times; checked before any money moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from eth_utils.address import is_address, to_checksum_address

from gateless.core.amounts import format_amount, plain_amount
from gateless.core.errors import InputError, NotFoundError
from gateless.core.types import MarketLimits, TrustMode, modes_of
from gateless.sdk.results import ResolvedVersion
from gateless.sdk.services import Operations

DEFAULT_TIMEOUT_SECONDS = 600
DEFAULT_LOCK_SECONDS = 180
#: Between looking at the clock and being mined; the contract judges by the latter.
MINING_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Offer:
    """An executor that serves a version: what it asks and what it could lock."""

    address: str
    min_price: int
    available: int


class RequestTerms(TypedDict, total=False):
    """What a requester may choose; everything has a default.

    Attributes:
        price: token units to pay; default: what the cheapest able executor asks.
        min_price: token units from which the price rises to ``price``, which is the most that is
            paid then; default: a price that does not rise.
        ramp: seconds that it rises, from now on; default: half of the request's life.
        collateral: stake that the executor risks, in token units; default: the market's floor.
        timeout: seconds until the request can be refunded; default ten minutes.
        deadline: the same as Unix time, instead of ``timeout``.
        lock_duration: seconds that an executor has once it took the request.
        mode: how the output becomes final; default ``ZK``.
        executor: only this account may answer.
        callback: contract that receives the output in the transaction that verifies it.
        callback_gas: gas for it; default: the market's maximum.
        input_store: base URL of a content store that serves the own store, for inputs that are not
            to travel through the chain.
        deposit: whether a deposit that is too low is topped up from the wallet, in the transaction
            that makes the request; default true.
    """

    price: int | None
    min_price: int | None
    ramp: int | None
    collateral: int | None
    timeout: int | None
    deadline: int | None
    lock_duration: int | None
    mode: TrustMode
    executor: str | None
    callback: str | None
    callback_gas: int | None
    input_store: str | None
    deposit: bool


@dataclass(frozen=True, slots=True)
class Ramp:
    """How a price rises; all zero where it does not."""

    min_price: int = 0
    start: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """Terms that the market takes."""

    mode: TrustMode
    price: int
    ramp: Ramp
    collateral: int
    deadline: int
    lock_duration: int
    executor: str | None
    callback: str | None
    callback_gas: int
    warnings: tuple[str, ...]


class Pricing(Operations):
    """Finds and checks terms."""

    async def offers(self, version_id: int) -> tuple[Offer, ...]:
        """Executors enrolled for a version, cheapest first."""
        staking = self.chain.staking
        market = self.chain.market.address
        found: list[Offer] = []
        for address in await staking.enrolled_executors(version_id):
            profile = await staking.executor(address)
            allocation = await staking.allocation(address, market)
            found.append(Offer(address, profile.min_price, allocation.available))
        return tuple(sorted(found, key=lambda offer: (offer.min_price, offer.address)))

    async def _settle(self, resolved: ResolvedVersion, terms: RequestTerms) -> Settled:
        mode = terms.get("mode", TrustMode.ZK)
        executor = checked_address(terms.get("executor"), "executor")
        if not resolved.version.allows(mode):
            allowed = ", ".join(entry.name for entry in modes_of(resolved.version.modes))
            raise InputError(
                "mode-not-allowed",
                f"{resolved.label} does not allow {mode.name}",
                hint=f"it allows {allowed or 'no mode'}",
            )
        limits = await self.chain.market.limits()
        wanted = terms.get("collateral")
        collateral = limits.collateral_floor if wanted is None else wanted
        if collateral < limits.collateral_floor:
            token = self.chain.deployment.token
            raise InputError(
                "collateral-too-low",
                f"a collateral of {format_amount(collateral, token)} is below the market's floor",
                hint=f"ask for at least {plain_amount(limits.collateral_floor, token)}",
            )
        now = await self._now()
        deadline = _deadline(terms, limits, now)
        callback = checked_address(terms.get("callback"), "callback")
        price, warnings = await self._price(resolved, terms.get("price"), executor, collateral)
        return Settled(
            mode=mode,
            price=price,
            ramp=_ramp(terms, price, now, deadline),
            collateral=collateral,
            deadline=deadline,
            lock_duration=_lock_duration(terms.get("lock_duration"), limits, deadline - now),
            executor=executor,
            callback=callback,
            callback_gas=_callback_gas(callback, terms.get("callback_gas"), limits),
            warnings=warnings,
        )

    async def _price(
        self,
        resolved: ResolvedVersion,
        price: int | None,
        executor: str | None,
        collateral: int,
    ) -> tuple[int, tuple[str, ...]]:
        """The price, and warnings where it looks as if nobody will answer."""
        token = self.chain.deployment.token
        offers = await self.offers(resolved.version.version_id)
        if executor is not None:
            offers = tuple(offer for offer in offers if offer.address == executor)
        able = [offer for offer in offers if offer.available >= collateral]
        if price is None:
            if not able:
                raise NotFoundError(
                    "no-executor",
                    f"no executor with enough free stake serves {resolved.label}",
                    hint="name a --price to wait for one, or serve it yourself:"
                    f" gateless executor stake AMOUNT --serve {resolved.label}",
                )
            return able[0].min_price, ()
        if not able:
            return price, (
                f"no executor with enough free stake serves {resolved.label} yet;"
                " unanswered requests can be refunded after their deadline",
            )
        if able[0].min_price > price:
            return price, (
                "every executor asks more than the price offered;"
                f" the cheapest takes {format_amount(able[0].min_price, token)}",
            )
        return price, ()

    async def _now(self) -> int:
        # The block to come decides, not the latest: a chain that mines on demand lags behind.
        return (await self.chain.block("pending")).timestamp


def checked_address(value: str | None, role: str) -> str | None:
    """An address as EIP-55 text; ``None`` stays ``None``.

    Raises:
        InputError: ``invalid-address``.
    """
    if value is None:
        return None
    if not is_address(value):
        raise InputError(
            "invalid-address",
            f"{value!r} is not an address ({role})",
            hint="an address is 0x and 40 hex digits; check for a mistyped digit",
        )
    return str(to_checksum_address(value))


def _deadline(terms: RequestTerms, limits: MarketLimits, now: int) -> int:
    deadline = terms.get("deadline")
    if deadline is None:
        timeout = terms.get("timeout")
        default = min(DEFAULT_TIMEOUT_SECONDS, limits.max_lifetime)
        deadline = now + (default if timeout is None else timeout)
    life = deadline - now
    if life <= 0:
        raise InputError(
            "deadline-passed",
            f"the deadline {deadline} is {-life} seconds in the past",
            hint="give a deadline in the future (--timeout SECONDS)",
        )
    if life > limits.max_lifetime:
        raise InputError(
            "deadline-too-far",
            f"{life} seconds asked for, a request may live {limits.max_lifetime}",
            hint=f"give a --timeout of at most {limits.max_lifetime}",
        )
    if life < limits.min_lock + MINING_SECONDS:
        raise InputError(
            "deadline-too-soon",
            f"{life} seconds are too few: an executor must be given {limits.min_lock} to prove",
            hint=f"give a --timeout of at least {limits.min_lock + MINING_SECONDS}",
        )
    return deadline


def _ramp(terms: RequestTerms, price: int, now: int, deadline: int) -> Ramp:
    least, length = terms.get("min_price"), terms.get("ramp")
    if least is None:
        if length is not None:
            raise InputError(
                "ramp-without-price",
                "a time was given for the price to rise, but not from where",
                hint="name the least price with --min-price, or leave the ramp out",
            )
        return Ramp()
    if not 0 <= least < price:
        raise InputError(
            "min-price-out-of-range",
            f"the least price {least} is not below the price {price}",
            hint="name a --min-price below --price",
        )
    life = deadline - now
    if length is None:
        length = max(1, life // 2)
    if not 0 < length <= life:
        raise InputError(
            "ramp-out-of-range",
            f"the price cannot rise for {length} seconds: the request lives {life}",
            hint=f"give a --ramp of 1 to {life} seconds",
        )
    return Ramp(least, now, length)


def _lock_duration(wanted: int | None, limits: MarketLimits, life: int) -> int:
    """Seconds for the executor. The market wants the deadline to leave room for a whole lock."""
    longest = min(limits.max_lock, life - MINING_SECONDS)
    if wanted is None:
        # Half of the life at most, so that executors have the other half to take the request.
        return min(max(limits.min_lock, min(DEFAULT_LOCK_SECONDS, life // 2)), longest)
    if not limits.min_lock <= wanted <= longest:
        raise InputError(
            "lock-duration-out-of-range",
            f"a lock of {wanted} seconds is not possible",
            hint=f"choose between {limits.min_lock} and {longest} seconds, or a later deadline",
        )
    return wanted


def _callback_gas(callback: str | None, wanted: int | None, limits: MarketLimits) -> int:
    if callback is None:
        if wanted:
            raise InputError(
                "callback-missing",
                "gas for a callback was given, but no callback",
                hint="name the contract with --callback, or leave the gas out",
            )
        return 0
    gas = limits.max_callback_gas if wanted is None else wanted
    if not 0 < gas <= limits.max_callback_gas:
        raise InputError(
            "callback-gas-out-of-range",
            f"a callback may use 1 to {limits.max_callback_gas} gas, not {gas}",
            hint="choose a --callback-gas in that range",
        )
    return gas
