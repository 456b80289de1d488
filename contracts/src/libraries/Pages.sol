// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Bounds of a page
library Pages {
    /// @notice First and last-plus-one index of a page; empty where `offset` is past the end.
    function bounds(uint256 total, uint256 offset, uint256 limit) internal pure returns (uint256 start, uint256 end) {
        start = offset < total ? offset : total;
        end = limit < total - start ? start + limit : total;
    }
}
