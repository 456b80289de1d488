// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {InferenceConsumer} from "../consumer/InferenceConsumer.sol";
import {Tensor} from "../consumer/Tensor.sol";
import {TrustMode} from "../types/ModelTypes.sol";

/// @title A first consumer
/// @notice Asks a model for the label of some numbers, for whoever pays, and keeps the answer.
contract FirstConsumer is InferenceConsumer {
    /// @notice Label by request, plus one; zero until it is answered.
    mapping(uint256 requestId => uint256 labelPlusOne) public labelOf;

    constructor(address market, uint64 versionId) InferenceConsumer(market, versionId, ZK_ONLY) {}

    /// @notice Asks, at the caller's cost; he has approved `price` tokens to this contract.
    /// @param values whole numbers at the model's input scale, two bytes each.
    function ask(int256[] calldata values, uint128 price) external returns (uint256 requestId) {
        Terms memory terms = Terms({
            mode: TrustMode.ZK,
            price: price,
            minPrice: 0,
            rampLength: 0,
            collateral: 2 * price,
            lifetime: 1 hours,
            lockDuration: 10 minutes,
            executor: address(0),
            callbackGas: 100_000
        });
        return _askForCaller(terms, _packed(Tensor.pack(values, 2)), 0);
    }

    /// @inheritdoc InferenceConsumer
    function _onAnswer(uint256 requestId, Asked memory, bytes calldata output) internal override {
        labelOf[requestId] = Tensor.argmax(output, 4) + 1;
    }
}
