// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TrustMode} from "../types/ModelTypes.sol";
import {Finality} from "../types/RecordTypes.sol";

/// @title Results of one kind, each seen over those that are newer
/// @notice Results stand in a row, from the oldest to the newest. One is hidden by a newer one, or one as new, with at
/// least its bond, and dropped; so bonds fall along the row, and whatever bond is asked for, the newest result that has
/// it is found by a binary search. A result with a high bond cannot be hidden behind cheap ones alone.
/// @dev Usually the newest is added last, in which case everything takes logarithmic time. One that is added late, with
/// a higher bond than those after it, takes its place among them; of those, at most `MOST_NEWER` are kept. The others
/// drop out although nothing hides them: they can be added again.
library Skyline {
    /// @notice Most results that stay after one which is added late: the newest of them.
    uint256 internal constant MOST_NEWER = 32;
    /// @notice Bond of what is proven.
    uint256 internal constant PROVEN = type(uint88).max;

    /// @notice A place in the row.
    /// @param index what stands there: its number among all that were ever added.
    /// @param order by which results are newer or older.
    struct Stand {
        uint32 index;
        uint40 order;
        uint40 finalAt;
        uint88 bond;
        TrustMode mode;
        Finality how;
    }

    /// @param added number of results that were ever added.
    /// @param length of the row; what is stored beyond it is left over.
    struct Row {
        uint32 added;
        uint32 length;
        mapping(uint256 place => Stand) stands;
    }

    /// @notice Adds a result, unless it is hidden.
    /// @return isAdded whether it stands now.
    /// @return index its number.
    function add(Row storage row, Stand memory stand) internal returns (bool isAdded, uint32 index) {
        uint256 length = row.length;
        // Those at `newer` and after are newer; those from `kept` to there are hidden by the one that is added.
        uint256 newer = _countUpTo(row, stand.order, length);
        if (newer < length && row.stands[newer].bond >= stand.bond) return (false, 0);
        if (newer != 0) {
            Stand storage last = row.stands[newer - 1];
            if (last.order == stand.order && last.bond >= stand.bond) return (false, 0);
        }
        uint256 kept = _countFrom(row, uint256(stand.bond) + 1, newer);
        index = row.added;
        stand.index = index;
        uint256 after_ = length - newer;
        if (after_ > MOST_NEWER) after_ = MOST_NEWER;
        _move(row, length - after_, kept + 1, after_);
        row.stands[kept] = stand;
        row.added = index + 1;
        row.length = uint32(kept + 1 + after_);
        return (true, index);
    }

    /// @notice The newest result with at least this bond.
    function newest(Row storage row, uint256 minBond) internal view returns (bool isThere, Stand memory stand) {
        uint256 count = _countFrom(row, minBond, row.length);
        if (count != 0) return (true, row.stands[count - 1]);
    }

    /// @dev Number of those among the first `length` that are not newer. Orders rise along the row.
    function _countUpTo(Row storage row, uint256 order, uint256 length) private view returns (uint256) {
        // The usual case: nothing is newer.
        if (length == 0 || row.stands[length - 1].order <= order) return length;
        (uint256 low, uint256 high) = (0, length - 1);
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (row.stands[middle].order <= order) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// @dev Number of those among the first `length` that have at least this bond. Bonds fall along the row.
    function _countFrom(Row storage row, uint256 minBond, uint256 length) private view returns (uint256) {
        (uint256 low, uint256 high) = (0, length);
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (row.stands[middle].bond >= minBond) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// @dev Moves `count` stands, in the order in which none is written over before it was read.
    function _move(Row storage row, uint256 from, uint256 to, uint256 count) private {
        if (from == to) return;
        for (uint256 i = 0; i < count; ++i) {
            uint256 step = from > to ? i : count - 1 - i;
            row.stands[to + step] = row.stands[from + step];
        }
    }
}
