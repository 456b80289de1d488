// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRecordMarket} from "../interfaces/IRecordMarket.sol";
import {BoundedCall} from "../libraries/BoundedCall.sol";

/// @title Several calls in one transaction
/// @notice Each call runs as if the caller had sent it by itself, with its own guard, and one that reverts takes back
/// its own changes only.
/// @dev By DELEGATECALL to this contract's own code, which cannot change. Nothing here is payable, so no value is
/// counted twice. The gas of one call is what those before it left: whatever a call promises to others (callbacks, the
/// code of accounts) it checks before it relies on it, so too little gas makes a call fail and never succeed otherwise.
abstract contract MarketBatch is IRecordMarket {
    /// @dev Bytes of a revert's reason that are logged.
    uint256 private constant MAX_REASON = 256;

    /// @inheritdoc IRecordMarket
    function batch(bytes[] calldata calls) external returns (uint256 done) {
        // Interaction: with itself.
        for (uint256 i = 0; i < calls.length; ++i) {
            if (BoundedCall.tryItself(calls[i])) ++done;
            else emit CallSkipped(msg.sender, i, BoundedCall.lastReturned(MAX_REASON));
        }
        if (done == 0) revert RecordMarket_NothingDone();
    }
}
