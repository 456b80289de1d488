// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyClaim, LazyLock, LazyRequest} from "../types/LazyTypes.sol";

/// @title Hashes of lazy requests and of what became of them
library LazyHashes {
    /// @notice EIP-712 type of `LazyRequest`.
    // solhint-disable-next-line gas-small-strings
    bytes32 internal constant TYPE_HASH = keccak256(
        "LazyInferenceRequest(address requester,uint64 versionId,bytes32 inputDigest,bytes32 inputBinding,uint128 maxPrice,uint128 minPrice,uint64 rampStart,uint32 rampLength,uint128 collateral,uint64 deadline,uint32 lockDuration,uint32 challengeWindow,uint32 responseWindow,uint16 auditBps,address executor,address callback,uint32 callbackGas,uint256 nonce,string inputHint)"
    );

    /// @dev Words of a request before its hint, of a lock, of a claim.
    uint256 private constant REQUEST_WORDS = 18;
    uint256 private constant CLAIM_WORDS = 16;

    /// @notice EIP-712's hashStruct.
    /// @dev Every member but the hint is one word, in place and in order. Words that are too large for their type give
    /// an id that nobody signs, and are refused where they are used.
    function structHash(LazyRequest calldata request) internal pure returns (bytes32 digest) {
        bytes32 typeHash = TYPE_HASH;
        bytes32 hint = keccak256(bytes(request.inputHint));
        uint256 length = REQUEST_WORDS * 32;
        assembly ("memory-safe") {
            // Above the free pointer, and not kept.
            let at := mload(0x40)
            mstore(at, typeHash)
            calldatacopy(add(at, 0x20), request, length)
            mstore(add(add(at, 0x20), length), hint)
            digest := keccak256(at, add(length, 0x40))
        }
    }

    /// @notice keccak256(abi.encode(lock)).
    function hash(LazyLock memory lock) internal pure returns (bytes32) {
        return keccak256(abi.encode(lock));
    }

    /// @notice keccak256(abi.encode(claim)), of a claim that is being made.
    function hash(LazyClaim memory claim) internal pure returns (bytes32 digest) {
        uint256 length = CLAIM_WORDS * 32;
        assembly ("memory-safe") {
            // In memory, too, every member is one word, in order.
            digest := keccak256(claim, length)
        }
    }

    /// @notice keccak256(abi.encode(claim)), of a claim that is shown. No market made one with words that are too large
    /// for their type, so such a one fits no record.
    function hashShown(LazyClaim calldata claim) internal pure returns (bytes32 digest) {
        uint256 length = CLAIM_WORDS * 32;
        assembly ("memory-safe") {
            let at := mload(0x40)
            calldatacopy(at, claim, length)
            digest := keccak256(at, length)
        }
    }

    /// @notice What a challenger commits to.
    function commitment(address challenger, address market, bytes32 claimHash, bytes32 salt)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(challenger, market, claimHash, salt));
    }
}
