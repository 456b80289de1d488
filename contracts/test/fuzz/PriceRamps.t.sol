// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {PriceRamps} from "../../src/libraries/PriceRamps.sol";
import {Base} from "../Base.t.sol";

contract PriceRampsFuzz is Base {
    function testFuzz_staysBetweenAndNeverFalls(uint88 a, uint88 b, uint40 start, uint24 length, uint40 t, uint40 later)
        external
        pure
    {
        (uint256 least, uint256 most) = a < b ? (a, b) : (b, a);
        uint256 price = PriceRamps.priceAt(least, most, start, length, t);
        assertGe(price, least, "not below");
        assertLe(price, most, "not above");
        if (later >= t) assertGe(PriceRamps.priceAt(least, most, start, length, later), price, "never falls");
    }

    function testFuzz_theEnds(uint88 a, uint88 b, uint40 start, uint24 length) external pure {
        (uint256 least, uint256 most) = a < b ? (a, b) : (b, a);
        uint256 end = uint256(start) + length;
        assertEq(PriceRamps.priceAt(least, most, start, length, start), length == 0 ? most : least, "at its start");
        assertEq(PriceRamps.priceAt(least, most, start, length, end), most, "at its end");
    }

    function testFuzz_halfway(uint88 least, uint64 rise, uint40 start, uint16 half) external pure {
        if (half == 0) return;
        uint256 most = uint256(least) + 2 * uint256(rise);
        uint256 price = PriceRamps.priceAt(least, most, start, 2 * uint256(half), uint256(start) + half);
        assertEq(price, uint256(least) + rise, "halfway");
    }
}
