// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyClaim} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: every open answer of an honest executor is challenged in one second, so that he cannot prove them
/// all in the time for one. Deadlines queue: each challenge adds a whole window, and he proves them one window apart.
contract LazyMassChallengeAttack is LazyNetwork {
    uint256 internal constant CLAIMS = 12;

    function test_anHonestExecutorSurvivesManyChallenges() external {
        LazyClaim[] memory claims = new LazyClaim[](CLAIMS);
        for (uint256 i = 0; i < CLAIMS; ++i) {
            claims[i] = honest();
            commitTo(challenger, claims[i]);
        }
        nextBlock();
        vm.startPrank(challenger);
        for (uint256 i = 0; i < CLAIMS; ++i) {
            court.challenge(address(lazy), claims[i], SALT);
        }
        vm.stopPrank();
        uint256 start = block.timestamp;
        for (uint256 i = 0; i < CLAIMS; ++i) {
            // As late as he may: one window for each.
            vm.warp(start + (i + 1) * RESPONSE_WINDOW);
            prove(claims[i]);
        }
        assertEq(lazy.backingOf(executor).total, BACKING, "nothing is lost");
        assertEq(
            court.balanceOf(executor), CLAIMS * (uint256(CHALLENGE_BOND) * EXECUTOR_BPS / 10_000), "he is paid for it"
        );
    }

    /// @notice What he cannot prove in time is slashed, and nothing else: the queue saves no liar.
    function test_aLieInTheQueueIsSlashedInItsTurn() external {
        LazyClaim memory first = challenged(honest());
        LazyClaim memory wrong = challenged(lie());
        LazyClaim memory last = challenged(honest());
        prove(first);
        slashed(wrong);
        prove(last);
        assertEq(lazy.backingOf(executor).total, BACKING - COLLATERAL, "the lie's collateral");
    }

    /// @notice A liar who has friends challenge him first waits longer, and pays for every friend.
    function test_stallingCostsABondEach() external {
        uint64 first = court.disputeOf(address(lazy), challenged(honest()).requestId).deadline;
        challenged(honest());
        challenged(honest());
        LazyClaim memory wrong = challenged(lie());
        assertEq(
            court.disputeOf(address(lazy), wrong.requestId).deadline,
            first + 3 * RESPONSE_WINDOW,
            "a window for each that is open"
        );
        slashed(wrong);
        assertEq(lazy.backingOf(executor).total, BACKING - COLLATERAL, "slashed all the same");
    }
}
