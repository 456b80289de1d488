// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumRequest, QuorumRound} from "./QuorumTypes.sol";

/// @title Hashes of quorum requests, rounds and commitments
library QuorumHashes {
    /// @notice EIP-712 type of `QuorumRequest`.
    // solhint-disable-next-line gas-small-strings
    bytes32 internal constant TYPE_HASH = keccak256(
        "QuorumInferenceRequest(address requester,uint64 versionId,bytes32 runtimeClass,bytes32 inputDigest,"
        "bytes32 inputBinding,uint128 price,uint8 members,uint8 threshold,uint128 minEligible,uint64 deadline,"
        "uint32 commitWindow,uint32 revealWindow,address callback,uint32 callbackGas,uint256 nonce,string inputHint)"
    );

    /// @notice EIP-712's hashStruct.
    /// @dev Encoded in halves: every member takes one word, so the concatenation is the encoding of all, which the
    /// stack has no room for.
    function structHash(QuorumRequest calldata request) internal pure returns (bytes32) {
        bytes memory head = abi.encode(
            TYPE_HASH,
            request.requester,
            request.versionId,
            request.runtimeClass,
            request.inputDigest,
            request.inputBinding,
            request.price,
            request.members,
            request.threshold
        );
        bytes memory tail = abi.encode(
            request.minEligible,
            request.deadline,
            request.commitWindow,
            request.revealWindow,
            request.callback,
            request.callbackGas,
            request.nonce,
            keccak256(bytes(request.inputHint))
        );
        return keccak256(bytes.concat(head, tail));
    }

    /// @notice What the market keeps of a round.
    function roundHash(QuorumRound memory round) internal pure returns (bytes32) {
        return keccak256(abi.encode(round));
    }

    /// @notice What a member commits to. It holds the member and the request, whose id holds chain and market: copied
    /// by anybody else, or in any other round, it cannot be revealed.
    function commitment(address member, uint256 requestId, bytes32 salt, bytes32 outputDigest)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(member, requestId, salt, outputDigest));
    }
}
