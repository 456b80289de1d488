// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DeadlineQueues} from "../../src/libraries/DeadlineQueues.sol";
import {Base} from "../Base.t.sol";

/// @notice Queues against a list that is searched from one end to the other, whatever comes and goes.
contract DeadlineQueuesFuzz is Base {
    using DeadlineQueues for DeadlineQueues.Queues;

    uint256 internal constant ACCOUNTS = 3;

    struct Stand {
        uint256 account;
        uint256 number;
        uint256 deadline;
        bool isOpen;
    }

    DeadlineQueues.Queues internal queues;
    Stand[] internal stands;

    function setUp() public {
        vm.warp(1_900_000_000);
    }

    function testFuzz_itIsTheListThatItSaysItIs(uint256 seed) external {
        for (uint256 step = 0; step < 24; ++step) {
            uint256 dice = uint256(keccak256(abi.encode(seed, step)));
            if (dice % 5 == 0) vm.warp(block.timestamp + (dice >> 8) % 4000);
            if (dice % 5 < 3) _enter((dice >> 16) % ACCOUNTS, 1 + (dice >> 24) % 3000);
            else _leaveAny(dice >> 32);
            _check();
        }
        // Everybody leaves, in some order: nothing is left behind.
        for (uint256 i = 0; i < stands.length; ++i) {
            uint256 at = (i * 7 + seed % stands.length) % stands.length;
            if (stands[at].isOpen) _leave(at);
            _check();
        }
        for (uint256 i = 0; i < stands.length; ++i) {
            if (stands[i].isOpen) _leave(i);
        }
        _check();
        for (uint256 account = 0; account < ACCOUNTS; ++account) {
            assertEq(queues.lengthOf(address(uint160(account))), 0, "empty");
            assertEq(queues.lastDeadlineOf(address(uint160(account))), 0, "no deadline");
        }
    }

    /// @notice Many at once: each has a whole window to itself.
    function testFuzz_manyAtOnceQueue(uint8 count, uint24 window) external {
        vm.assume(window != 0);
        uint256 last = block.timestamp;
        for (uint256 i = 0; i < count; ++i) {
            uint40 number = queues.enter(address(1), window);
            assertEq(number, i + 1, "numbered");
            assertEq(queues.deadlineOf(number), last + window, "a window after the one before");
            last += window;
        }
        assertEq(queues.lengthOf(address(1)), count, "all of them");
    }

    /// @notice A line longer than its numbers can say takes no more, rather than one that is due at once.
    function test_aLineThatIsTooLongTakesNoMore() external {
        uint256 most = type(uint40).max;
        queues.enter(address(1), most - block.timestamp);
        assertEq(queues.lastDeadlineOf(address(1)), most, "the last second there is");
        vm.expectRevert();
        this.enter(1);
        assertEq(queues.lengthOf(address(1)), 1, "as before");
    }

    function enter(uint256 window) external {
        queues.enter(address(1), window);
    }

    function _enter(uint256 account, uint256 window) private {
        uint256 from = block.timestamp;
        uint256 last = _lastOf(account);
        if (last > from) from = last;
        uint40 number = queues.enter(address(uint160(account)), window);
        assertEq(number, stands.length + 1, "numbers count");
        stands.push(Stand({account: account, number: number, deadline: from + window, isOpen: true}));
    }

    function _leaveAny(uint256 dice) private {
        if (stands.length == 0) return;
        uint256 start = dice % stands.length;
        for (uint256 i = 0; i < stands.length; ++i) {
            uint256 at = (start + i) % stands.length;
            if (!stands[at].isOpen) continue;
            _leave(at);
            return;
        }
    }

    function _leave(uint256 at) private {
        stands[at].isOpen = false;
        queues.leave(address(uint160(stands[at].account)), stands[at].number);
    }

    /// @dev Deadline of the account's stand that came last among the open ones.
    function _lastOf(uint256 account) private view returns (uint256 last) {
        for (uint256 i = 0; i < stands.length; ++i) {
            if (stands[i].isOpen && stands[i].account == account) last = stands[i].deadline;
        }
    }

    function _check() private view {
        for (uint256 account = 0; account < ACCOUNTS; ++account) {
            uint256 open;
            for (uint256 i = 0; i < stands.length; ++i) {
                if (stands[i].account != account) continue;
                uint256 expected = stands[i].isOpen ? stands[i].deadline : 0;
                assertEq(queues.deadlineOf(stands[i].number), expected, "its deadline never changes");
                if (stands[i].isOpen) ++open;
            }
            assertEq(queues.lengthOf(address(uint160(account))), open, "open");
            assertEq(queues.lastDeadlineOf(address(uint160(account))), _lastOf(account), "last");
        }
    }
}
