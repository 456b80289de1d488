// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILazyMarket} from "../interfaces/ILazyMarket.sol";
import {IZkVerifier} from "../interfaces/IZkVerifier.sol";
import {RecordMarket} from "../markets/RecordMarket.sol";
import {LazyLimits, LazyRequest} from "../types/LazyTypes.sol";
import {Version} from "../types/ModelTypes.sol";

/// @title What a lazy request may ask for
/// @notice Bounds fixed at construction and the checks against them, and how collateral is split.
abstract contract LazyBounds is RecordMarket, ILazyMarket {
    /// @inheritdoc ILazyMarket
    uint128 public immutable COLLATERAL_FLOOR;
    /// @inheritdoc ILazyMarket
    uint16 public immutable REWARD_BPS;
    /// @inheritdoc ILazyMarket
    uint32 public immutable MIN_LOCK_DURATION;
    /// @inheritdoc ILazyMarket
    uint32 public immutable MAX_LOCK_DURATION;
    /// @inheritdoc ILazyMarket
    uint32 public immutable MIN_CHALLENGE_WINDOW;
    /// @inheritdoc ILazyMarket
    uint32 public immutable MAX_CHALLENGE_WINDOW;
    /// @inheritdoc ILazyMarket
    uint32 public immutable MIN_RESPONSE_WINDOW;
    /// @inheritdoc ILazyMarket
    uint32 public immutable MAX_RESPONSE_WINDOW;

    /// @dev Basis points in a whole.
    uint16 private constant ALL_BPS = 10_000;
    /// @dev At least half of the collateral burns; the challenger gets at most half of the other half, so that the
    /// harmed one is left as much.
    uint16 private constant MOST_REWARD_BPS = 2500;

    IZkVerifier internal immutable ZK_VERIFIER;

    constructor(address zkVerifier_, LazyLimits memory limits) {
        // Check: the parts belong together.
        if (IZkVerifier(zkVerifier_).registry() != address(REGISTRY)) revert RecordMarket_InvalidConfiguration();
        // Check: a lie always has something to lose.
        if (limits.collateralFloor == 0 || limits.rewardBps > MOST_REWARD_BPS) {
            revert RecordMarket_InvalidConfiguration();
        }
        _checkRange(limits.minLockDuration, limits.maxLockDuration);
        _checkRange(limits.minChallengeWindow, limits.maxChallengeWindow);
        _checkRange(limits.minResponseWindow, limits.maxResponseWindow);
        if (limits.maxLockDuration > MAX_LIFETIME) revert RecordMarket_InvalidConfiguration();
        // Effect
        ZK_VERIFIER = IZkVerifier(zkVerifier_);
        COLLATERAL_FLOOR = limits.collateralFloor;
        REWARD_BPS = limits.rewardBps;
        MIN_LOCK_DURATION = limits.minLockDuration;
        MAX_LOCK_DURATION = limits.maxLockDuration;
        MIN_CHALLENGE_WINDOW = limits.minChallengeWindow;
        MAX_CHALLENGE_WINDOW = limits.maxChallengeWindow;
        MIN_RESPONSE_WINDOW = limits.minResponseWindow;
        MAX_RESPONSE_WINDOW = limits.maxResponseWindow;
    }

    /// @inheritdoc ILazyMarket
    function zkVerifier() external view returns (address) {
        return address(ZK_VERIFIER);
    }

    /// @param earliest least deadline, in seconds.
    /// @return terms of its version.
    function _checkRequest(LazyRequest calldata wanted, bytes calldata input, uint256 earliest)
        internal
        returns (Terms memory terms)
    {
        // Check: what is asked, and for how long.
        terms = _termsOf(wanted.versionId);
        _checkInput(wanted.inputDigest, input, wanted.inputHint);
        _checkBinding(terms.binding, wanted.inputBinding, wanted.inputDigest);
        _checkDeadline(wanted.deadline, earliest);
        _checkPrices(wanted.maxPrice, wanted.minPrice, wanted.rampStart, wanted.rampLength, wanted.deadline);
        _checkCallback(wanted.callback, wanted.callbackGas);
        // Check: what the executor answers for, and what time everybody has.
        _checkBacking(wanted.collateral, wanted.auditBps);
        _checkWindows(wanted, terms.proofSeconds);
    }

    /// @dev A claim can be proven: its version has a circuit for one row, whose key is there. What is never proven is
    /// not lazy.
    function _checkVersion(uint64 versionId, Version memory) internal view override {
        (bytes32 vkaDigest, bool stored) = ZK_VERIFIER.rowKey(versionId);
        if (vkaDigest == 0) revert LazyMarket_NoUsableCircuit(versionId);
        if (!stored) revert LazyMarket_VkaNotRegistered(vkaDigest);
    }

    /// @dev What the collateral of a wrong answer is split into: both together are at most half, the rest burns.
    function _splitOfSlash(uint256 collateral, uint256 price)
        internal
        view
        returns (uint256 compensation, uint256 reward)
    {
        reward = collateral * REWARD_BPS / ALL_BPS;
        uint256 most = collateral / 2 - reward;
        compensation = price < most ? price : most;
    }

    function _checkBacking(uint128 collateral, uint16 auditBps) private view {
        if (collateral < COLLATERAL_FLOOR) revert LazyMarket_CollateralBelowFloor(collateral, COLLATERAL_FLOOR);
        if (auditBps > ALL_BPS) revert LazyMarket_AuditBpsTooHigh(auditBps, ALL_BPS);
    }

    function _checkWindows(LazyRequest calldata wanted, uint32 proofSeconds) private view {
        uint32 duration = wanted.lockDuration;
        if (duration < MIN_LOCK_DURATION || duration > MAX_LOCK_DURATION) {
            revert LazyMarket_LockDurationOutOfRange(duration, MIN_LOCK_DURATION, MAX_LOCK_DURATION);
        }
        duration = wanted.challengeWindow;
        if (duration < MIN_CHALLENGE_WINDOW || duration > MAX_CHALLENGE_WINDOW) {
            revert LazyMarket_ChallengeWindowOutOfRange(duration, MIN_CHALLENGE_WINDOW, MAX_CHALLENGE_WINDOW);
        }
        // Check: an honest executor has the time that a proof takes.
        duration = wanted.responseWindow;
        uint32 least = proofSeconds > MIN_RESPONSE_WINDOW ? proofSeconds : MIN_RESPONSE_WINDOW;
        if (duration < least || duration > MAX_RESPONSE_WINDOW) {
            revert LazyMarket_ResponseWindowOutOfRange(duration, least, MAX_RESPONSE_WINDOW);
        }
    }

    function _checkRange(uint32 least, uint32 most) private pure {
        if (least == 0 || least > most) revert RecordMarket_InvalidConfiguration();
    }
}
