// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILazyMarket} from "../interfaces/ILazyMarket.sol";
import {LazyClaim} from "../types/LazyTypes.sol";

/// @title The event that every answer pays for
library LazyEvents {
    /// @dev Of a claim and the two offsets that follow it.
    uint256 private constant CLAIM_LENGTH = 16 * 32;
    uint256 private constant HEAD_LENGTH = 18 * 32;

    /// @notice `emit ILazyMarket.Answered(...)`, without encoding word by word what lies in memory just as the event
    /// has it: 16 words of a claim, then offsets, lengths and bytes of output and hint.
    /// @dev Allocates nothing.
    function emitAnswered(LazyClaim memory claim, bytes calldata output, string calldata inputHint) internal {
        bytes32 topic = ILazyMarket.Answered.selector;
        bytes calldata hint = bytes(inputHint);
        assembly ("memory-safe") {
            let data := mload(0x40)
            mcopy(data, claim, CLAIM_LENGTH)
            let at := add(data, HEAD_LENGTH)
            mstore(add(data, CLAIM_LENGTH), HEAD_LENGTH)
            mstore(at, output.length)
            at := add(at, 0x20)
            calldatacopy(at, output.offset, output.length)
            // Zeros up to a whole word.
            mstore(add(at, output.length), 0)
            at := add(at, and(add(output.length, 0x1f), not(0x1f)))
            mstore(add(data, add(CLAIM_LENGTH, 0x20)), sub(at, data))
            mstore(at, hint.length)
            at := add(at, 0x20)
            calldatacopy(at, hint.offset, hint.length)
            mstore(add(at, hint.length), 0)
            at := add(at, and(add(hint.length, 0x1f), not(0x1f)))
            // Request, executor, version: members 0, 3 and 1 of the claim.
            log4(data, sub(at, data), topic, mload(claim), mload(add(claim, 0x60)), mload(add(claim, 0x20)))
        }
    }
}
