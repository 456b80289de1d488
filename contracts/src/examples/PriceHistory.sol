// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Average prices of the last hours
/// @notice A price counts by the time for which it stood, from the end of one transaction to the start of the next
/// block's: whatever happens within a block weighs nothing.
library PriceHistory {
    error PriceHistory_TooShort(uint256 closedPeriods, uint256 needed);

    /// @dev Changes that `changes` tells.
    uint256 internal constant WINDOW = 8;
    /// @dev Length of a period in seconds.
    uint256 internal constant PERIOD = 1 hours;
    /// @dev Periods that are kept: `WINDOW` changes lie between them.
    uint256 private constant KEPT = WINDOW + 1;

    /// @param averages average price of each kept period, at its number modulo `KEPT`.
    /// @param sum price times seconds in the running period.
    /// @param period number of the running period: its start divided by `PERIOD`.
    /// @param weight seconds in `sum`.
    /// @param seenAt until when prices are counted.
    /// @param closed periods that ended since the start, as far as they are kept.
    struct History {
        uint256[9] averages;
        uint256 sum;
        uint64 period;
        uint64 weight;
        uint64 seenAt;
        uint64 closed;
    }

    /// @notice Starts now.
    function start(History storage history) internal {
        history.period = uint64(block.timestamp / PERIOD);
        history.seenAt = uint64(block.timestamp);
    }

    /// @notice Counts the time since the last call at `price`, which stood for all of it and is not zero.
    function advance(History storage history, uint256 price) internal {
        uint256 current = block.timestamp / PERIOD;
        uint256 running = history.period;
        if (current != running) _close(history, price, running, current);
        uint256 elapsed = block.timestamp - history.seenAt;
        if (elapsed == 0) return;
        history.sum += price * elapsed;
        history.weight += uint64(elapsed);
        history.seenAt = uint64(block.timestamp);
    }

    /// @notice Sizes of the changes between neighbouring averages, oldest first, in percent at a binary scale, rounded
    /// down; cut at `maximum`.
    function changes(History storage history, int8 scaleBits, int256 maximum)
        internal
        view
        returns (int256[] memory sizes)
    {
        // Check
        if (history.closed < KEPT) revert PriceHistory_TooShort(history.closed, KEPT);
        uint256 unit = 100 << uint8(scaleBits);
        sizes = new int256[](WINDOW);
        uint256 first = history.period - KEPT;
        for (uint256 i = 0; i < WINDOW; ++i) {
            uint256 before = history.averages[(first + i) % KEPT];
            uint256 after_ = history.averages[(first + i + 1) % KEPT];
            uint256 difference = before < after_ ? after_ - before : before - after_;
            // A jump that no number could tell is cut as well.
            (bool fits, uint256 scaled) = Math.tryMul(difference, unit);
            uint256 size = fits ? scaled / before : type(uint256).max;
            sizes[i] = int256(Math.min(size, uint256(maximum)));
        }
    }

    /// @dev Ends the running period, and those after it in which nothing was seen; `KEPT` writes at most.
    function _close(History storage history, uint256 price, uint256 running, uint256 current) private {
        // Effect: the rest of the running period stood at this price.
        uint256 rest = (running + 1) * PERIOD - history.seenAt;
        history.averages[running % KEPT] = (history.sum + price * rest) / (history.weight + rest);
        for (uint256 period = Math.max(running + 1, current - KEPT); period < current; ++period) {
            history.averages[period % KEPT] = price;
        }
        history.closed = uint64(Math.min(KEPT, history.closed + (current - running)));
        (history.sum, history.weight) = (0, 0);
        history.period = uint64(current);
        history.seenAt = uint64(current * PERIOD);
    }
}
