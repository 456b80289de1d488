// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title What is true of a pending request, one bit each
library RequestFlags {
    /// @dev There is a callback to look up.
    uint8 internal constant CALLBACK = 1;
    /// @dev There is a ramp to look up.
    uint8 internal constant RAMP = 2;
    /// @dev The present lock's claim has the second of the request's two claim ids: they take turns.
    uint8 internal constant SECOND_CLAIM = 4;
    /// @dev The claim under the other id is that of a lock which was missed.
    uint8 internal constant MISSED = 8;
}
