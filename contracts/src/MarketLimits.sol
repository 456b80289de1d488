// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IInferenceMarket} from "./interfaces/IInferenceMarket.sol";
import {Limits, RequestParams} from "./types/MarketTypes.sol";

/// @title What a market lets a request ask for
/// @notice Bounds fixed at construction, and the checks against them. Requests are in `InferenceMarket`, which extends
/// this.
abstract contract MarketLimits is IInferenceMarket {
    /// @inheritdoc IInferenceMarket
    uint128 public immutable COLLATERAL_FLOOR;
    /// @inheritdoc IInferenceMarket
    uint64 public immutable MAX_LIFETIME;
    /// @inheritdoc IInferenceMarket
    uint32 public immutable MIN_LOCK_DURATION;
    /// @inheritdoc IInferenceMarket
    uint32 public immutable MAX_LOCK_DURATION;
    /// @inheritdoc IInferenceMarket
    uint32 public immutable MAX_CALLBACK_GAS;
    /// @inheritdoc IInferenceMarket
    uint256 public immutable MAX_INPUT_LENGTH;

    constructor(Limits memory limits) {
        // Check: the bounds leave room for a request, and a lock always has something to lose.
        if (
            limits.collateralFloor == 0 || limits.minLockDuration == 0
                || limits.minLockDuration > limits.maxLockDuration || limits.maxLockDuration > limits.maxLifetime
        ) revert InferenceMarket_InvalidConfiguration();
        // Check: what a request may ask for fits its storage, for the next 30,000 years.
        if (
            limits.collateralFloor > type(uint88).max || limits.maxLockDuration > type(uint24).max
                || limits.maxLifetime > type(uint32).max
        ) revert InferenceMarket_InvalidConfiguration();
        // Effect
        COLLATERAL_FLOOR = limits.collateralFloor;
        MAX_LIFETIME = limits.maxLifetime;
        MIN_LOCK_DURATION = limits.minLockDuration;
        MAX_LOCK_DURATION = limits.maxLockDuration;
        MAX_CALLBACK_GAS = limits.maxCallbackGas;
        MAX_INPUT_LENGTH = limits.maxInputLength;
    }

    /// @param earliest least deadline, in seconds.
    function _checkBounds(RequestParams calldata params, uint256 earliest) internal view {
        // Check: amounts fit their storage.
        if (params.maxPrice > type(uint88).max) {
            revert InferenceMarket_PriceTooHigh(params.maxPrice, type(uint88).max);
        }
        if (params.collateral > type(uint88).max) {
            revert InferenceMarket_CollateralTooHigh(params.collateral, type(uint88).max);
        }
        // Check: collateral, lock, deadline, callback.
        if (params.collateral < COLLATERAL_FLOOR) {
            revert InferenceMarket_CollateralBelowFloor(params.collateral, COLLATERAL_FLOOR);
        }
        if (params.lockDuration < MIN_LOCK_DURATION || params.lockDuration > MAX_LOCK_DURATION) {
            revert InferenceMarket_LockDurationOutOfRange(params.lockDuration, MIN_LOCK_DURATION, MAX_LOCK_DURATION);
        }
        // Timestamps fit 64 bits.
        uint64 latest = uint64(block.timestamp) + MAX_LIFETIME;
        if (params.deadline < earliest || params.deadline > latest) {
            revert InferenceMarket_DeadlineOutOfRange(params.deadline, uint64(earliest), latest);
        }
        _checkRamp(params);
        if (params.callbackGas > MAX_CALLBACK_GAS) {
            revert InferenceMarket_CallbackGasTooHigh(params.callbackGas, MAX_CALLBACK_GAS);
        }
        if (params.callback == address(0) && params.callbackGas != 0) {
            revert InferenceMarket_CallbackGasWithoutCallback();
        }
    }

    /// @dev A flat price has one spelling, and a ramp rises, fits its storage and reaches its top in time.
    function _checkRamp(RequestParams calldata params) private pure {
        bool fits = params.rampLength == 0
            ? params.minPrice == 0 && params.rampStart == 0
            : params.minPrice < params.maxPrice && params.rampLength <= type(uint24).max
                && params.rampStart <= params.deadline && params.rampLength <= params.deadline - params.rampStart;
        if (!fits) {
            revert InferenceMarket_InvalidRamp(params.minPrice, params.maxPrice, params.rampStart, params.rampLength);
        }
    }
}
