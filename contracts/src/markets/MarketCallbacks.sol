// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IInferenceConsumer} from "../interfaces/IInferenceConsumer.sol";
import {IRecordMarket} from "../interfaces/IRecordMarket.sol";
import {BoundedCall} from "../libraries/BoundedCall.sol";

/// @title Calls to those who wait for an output
/// @notice Nothing that a callback does changes what is paid and stored, and it gets the gas that was promised: with
/// less, whoever sends the transaction could make it fail at will.
abstract contract MarketCallbacks is IRecordMarket {
    /// @dev Whom to call about which request.
    struct Callback {
        uint256 requestId;
        uint64 versionId;
        address requester;
        bytes32 inputDigest;
        bytes32 inputBinding;
        address callback;
        uint32 callbackGas;
    }

    /// @inheritdoc IRecordMarket
    uint32 public immutable MAX_CALLBACK_GAS;

    /// @dev Bytes of a callback's return data that are copied and logged.
    uint256 private constant MAX_RETURNED = 256;
    /// @dev Gas kept beside the callback's: the call itself (2,600 for a cold account) and the log after it.
    uint256 internal constant CALLBACK_RESERVE = 20_000;

    constructor(uint32 maxCallbackGas) {
        MAX_CALLBACK_GAS = maxCallbackGas;
    }

    /// @dev To be called last: foreign code.
    function _callBack(Callback memory called, bytes calldata output) internal {
        bytes memory data = abi.encodeCall(
            IInferenceConsumer.onInference,
            (called.requestId, called.versionId, called.requester, called.inputDigest, called.inputBinding, output)
        );
        _requireGas(called.callbackGas + CALLBACK_RESERVE);
        // Interaction
        (bool success, bytes memory returned) =
            BoundedCall.tryCall(called.callback, called.callbackGas, MAX_RETURNED, data);
        emit CallbackExecuted(called.requestId, called.callback, success, returned);
    }

    /// @dev Where several callbacks follow, ask for the gas of all before the first: one that takes all that it may
    /// must not make the others' turn fail, and with it the transaction.
    function _requireGas(uint256 promised) internal view {
        // Check: EIP-150 keeps back one 64th of the gas at each call.
        uint256 passable = gasleft() * 63 / 64;
        if (passable < promised) revert RecordMarket_NotEnoughGasForCallback(passable, promised);
    }

    function _checkCallback(address callback, uint32 callbackGas) internal view {
        if (callbackGas > MAX_CALLBACK_GAS) revert RecordMarket_CallbackGasTooHigh(callbackGas, MAX_CALLBACK_GAS);
        if (callback == address(0) && callbackGas != 0) revert RecordMarket_CallbackGasWithoutCallback();
    }
}
