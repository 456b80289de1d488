// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {PriceHistory} from "../../src/examples/PriceHistory.sol";
import {Base} from "../Base.t.sol";

/// @notice Average prices against a list of all prices, second by second in effect.
contract PriceHistoryFuzz is Base {
    using PriceHistory for PriceHistory.History;

    uint256 internal constant PERIOD = 1 hours;
    uint256 internal constant KEPT = 9;

    PriceHistory.History internal history;
    uint256[] internal times;
    uint256[] internal prices;

    function setUp() external {
        vm.warp(1_900_000_800 + 1234);
        history.start();
        times.push(block.timestamp);
    }

    /// @dev Each step: some seconds at some price. Long gaps of many periods included.
    function testFuzz_averagesAreThoseOfAllSeconds(uint32[20] memory gaps, uint128[20] memory seeds) external {
        for (uint256 i = 0; i < gaps.length; ++i) {
            uint256 gap = gaps[i] % 5 == 0 ? gaps[i] % (20 * PERIOD) : gaps[i] % (2 * PERIOD);
            uint256 price = 1 + uint256(seeds[i]);
            vm.warp(block.timestamp + gap);
            history.advance(price);
            times.push(block.timestamp);
            prices.push(price);
        }
        uint256 current = block.timestamp / PERIOD;
        uint256 closed = current - times[0] / PERIOD;
        assertEq(history.period, current, "period");
        assertEq(history.closed, closed < KEPT ? closed : KEPT, "closed");
        for (uint256 back = 1; back <= history.closed; ++back) {
            assertEq(history.averages[(current - back) % KEPT], _average(current - back), "average");
        }
        if (closed < KEPT) return;
        int256[] memory sizes = history.changes(8, 32_767);
        for (uint256 i = 0; i < 8; ++i) {
            (uint256 a, uint256 b) = (_average(current - KEPT + i), _average(current - KEPT + i + 1));
            uint256 size = (a < b ? b - a : a - b) * 25_600 / a;
            assertEq(sizes[i], int256(size < 32_767 ? size : 32_767), "change");
        }
    }

    /// @notice A price that no 256 bits could tell the change from is cut, not wrapped.
    function test_hugeChangesAreCut() external {
        for (uint256 i = 0; i < 9; ++i) {
            vm.warp((block.timestamp / PERIOD + 1) * PERIOD);
            history.advance(i % 2 == 0 ? 1 : type(uint208).max);
        }
        int256[] memory sizes = history.changes(127, 32_767);
        for (uint256 i = 0; i < 8; ++i) {
            assertEq(sizes[i], 32_767, "cut");
        }
    }

    /// @dev Overlap of every stretch of one price with the period, divided by all seconds seen of it.
    function _average(uint256 period) private view returns (uint256) {
        uint256 sum;
        uint256 weight;
        for (uint256 i = 0; i < prices.length; ++i) {
            uint256 from = times[i] < period * PERIOD ? period * PERIOD : times[i];
            uint256 to = times[i + 1] > (period + 1) * PERIOD ? (period + 1) * PERIOD : times[i + 1];
            if (from >= to) continue;
            sum += prices[i] * (to - from);
            weight += to - from;
        }
        return sum / weight;
    }
}
