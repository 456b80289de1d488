// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRecordMarket} from "../interfaces/IRecordMarket.sol";
import {IoSchema} from "../libraries/IoSchema.sol";
import {PriceRamps} from "../libraries/PriceRamps.sol";
import {InputBinding, TrustMode} from "../types/ModelTypes.sol";
import {RecordLimits} from "../types/RecordTypes.sol";
import {MarketAccounts} from "./MarketAccounts.sol";
import {MarketBatch} from "./MarketBatch.sol";
import {MarketCallbacks} from "./MarketCallbacks.sol";
import {MarketRecords} from "./MarketRecords.sol";
import {MarketSignatures} from "./MarketSignatures.sol";
import {MarketVersions} from "./MarketVersions.sol";

/// @title Base of the markets that keep one word per request
/// @notice Accounts, versions, signatures, records, results, callbacks, batches, and what may be asked for. Each market
/// is deployed by itself and has its own deposits: a hole in one cannot move the money of another.
abstract contract RecordMarket is MarketVersions, MarketSignatures, MarketCallbacks, MarketBatch {
    /// @inheritdoc IRecordMarket
    uint64 public immutable MAX_LIFETIME;
    /// @inheritdoc IRecordMarket
    uint256 public immutable MAX_INPUT_LENGTH;
    /// @inheritdoc IRecordMarket
    uint256 public immutable MAX_OUTPUT_LENGTH;

    uint256 private constant MAX_HINT_LENGTH = 256;

    constructor(
        string memory name,
        TrustMode mode,
        address token_,
        address registry_,
        address signatureValidator_,
        RecordLimits memory limits
    )
        MarketAccounts(token_, registry_)
        MarketRecords(mode)
        MarketSignatures(name, signatureValidator_)
        MarketCallbacks(limits.maxCallbackGas)
    {
        // Check: room for a request.
        if (limits.maxLifetime == 0 || limits.maxLifetime > type(uint32).max || limits.maxOutputLength == 0) {
            revert RecordMarket_InvalidConfiguration();
        }
        // Effect
        MAX_LIFETIME = limits.maxLifetime;
        MAX_INPUT_LENGTH = limits.maxInputLength;
        MAX_OUTPUT_LENGTH = limits.maxOutputLength;
    }

    /// @param input the packed input, or empty.
    function _checkInput(bytes32 inputDigest, bytes calldata input, string calldata inputHint) internal view {
        // Check: bounded, and the bytes are the ones that the digest names.
        if (input.length > MAX_INPUT_LENGTH) revert RecordMarket_InputTooLong(input.length, MAX_INPUT_LENGTH);
        if (bytes(inputHint).length > MAX_HINT_LENGTH) {
            revert RecordMarket_HintTooLong(bytes(inputHint).length, MAX_HINT_LENGTH);
        }
        if (inputDigest == 0) revert RecordMarket_ZeroInputDigest();
        if (input.length != 0 && keccak256(input) != inputDigest) {
            revert RecordMarket_InputDigestMismatch(keccak256(input), inputDigest);
        }
    }

    /// @param earliest least deadline, in seconds.
    function _checkDeadline(uint64 deadline, uint256 earliest) internal view {
        // Timestamps fit 64 bits.
        uint64 latest = uint64(block.timestamp) + MAX_LIFETIME;
        if (deadline < earliest || deadline > latest) {
            revert RecordMarket_DeadlineOutOfRange(deadline, uint64(earliest), latest);
        }
    }

    function _checkOutput(bytes calldata output) internal view {
        if (output.length > MAX_OUTPUT_LENGTH) revert RecordMarket_OutputTooLong(output.length, MAX_OUTPUT_LENGTH);
    }

    /// @dev What cannot be delivered must not be asked for: who answers would lose stake or work for an answer that he
    /// has.
    function _checkDeliverable(uint64 versionId) internal view {
        bytes memory schema = REGISTRY.ioSchema(versionId);
        uint256 inputs = IoSchema.inputCount(schema);
        (, uint256 length) = IoSchema.extent(schema, inputs, inputs + IoSchema.outputCount(schema));
        if (length > MAX_OUTPUT_LENGTH) {
            revert RecordMarket_UndeliverableOutput(versionId, length, MAX_OUTPUT_LENGTH);
        }
    }

    /// @dev Prices rise in time from the least to the most, and a flat price has one spelling.
    function _checkPrices(uint256 most, uint256 least, uint64 rampStart, uint32 rampLength, uint64 deadline)
        internal
        pure
    {
        if (most > type(uint88).max) revert RecordMarket_PriceTooHigh(most, type(uint88).max);
        bool fits = rampLength == 0
            ? least == 0 && rampStart == 0
            : least < most && rampStart <= deadline && rampLength <= deadline - rampStart;
        if (!fits) revert RecordMarket_InvalidRamp(least, most, rampStart, rampLength);
    }

    /// @dev Price of this second, for checked prices.
    function _priceNow(uint256 most, uint256 least, uint64 rampStart, uint32 rampLength)
        internal
        view
        returns (uint128)
    {
        if (rampLength == 0) return uint128(most);
        return uint128(PriceRamps.priceAt(least, most, rampStart, rampLength, block.timestamp));
    }

    /// @dev Packed inputs are bound by their own digest.
    function _checkBinding(InputBinding binding, bytes32 inputBinding, bytes32 inputDigest) internal pure {
        if (binding == InputBinding.PACKED && inputBinding != inputDigest) {
            revert RecordMarket_InputBindingMismatch(inputBinding, inputDigest);
        }
    }
}
