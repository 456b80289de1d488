// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Receipt} from "../types/ReceiptTypes.sol";

/// @title Hashes of receipts
library Receipts {
    /// @notice EIP-712 type of `Receipt`.
    // solhint-disable-next-line gas-small-strings
    bytes32 internal constant TYPEHASH = keccak256(
        "Receipt(uint64 versionId,bytes32 inputBinding,bytes32 inputDigest,bytes32 outputDigest,"
        "address executor,address beneficiary,uint128 price,uint128 bond,"
        "uint64 issued,uint64 expires,uint64 epoch,uint32 slot)"
    );

    /// @notice EIP-712's hashStruct. Every member takes one word, in order, so the ABI encoding is EIP-712's.
    function hash(Receipt calldata receipt) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPEHASH, receipt));
    }

    /// @notice keccak256 of the packed input, which the receipt carries itself or in its binding.
    function packedDigest(Receipt calldata receipt) internal pure returns (bytes32) {
        return receipt.inputDigest == 0 ? receipt.inputBinding : receipt.inputDigest;
    }

    /// @notice What a proof can settle: equal for all receipts that say the same.
    function subject(uint64 versionId, bytes32 inputBinding, bytes32 outputDigest) internal pure returns (bytes32) {
        return keccak256(abi.encode(versionId, inputBinding, outputDigest));
    }

    /// @notice What a challenger commits to. It holds him, so that nobody else can open it.
    function commitment(address challenger, bytes32 digest, bytes32 salt) internal pure returns (bytes32) {
        return keccak256(abi.encode(challenger, digest, salt));
    }

    /// @notice What a reporter of equivocation commits to in place of a receipt's digest.
    function pairDigest(bytes32 first, bytes32 second) internal pure returns (bytes32) {
        return keccak256(abi.encode(first, second));
    }
}
