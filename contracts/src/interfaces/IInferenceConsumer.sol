// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Receiver of final outputs
interface IInferenceConsumer {
    /// @notice Called by the market once, in the transaction that makes the output final, with a limited amount of gas.
    /// @dev Anybody may name any contract as callback of any request: check `msg.sender`, the version and, where it
    /// matters, the requester. A revert undoes neither the payment nor the result.
    /// @param inputDigest keccak256 of the packed input as the requester stated it; proven only where it equals
    /// `inputBinding`.
    /// @param inputBinding what the proof was tied to.
    /// @param output packed output, proven for `versionId` and `inputBinding`.
    function onInference(
        uint256 requestId,
        uint64 versionId,
        address requester,
        bytes32 inputDigest,
        bytes32 inputBinding,
        bytes calldata output
    ) external;
}
