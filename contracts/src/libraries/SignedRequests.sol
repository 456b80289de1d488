// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SignedRequest} from "../types/MarketTypes.sol";

/// @title EIP-712 hashes of requests
/// @notice The one thing that requesters sign. Whatever else is signed under the market's domain has another type, so
/// that no signature can be taken for one of another thing.
library SignedRequests {
    // solhint-disable gas-small-strings
    bytes32 internal constant TYPE_HASH = keccak256(
        "InferenceRequest(address requester,uint64 versionId,uint8 mode,bytes32 inputDigest,bytes32 inputBinding,uint128 maxPrice,uint128 minPrice,uint64 rampStart,uint32 rampLength,uint128 collateral,uint64 deadline,uint32 lockDuration,address executor,address callback,uint32 callbackGas,uint256 nonce,string inputHint)"
    );

    // solhint-enable gas-small-strings

    /// @notice EIP-712's hashStruct.
    /// @dev `params` is static, so its ABI encoding in place is that of its members, one word each, in their order.
    function structHash(SignedRequest calldata signed) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(TYPE_HASH, signed.requester, signed.params, signed.nonce, keccak256(bytes(signed.inputHint)))
        );
    }
}
