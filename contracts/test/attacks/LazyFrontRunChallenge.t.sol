// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyClaim} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: a liar sees a challenge in the mempool and puts a friend's in front of it, so that the reward stays
/// with him. The friend has not committed in an earlier block; a commitment that was copied is nobody else's.
contract LazyFrontRunChallengeAttack is LazyNetwork {
    address internal friend = address(0xF1);

    function setUp() public override {
        super.setUp();
        depositAtCourt(friend, 100e6);
    }

    function test_attack_aFriendsChallengeInFront() external {
        LazyClaim memory claim = lie();
        bytes32 commitment = commitTo(challenger, claim);
        nextBlock();
        // The challenge is in the mempool with its salt; everything of it can be copied.
        vm.startPrank(friend);
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_NotCommitted.selector);
        court.challenge(address(lazy), claim, SALT);
        court.commitChallenge(commitment);
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_NotCommitted.selector);
        court.challenge(address(lazy), claim, SALT);
        court.commitChallenge(court.commitmentOf(friend, address(lazy), claim, SALT));
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_CommittedInThisBlock.selector);
        court.challenge(address(lazy), claim, SALT);
        vm.stopPrank();
        vm.prank(challenger);
        court.challenge(address(lazy), claim, SALT);
        slashed(claim);
        assertEq(staking.creditOf(challenger), uint256(COLLATERAL) * REWARD_BPS / 10_000, "the reward is his");
        assertEq(staking.creditOf(friend), 0, "and not the friend's");
    }

    /// @notice A copied commitment neither blocks nor uses up the challenger's own.
    function test_attack_aCopiedCommitmentBlocksNobody() external {
        LazyClaim memory claim = lie();
        bytes32 commitment = court.commitmentOf(challenger, address(lazy), claim, SALT);
        vm.prank(friend);
        court.commitChallenge(commitment);
        vm.prank(challenger);
        court.commitChallenge(commitment);
        vm.prank(friend);
        court.withdrawCommitment(commitment);
        nextBlock();
        vm.prank(challenger);
        court.challenge(address(lazy), claim, SALT);
    }

    /// @notice With the lie's own proof of nothing: an early proof in front of a challenge needs a proof.
    function test_attack_finalizingInFront() external {
        LazyClaim memory claim = lie();
        commitTo(challenger, claim);
        nextBlock();
        vm.prank(executor);
        vm.expectRevert();
        lazy.finalize(claim, "");
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeCourt.DisputeCourt_ProofOfAnotherClaim.selector, claim.requestId)
        );
        proveBy(executor, list(claim), packed, 0);
    }
}
