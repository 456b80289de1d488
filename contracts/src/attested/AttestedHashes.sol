// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest} from "./AttestedTypes.sol";

/// @title EIP-712 hashes of attested requests
library AttestedHashes {
    /// @notice EIP-712 type of `AttestedRequest`.
    // solhint-disable-next-line gas-small-strings
    bytes32 internal constant TYPE_HASH = keccak256(
        "AttestedInferenceRequest(address requester,uint64 versionId,bytes32 inputDigest,bytes32 inputBinding,"
        "uint128 maxPrice,uint128 minPrice,uint64 rampStart,uint32 rampLength,uint64 deadline,address verifier,"
        "bytes32 policy,address executor,address callback,uint32 callbackGas,uint256 nonce,string inputHint)"
    );

    /// @notice EIP-712's hashStruct.
    /// @dev Encoded in halves: every member takes one word, so the concatenation is the encoding of all, which the
    /// stack has no room for.
    function structHash(AttestedRequest calldata request) internal pure returns (bytes32) {
        bytes memory head = abi.encode(
            TYPE_HASH,
            request.requester,
            request.versionId,
            request.inputDigest,
            request.inputBinding,
            request.maxPrice,
            request.minPrice,
            request.rampStart,
            request.rampLength
        );
        bytes memory tail = abi.encode(
            request.deadline,
            request.verifier,
            request.policy,
            request.executor,
            request.callback,
            request.callbackGas,
            request.nonce,
            keccak256(bytes(request.inputHint))
        );
        return keccak256(bytes.concat(head, tail));
    }
}
