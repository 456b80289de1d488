// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Receipt} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice Deadlines: each new claim has a whole window after the last that is still open.
contract CourtQueueTest is CourtNetwork {
    function test_anEmptyQueue() external view {
        _expectQueue(0, 0, 0);
    }

    function test_theFirstHasAWindowFromNow() external {
        uint256 claimId = challenged(honest(0));
        assertEq(_deadline(claimId), block.timestamp + WINDOW, "from now");
        _expectQueue(1, _deadline(claimId), 1);
    }

    function test_manyQueue() external {
        uint256 first = challenged(honest(0));
        uint64 from = _deadline(first);
        for (uint32 slot = 1; slot < 6; ++slot) {
            uint256 claimId = challenged(honest(slot));
            assertEq(_deadline(claimId), from + slot * WINDOW, "one window after the last");
        }
        _expectQueue(6, from + 5 * WINDOW, 6);
    }

    function test_afterALongPauseItStartsFromNow() external {
        uint256 first = challenged(lie(0));
        missDeadline(first); // overdue, still open
        vm.warp(block.timestamp + 3 * WINDOW);
        uint256 second = challenged(lie(1));
        assertEq(_deadline(second), block.timestamp + WINDOW, "from now, not from the past");
    }

    function test_settlingTheLastShortensTheQueue() external {
        uint256 first = challenged(honest(0));
        uint256 second = challenged(lie(1));
        uint256 third = challenged(honest(2));
        uint256 before = _deadline(second);
        respond(third);
        _expectQueue(2, before, 3);
        uint256 fourth = challenged(lie(3));
        assertEq(_deadline(fourth), before + WINDOW, "after the last open one");
        respond(first);
        assertEq(_deadline(fourth), before + WINDOW, "a deadline never changes");
    }

    function test_settlingInTheMiddle() external {
        uint256 first = challenged(lie(0));
        uint256 second = challenged(honest(1));
        uint256 third = challenged(lie(2));
        respond(second);
        _expectQueue(2, _deadline(third), 3);
        // The third leaves: the first is the last then.
        slashed(third);
        _expectQueue(1, _deadline(first), 3);
        court.slash(first);
        _expectQueue(0, 0, 3);
    }

    function test_settlingTheFirst() external {
        uint256 first = challenged(honest(0));
        uint256 second = challenged(lie(1));
        respond(first);
        _expectQueue(1, _deadline(second), 2);
        slashed(second);
        _expectQueue(0, 0, 2);
    }

    function test_settlingAllAtOnce() external {
        uint256[] memory list = new uint256[](5);
        for (uint32 slot = 0; slot < 5; ++slot) {
            list[slot] = challenged(honest(slot));
        }
        respondBy(executor, list, packed, 0);
        _expectQueue(0, 0, 5);
        uint256 next = challenged(lie(9));
        assertEq(_deadline(next), block.timestamp + WINDOW, "from now again");
    }

    function test_settlingInAnyOrder() external {
        uint8[4][6] memory orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1], [1, 2, 0, 3], [3, 0, 1, 2]];
        uint256[] memory list = new uint256[](4);
        for (uint32 slot = 0; slot < 4; ++slot) {
            list[slot] = challenged(lie(slot));
        }
        missDeadline(list[3]);
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < orders.length; ++i) {
            vm.revertToState(before);
            before = vm.snapshotState();
            bool[4] memory gone;
            for (uint256 j = 0; j < 4; ++j) {
                court.slash(list[orders[i][j]]);
                gone[orders[i][j]] = true;
                _expectQueue(3 - j, _lastOf(list, gone), 4);
            }
        }
    }

    function test_executorsHaveQueuesOfTheirOwn() external {
        (address key, uint256 privateKey) = makeAddrAndKey("other receipt key");
        backCourt(stranger, 100e6, key);
        openPool(stranger, epoch, 2);
        challenged(honest(0));
        challenged(honest(1));
        receiptPrivateKey = privateKey;
        executor = stranger;
        uint256 claimId = challenged(lie(0));
        assertEq(_deadline(claimId), block.timestamp + WINDOW, "not behind another's");
        _expectQueue(1, _deadline(claimId), 1);
    }

    function test_queuesGoOnOverEpochs() external {
        openPool(executor, epoch + 1, 2);
        vm.warp((epoch + 1) * EPOCH - 2);
        uint256 first = challenged(lie(0));
        vm.warp((epoch + 1) * EPOCH);
        uint256 second = challenged(lie(0));
        assertEq(_deadline(second), _deadline(first) + WINDOW, "one queue");
    }

    /// @dev A deadline that does not fit its storage would come early, and slash the honest.
    function test_aDeadlineNeverWrapsAround() external {
        uint256 most = type(uint40).max;
        vm.warp(most - WINDOW - 2);
        openPool(executor, _epochNow(), 3);
        uint256 first = challenged(honest(0));
        assertEq(_deadline(first), most - 1, "the last that fits, but one");
        Receipt memory receipt = honest(1);
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        vm.expectPartialRevert(SafeCast.SafeCastOverflowedUintDowncast.selector);
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
        respond(first);
        assertEq(court.balanceOf(executor), uint256(CHALLENGE_BOND) * EXECUTOR_BPS / 10_000, "the honest is paid");
    }

    function _epochNow() private view returns (uint64) {
        return court.epochAt(uint64(block.timestamp));
    }

    function _lastOf(uint256[] memory list, bool[4] memory gone) private view returns (uint64 last) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (!gone[i]) last = _deadline(list[i]);
        }
    }

    function _deadline(uint256 claimId) private view returns (uint64) {
        return claim(claimId).deadline;
    }

    function _expectQueue(uint256 open, uint256 lastDeadline, uint256 everOpened) private view {
        (uint256 o, uint64 l, uint256 e) = court.queueOf(executor);
        assertEq(o, open, "open");
        assertEq(l, lastDeadline, "last deadline");
        assertEq(e, everOpened, "ever opened");
    }
}
