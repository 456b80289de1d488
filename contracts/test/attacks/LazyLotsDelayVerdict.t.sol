// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyClaim, LazyDispute, LazyRequest} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: a liar asks himself many requests that are audited for certain, and shows all the lots, which cost
/// nothing, before his lie is challenged. Did lots queue, the challenge would wait a window for each, and one proof of
/// all equal answers would end them afterwards, with price and bond frozen for nothing. Lots stand in no queue.
contract LazyLotsDelayVerdictAttack is LazyNetwork {
    uint256 internal constant FRIENDS = 40;

    function setUp() public override {
        super.setUp();
        vm.roll(5000);
    }

    function test_attack_lotsInFrontOfAChallenge() external {
        LazyClaim[] memory own = audited(FRIENDS);
        LazyClaim memory wrong = lie();
        drawn(own);
        challengeBy(challenger, wrong);
        LazyDispute memory dispute = court.disputeOf(address(lazy), wrong.requestId);
        assertEq(dispute.deadline, block.timestamp + RESPONSE_WINDOW, "one window, as if there were no lots");
        assertEq(dispute.number, 1, "the first of the queue");
        (uint256 open, uint64 last) = court.queueOf(address(lazy), executor);
        assertEq(open, 1, "alone there");
        assertEq(last, dispute.deadline, "and the last");
        slashed(wrong);
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT, "the bond is back");
        assertEq(lazyMoney().escrowed, 0, "and so is the price");
    }

    /// @notice Nor do lots wait for challenges or for each other: what he stalls by challenges, at a bond each, stalls
    /// no audit.
    function test_attack_challengesInFrontOfALot() external {
        LazyClaim[] memory own = audited(2);
        challenged(honest());
        challenged(honest());
        uint256 number = court.disputeOf(address(lazy), challenged(honest()).requestId).number;
        drawn(own);
        for (uint256 i = 0; i < own.length; ++i) {
            LazyDispute memory dispute = court.disputeOf(address(lazy), own[i].requestId);
            assertEq(dispute.deadline, block.timestamp + MAX_RESPONSE_WINDOW, "its own window");
            assertEq(dispute.bond, 0, "no bond");
            assertEq(dispute.number, 0, "no place");
        }
        (uint256 open,) = court.queueOf(address(lazy), executor);
        assertEq(open, 3, "the challenges");
        assertEq(number, 3, "counted by themselves");
    }

    /// @notice Lots that end, by a proof or a slash, take no challenge out of the queue.
    function test_attack_lotsThatEndLeaveTheQueueAlone() external {
        LazyClaim[] memory own = audited(2);
        LazyClaim memory wrong = lie();
        drawn(own);
        challengeBy(challenger, wrong);
        LazyDispute memory dispute = court.disputeOf(address(lazy), wrong.requestId);
        assertEq(proveBy(executor, list(own[0]), packed, 0), 1, "one proven");
        slashed(own[1]);
        (uint256 open, uint64 last) = court.queueOf(address(lazy), executor);
        assertEq(open, 1, "the challenge");
        assertEq(last, dispute.deadline, "as it was");
        assertEq(
            abi.encode(court.disputeOf(address(lazy), wrong.requestId)), abi.encode(dispute), "the dispute, as it was"
        );
    }

    /// @dev Answers of the executor to requests of his own, for nothing, each audited for certain.
    function audited(uint256 count) private returns (LazyClaim[] memory own) {
        own = new LazyClaim[](count);
        for (uint256 i = 0; i < count; ++i) {
            LazyRequest memory asked = lazyRequest(lazyVersion, packed, 0);
            asked.requester = executor;
            asked.executor = executor;
            asked.maxPrice = 0;
            asked.collateral = FLOOR;
            asked.auditBps = 10_000;
            asked.responseWindow = MAX_RESPONSE_WINDOW;
            send(asked);
            own[i] = claimNow(asked, executor, 0, truth());
            vm.prank(executor);
            lazy.lockAndFulfill(asked, truth());
        }
    }

    function drawn(LazyClaim[] memory claims) private {
        vm.roll(block.number + 2);
        vm.warp(block.timestamp + 24);
        for (uint256 i = 0; i < claims.length; ++i) {
            vm.prank(executor);
            court.drawLot(address(lazy), claims[i]);
        }
    }
}
