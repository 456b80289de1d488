"""What the contracts are built with on each chain. Reviewed: immutable once deployed.

Times are seconds, amounts whole tokens; the deployment multiplies by the token's decimals.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateless_proofs.srs import DEVELOPMENT_CHAIN_ID, g2_of

from gateless.adapters.chain.deployment import SrsKind
from gateless.core.errors import ConfigError

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class CourtConstants:
    """What the court for bonded receipts is built with.

    Attributes:
        epoch_length: how long one pool backs new receipts.
        max_receipt_life: longest time in which a receipt may be challenged.
        response_window: time for the proof that answers a challenge.
        min_bond: least stake behind a receipt: what a lie costs at least.
        min_challenge_bond: least bond that an executor may ask of challengers.
        max_challenge_bond: most; what every commitment holds until it is opened. Part of it pays
            for a proof's gas, some 600,000.
        max_capacity: most receipts of a pool.
        reward_bps: part of a slashed bond that goes to the challenger, in basis points.
        executor_bps: part of a failed challenger's bond that goes to the executor.
        max_input_length: most bytes of packed input in a challenge.
    """

    epoch_length: int
    max_receipt_life: int
    response_window: int
    min_bond: int
    min_challenge_bond: int
    max_challenge_bond: int
    max_capacity: int
    reward_bps: int
    executor_bps: int
    max_input_length: int


@dataclass(frozen=True, slots=True)
class LazyConstants:
    """What the lazy market and its court are built with.

    Attributes:
        reward_bps: part of a slashed collateral that goes to the challenger, in basis points.
        min_challenge_window: shortest time in which an answer may be challenged.
        max_challenge_window: longest such time.
        min_response_window: shortest time for the proof that answers a challenge.
        max_response_window: longest such time.
        max_output_length: most bytes of packed output.
        challenge_bond: what a challenger puts up: it pays for a proof's gas.
        executor_bps: part of a failed challenger's bond that goes to the executor.
    """

    reward_bps: int
    min_challenge_window: int
    max_challenge_window: int
    min_response_window: int
    max_response_window: int
    max_output_length: int
    challenge_bond: int
    executor_bps: int


@dataclass(frozen=True, slots=True)
class QuorumConstants:
    """What the quorum market and its members' contract are built with.

    Attributes:
        min_members: fewest members of a round.
        max_members: most; a round of them fits a transaction.
        seed_delay: blocks from a request to the one whose hash draws.
        min_window: shortest time to commit, and to reveal.
        max_window: longest such time.
        max_output_length: most bytes of output.
        min_stake: least stake of an enrolment.
        seat_bond: what a member loses who does not answer.
        outlier_slash: what a member loses whose answer is not the quorum's.
    """

    min_members: int
    max_members: int
    seed_delay: int
    min_window: int
    max_window: int
    max_output_length: int
    min_stake: int
    seat_bond: int
    outlier_slash: int


@dataclass(frozen=True, slots=True)
class ChainConstants:
    """Constructor arguments of a chain's contracts.

    Attributes:
        chain_id: EIP-155 chain id.
        name: name of the network in deployments files.
        exit_delay: wait between an exit request and its completion. Longer than ``max_lifetime``
            and ``max_lock_duration`` together with a margin, and than the court's epoch, receipt
            life and window together, and than those two and the lazy market's windows, so that no
            stake leaves before every claim that it backs is final.
        min_stake: stake that a profile and enrolments need.
        collateral_floor: least collateral of a request: what a broken promise costs at least.
        max_lifetime: longest time from request to deadline.
        min_lock_duration: shortest time an executor may be given to prove.
        max_lock_duration: longest such time.
        max_callback_gas: most gas that a consumer may ask for.
        max_input_length: most bytes of packed input in a request.
        court: constants of the court for bonded receipts.
        lazy: constants of the lazy market and its court.
        quorum: constants of the quorum market and its members' contract.
        srs: the reference string whose keys the verifier accepts.
        test_token: whether the test dollar is deployed; elsewhere the token must be named.
    """

    chain_id: int
    name: str
    exit_delay: int
    min_stake: int
    collateral_floor: int
    max_lifetime: int
    min_lock_duration: int
    max_lock_duration: int
    max_callback_gas: int
    max_input_length: int
    court: CourtConstants
    lazy: LazyConstants
    quorum: QuorumConstants
    srs: SrsKind
    test_token: bool

    @property
    def accepted_g2(self) -> tuple[str, str, str, str]:
        """VKA words 20 to 23 that the verifier accepts."""
        return g2_of(self.srs)


def _court(*, epoch_length: int, max_receipt_life: int, response_window: int) -> CourtConstants:
    """Of a slashed bond a fifth rewards the challenger and at least half burns; of a failed
    challenger's bond three quarters pay the executor."""
    return CourtConstants(
        epoch_length=epoch_length,
        max_receipt_life=max_receipt_life,
        response_window=response_window,
        min_bond=1,
        min_challenge_bond=1,
        max_challenge_bond=20,
        max_capacity=100_000,
        reward_bps=2_000,
        executor_bps=7_500,
        max_input_length=32 * 1024,
    )


def _lazy(*, min_challenge_window: int, min_response_window: int) -> LazyConstants:
    """Shares of slashed collateral and failed bonds are those of receipts."""
    return LazyConstants(
        reward_bps=2_000,
        min_challenge_window=min_challenge_window,
        max_challenge_window=12 * HOUR,
        min_response_window=min_response_window,
        max_response_window=6 * HOUR,
        # All that the registry lets a version have; the market accepts no less.
        max_output_length=64 * 1024,
        challenge_bond=4,
        executor_bps=7_500,
    )


def _quorum(*, seed_delay: int, min_window: int) -> QuorumConstants:
    """Three members at least, so that one of them can be outvoted."""
    return QuorumConstants(
        min_members=3,
        max_members=15,
        seed_delay=seed_delay,
        min_window=min_window,
        max_window=HOUR,
        max_output_length=32 * 1024,
        min_stake=10,
        seat_bond=5,
        outlier_slash=2,
    )


#: anvil. Short minima, so that expiry can be seen; everything else as elsewhere.
_DEVELOPMENT = ChainConstants(
    chain_id=DEVELOPMENT_CHAIN_ID,
    name="devnet",
    exit_delay=10 * DAY,
    min_stake=10,
    collateral_floor=1,
    max_lifetime=7 * DAY,
    min_lock_duration=5,
    max_lock_duration=DAY,
    max_callback_gas=1_000_000,
    max_input_length=32 * 1024,
    court=_court(epoch_length=HOUR, max_receipt_life=DAY, response_window=5 * MINUTE),
    lazy=_lazy(min_challenge_window=10, min_response_window=10),
    quorum=_quorum(seed_delay=1, min_window=5),
    srs="development",
    test_token=True,
)


def _public(chain_id: int, name: str) -> ChainConstants:
    """A public chain: the public SRS, a token that exists, locks that outlast congestion."""
    return ChainConstants(
        chain_id=chain_id,
        name=name,
        exit_delay=10 * DAY,
        min_stake=100,
        collateral_floor=1,
        max_lifetime=7 * DAY,
        min_lock_duration=2 * MINUTE,
        max_lock_duration=DAY,
        max_callback_gas=1_000_000,
        max_input_length=32 * 1024,
        court=_court(epoch_length=6 * HOUR, max_receipt_life=2 * DAY, response_window=6 * HOUR),
        lazy=_lazy(min_challenge_window=10 * MINUTE, min_response_window=10 * MINUTE),
        quorum=_quorum(seed_delay=2, min_window=2 * MINUTE),
        srs="perpetual-powers-of-tau",
        test_token=False,
    )


#: Chain ids: https://chainlist.org. Only chains whose `blockhash` nobody can foretell: it draws the
#: members of quorums and the lots of audits. That of Arbitrum chains is no randomness.
CHAINS: dict[int, ChainConstants] = {
    chain.chain_id: chain
    for chain in (
        _DEVELOPMENT,
        _public(11_155_111, "sepolia"),
        _public(84_532, "base-sepolia"),
    )
}


def chain_constants(chain_id: int) -> ChainConstants:
    """The constants of a chain.

    Raises:
        ConfigError: ``unknown-chain``.
    """
    try:
        return CHAINS[chain_id]
    except KeyError:
        raise ConfigError(
            "unknown-chain",
            f"there are no reviewed constants for chain {chain_id}",
            hint="known chains: "
            + ", ".join(f"{chain.chain_id} ({chain.name})" for chain in CHAINS.values()),
            chain_id=chain_id,
        ) from None
