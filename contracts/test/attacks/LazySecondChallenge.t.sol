// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {LazyClaim, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: an answer is challenged again and again, so that its executor pays for proofs without end, or a
/// second challenger shares in the reward of the first. One dispute per answer; what is proven is final.
contract LazySecondChallengeAttack is LazyNetwork {
    function setUp() public override {
        super.setUp();
        depositAtCourt(stranger, 100e6);
    }

    function test_attack_aSecondChallengeOfADisputedAnswer() external {
        LazyClaim memory claim = lie();
        bytes32 second = commitTo(stranger, claim);
        challenged(claim);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.DisputeCourt_AlreadyDisputed.selector, claim.requestId));
        vm.prank(stranger);
        court.challenge(address(lazy), claim, SALT);
        // He has his bond back, and no part in the verdict.
        vm.prank(stranger);
        court.withdrawCommitment(second);
        slashed(claim);
        assertEq(staking.creditOf(stranger), 0, "no reward");
        assertEq(court.balanceOf(stranger), 100e6, "no loss");
    }

    function test_attack_aChallengeOfWhatIsProven() external {
        LazyClaim memory claim = honest();
        commitTo(stranger, claim);
        prove(challenged(claim));
        vm.expectRevert(otherRecord(claim.requestId, LazyState.FINAL, LazyState.ANSWERED));
        vm.prank(stranger);
        court.challenge(address(lazy), claim, SALT);
    }
}
