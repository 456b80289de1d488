// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {LazyClaim, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: an executor avoids the audit by lot: he answers when he knows the draw, ends the claim before it is
/// drawn, or waits until the seed is forgotten. The draw is by the block after the answer's; anybody may show it for
/// 256 blocks;
/// no window is over before.
contract LazyLotAvoidedAttack is LazyNetwork {
    function setUp() public override {
        super.setUp();
        vm.roll(5000);
    }

    function test_attack_theDrawIsNotKnownWhenHeAnswers() external {
        LazyClaim memory claim = _audited();
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_NoSeed.selector);
        court.isDrawn(claim);
        // The next block is the seed itself: its hash is known in the one after it.
        vm.roll(block.number + 1);
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_NoSeed.selector);
        court.isDrawn(claim);
        vm.roll(block.number + 1);
        assertTrue(court.isDrawn(claim), "certain, here");
    }

    function test_attack_noEndBeforeItsWindow() external {
        LazyClaim memory claim = _audited();
        vm.roll(block.number + 257);
        vm.expectRevert();
        lazy.finalize(claim, "");
        vm.expectRevert();
        lazy.finalizeMany(list(claim));
        court.drawLot(address(lazy), claim);
        assertLazy(claim.requestId, LazyState.DISPUTED);
    }

    function test_attack_aFriendsChallengeInFrontStillNeedsTheProof() external {
        LazyClaim memory claim = challenged(_audited());
        vm.roll(block.number + 2);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.DisputeCourt_AlreadyDisputed.selector, claim.requestId));
        court.drawLot(address(lazy), claim);
        slashed(claim);
    }

    /// @notice The claim's own word decides, not what the drawer says.
    function test_attack_aDrawerLiesAboutTheOdds() external {
        LazyClaim memory claim = honest();
        vm.roll(block.number + 2);
        claim.auditBps = 10_000;
        assertTrue(court.isDrawn(claim), "of what was shown");
        vm.expectRevert(otherRecord(claim.requestId, LazyState.ANSWERED, LazyState.ANSWERED));
        court.drawLot(address(lazy), claim);
        assertEq(court.disputeOf(address(lazy), claim.requestId).number, 0, "nothing is disputed");
    }

    function _audited() private returns (LazyClaim memory) {
        LazyRequest memory request = wantedNamed();
        request.auditBps = 10_000;
        return answerSigned(request, "a lie");
    }
}
