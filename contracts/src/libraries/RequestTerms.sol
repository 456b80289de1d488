// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Request} from "../types/MarketTypes.sol";

/// @title One digest for all that an executor agrees to by locking a request
library RequestTerms {
    /// @notice keccak256 of requester, version, mode, input binding, price, royalty, collateral, deadline, lock
    /// duration, named executor, callback and its gas, in this order, ABI-encoded.
    /// @dev None of them ever changes after the request was made. Encoded in halves: every value takes one word, so the
    /// concatenation is the encoding of all twelve, which the stack has no room for.
    function hash(Request storage stored) internal view returns (bytes32) {
        bytes memory head = abi.encode(
            stored.requester, stored.versionId, stored.mode, stored.inputBinding, stored.price, stored.royaltyBps
        );
        bytes memory tail = abi.encode(
            stored.collateral,
            stored.deadline,
            stored.lockDuration,
            stored.namedExecutor,
            stored.callback,
            stored.callbackGas
        );
        return keccak256(bytes.concat(head, tail));
    }
}
