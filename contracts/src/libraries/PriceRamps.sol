// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Prices that rise until somebody takes them
/// @notice A reverse Dutch auction: the least price until the ramp starts, the most from its end on, a straight line
/// between. A ramp of no length that started at the beginning of time is a flat price.
library PriceRamps {
    /// @notice Price at a time, rounded down; never falls as time passes.
    /// @dev The caller keeps prices below 2^88 and times below 2^40: nothing overflows.
    function priceAt(uint256 least, uint256 most, uint256 start, uint256 length, uint256 time)
        internal
        pure
        returns (uint256)
    {
        if (time >= start + length) return most;
        if (time <= start) return least;
        return least + (most - least) * (time - start) / length;
    }
}
