// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Queues of deadlines, one for each account
/// @notice Each new deadline is a whole window after the later of now and the last that is still open, so that many at
/// once do not kill. Any may leave at any time.
/// @dev Linked lists: nothing here loops. `ReceiptClaims` keeps the same list inside the slots of its claims, where a
/// place of its own would cost each challenge another slot, for which its bar has no room.
library DeadlineQueues {
    using SafeCast for uint256;

    /// @dev Zero where there is none; places are numbered from 1.
    struct Place {
        uint40 deadline;
        uint40 next;
        uint40 previous;
    }

    struct Line {
        uint40 last;
        uint40 open;
    }

    struct Queues {
        mapping(address account => Line) lines;
        mapping(uint256 number => Place) places;
        uint40 count;
    }

    /// @notice Last into the account's queue.
    function enter(Queues storage queues, address account, uint256 window) internal returns (uint40 number) {
        Line storage line = queues.lines[account];
        number = ++queues.count;
        uint40 last = line.last;
        uint256 from = block.timestamp;
        if (last != 0) {
            Place storage before = queues.places[last];
            if (before.deadline > from) from = before.deadline;
            before.next = number;
        }
        // A queue that were longer than 34,000 years takes no more: a deadline that does not fit must not come early.
        queues.places[number] = Place({deadline: (from + window).toUint40(), next: 0, previous: last});
        line.last = number;
        ++line.open;
    }

    /// @notice Out of the account's queue, wherever it stands there. The caller makes sure that it does.
    function leave(Queues storage queues, address account, uint256 number) internal {
        Line storage line = queues.lines[account];
        Place memory place = queues.places[number];
        if (place.previous != 0) queues.places[place.previous].next = place.next;
        if (place.next != 0) queues.places[place.next].previous = place.previous;
        else line.last = place.previous;
        --line.open;
        delete queues.places[number];
    }

    /// @notice Deadline of a place; zero where nobody stands.
    function deadlineOf(Queues storage queues, uint256 number) internal view returns (uint64) {
        return queues.places[number].deadline;
    }

    function lengthOf(Queues storage queues, address account) internal view returns (uint256) {
        return queues.lines[account].open;
    }

    /// @notice Zero where nothing is open.
    function lastDeadlineOf(Queues storage queues, address account) internal view returns (uint64) {
        return queues.places[queues.lines[account].last].deadline;
    }
}
