// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../src/interfaces/IInferenceConsumer.sol";

/// @title Writes down what it was told last, and by whom
contract Listener is IInferenceConsumer {
    bytes public heard;

    function onInference(
        uint256 requestId,
        uint64 versionId,
        address requester,
        bytes32 inputDigest,
        bytes32 inputBinding,
        bytes calldata output
    ) external {
        heard = abi.encode(msg.sender, requestId, versionId, requester, inputDigest, inputBinding, output);
    }
}
