// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReceiptCourt} from "./interfaces/IReceiptCourt.sol";
import {CourtLimits} from "./types/ReceiptTypes.sol";

/// @title Constants of a court
/// @notice Fixed at construction: what pools, receipts and challenges may ask for, and how bonds are split.
abstract contract ReceiptLimits is IReceiptCourt {
    /// @inheritdoc IReceiptCourt
    uint64 public immutable EPOCH_LENGTH;
    /// @inheritdoc IReceiptCourt
    uint64 public immutable MAX_RECEIPT_LIFE;
    /// @inheritdoc IReceiptCourt
    uint64 public immutable RESPONSE_WINDOW;
    /// @inheritdoc IReceiptCourt
    uint128 public immutable MIN_BOND;
    /// @inheritdoc IReceiptCourt
    uint128 public immutable MIN_CHALLENGE_BOND;
    /// @inheritdoc IReceiptCourt
    uint128 public immutable MAX_CHALLENGE_BOND;
    /// @inheritdoc IReceiptCourt
    uint32 public immutable MAX_CAPACITY;
    /// @inheritdoc IReceiptCourt
    uint16 public immutable REWARD_BPS;
    /// @inheritdoc IReceiptCourt
    uint16 public immutable EXECUTOR_BPS;
    /// @inheritdoc IReceiptCourt
    uint256 public immutable MAX_INPUT_LENGTH;

    /// @dev Basis points in a whole.
    uint256 private constant BPS = 10_000;
    /// @dev At least half of a slot's bond burns; the challenger gets at most half of the other half, so that the
    /// harmed one is left as much.
    uint16 private constant MOST_REWARD_BPS = 2500;
    /// @dev Of a failed challenger's bond at least a tenth burns: who challenges himself pays for it.
    uint16 private constant MOST_EXECUTOR_BPS = 9000;
    /// @dev A slip at deployment must not lock stake for good.
    uint64 private constant LONGEST = 365 days;

    constructor(CourtLimits memory limits) {
        // Check: times.
        if (
            limits.epochLength == 0 || limits.epochLength > LONGEST || limits.maxReceiptLife == 0
                || limits.maxReceiptLife > LONGEST || limits.responseWindow == 0 || limits.responseWindow > LONGEST
        ) revert ReceiptCourt_InvalidConfiguration();
        // Check: a lie always has something to lose, and a challenge too; amounts fit their storage.
        if (
            limits.minBond == 0 || limits.minBond > type(uint96).max || limits.minChallengeBond == 0
                || limits.minChallengeBond > limits.maxChallengeBond || limits.maxChallengeBond > type(uint96).max
        ) revert ReceiptCourt_InvalidConfiguration();
        // Check: room for a slot, and the splits.
        if (limits.maxCapacity == 0 || limits.rewardBps > MOST_REWARD_BPS || limits.executorBps > MOST_EXECUTOR_BPS) {
            revert ReceiptCourt_InvalidConfiguration();
        }
        // Effect
        EPOCH_LENGTH = limits.epochLength;
        MAX_RECEIPT_LIFE = limits.maxReceiptLife;
        RESPONSE_WINDOW = limits.responseWindow;
        MIN_BOND = limits.minBond;
        MIN_CHALLENGE_BOND = limits.minChallengeBond;
        MAX_CHALLENGE_BOND = limits.maxChallengeBond;
        MAX_CAPACITY = limits.maxCapacity;
        REWARD_BPS = limits.rewardBps;
        EXECUTOR_BPS = limits.executorBps;
        MAX_INPUT_LENGTH = limits.maxInputLength;
    }

    /// @inheritdoc IReceiptCourt
    function epochAt(uint64 timestamp) public view returns (uint64) {
        return timestamp / EPOCH_LENGTH;
    }

    /// @dev Who shows a lie gets this part of what it costs: at most a quarter.
    function _rewardOf(uint256 bond) internal view returns (uint256) {
        return bond * REWARD_BPS / BPS;
    }

    /// @dev What a slashed bond is split into. Both together are at most half; the rest burns.
    function _splitOfSlash(uint256 bond, uint256 price, address beneficiary)
        internal
        view
        returns (uint256 compensation, uint256 reward)
    {
        reward = _rewardOf(bond);
        if (beneficiary == address(0)) return (0, reward);
        uint256 most = bond / 2 - reward;
        compensation = price < most ? price : most;
    }

    /// @dev What a failed challenger's bond is split into: to the unit, both make the bond.
    function _splitOfFailure(uint256 challengeBond) internal view returns (uint256 paid, uint256 burned) {
        paid = challengeBond * EXECUTOR_BPS / BPS;
        burned = challengeBond - paid;
    }
}
