// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {PriceRamps} from "../../src/libraries/PriceRamps.sol";

/// @notice Prices that rise, at any time.
/// @dev The types bound prices and times as `MarketLimits` does. Where the slope matters the ramp is a fixed one: no
/// solver multiplies and divides two unknown words in a day. `fuzz/PriceRamps.t.sol` plays with all of them.
contract PriceRampsSymbolic {
    function check_leastBeforeAndMostAfter(uint88 least, uint88 most, uint40 start, uint24 length, uint40 time)
        external
        pure
    {
        if (least > most) return;
        uint256 price = PriceRamps.priceAt(least, most, start, length, time);
        if (time >= uint256(start) + length) assert(price == most);
        else if (time <= start) assert(price == least);
    }

    function check_aRampOfNoLengthIsFlat(uint88 price, uint40 time) external pure {
        assert(PriceRamps.priceAt(0, price, 0, 0, time) == price);
    }

    function check_neverOutsideOfItsBounds(uint40 start, uint40 time) external pure {
        uint256 price = PriceRamps.priceAt(250_000, 3_500_000, start, 3600, time);
        assert(price >= 250_000);
        assert(price <= 3_500_000);
    }
}
