// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {ClaimState, Receipt} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice A liar watches the mempool for challenges of his receipts and puts a friend's challenge in front, to get the
/// reward himself.
contract ReceiptFrontRunChallengeAttack is CourtNetwork {
    address internal friend;

    function setUp() public override {
        super.setUp();
        friend = makeAddr("friend");
        depositAtCourt(friend, 10 * MAX_CHALLENGE_BOND);
    }

    function test_attack_aChallengeSeenIsTooLateToCopy() external {
        Receipt memory receipt = lie(0);
        uint256 claimId = committed(challenger, receipt);
        // The challenge is in the mempool now: receipt, signature, input and salt are there to be read.
        uint256 copied = commitTo(friend, court.digestOf(receipt));
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_CommittedInThisBlock.selector, copied));
        vm.prank(friend);
        court.challengeReceipt(copied, receipt, signature, input, SALT);
        openBy(challenger, claimId, receipt, inputOf(0));
        slashed(claimId);
        assertEq(staking.creditOf(challenger), uint256(BOND) * REWARD_BPS / 10_000, "the reward is his");
        assertEq(staking.creditOf(friend), 0, "and not the friend's");
    }

    function test_attack_aCopiedCommitmentOpensNothing() external {
        Receipt memory receipt = lie(0);
        bytes32 commitment = court.commitmentOf(challenger, court.digestOf(receipt), SALT);
        // The friend copies the commitment itself, in the same block, in front.
        vm.prank(friend);
        uint256 copied = court.commit(commitment);
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        vm.expectPartialRevert(IReceiptCourt.ReceiptCourt_OtherCommitment.selector);
        vm.prank(friend);
        court.challengeReceipt(copied, receipt, signature, input, SALT);
        openBy(challenger, claimId, receipt, inputOf(0));
        assertClaim(claimId, ClaimState.OPEN);
    }

    function test_attack_anothersCommitmentCannotBeOpened() external {
        Receipt memory receipt = lie(0);
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NotChallenger.selector, claimId, friend));
        vm.prank(friend);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
    }

    /// @dev A friend who committed in advance to each of the liar's receipts may be first. It saves the liar nothing:
    /// at least half burns, the victim is compensated, and the honest challenger has his bond back.
    function test_attack_aFriendInAdvanceSavesNothing() external {
        Receipt memory receipt = lie(0);
        uint256 early = committed(friend, receipt);
        uint256 claimId = committed(challenger, receipt);
        openBy(friend, early, receipt, inputOf(0));
        openBy(challenger, claimId, receipt, inputOf(0));
        missDeadline(claimId);
        court.slash(early);
        court.slash(claimId);
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "compensated");
        assertGe(staking.pendingBurn(), BOND / 2, "at least half burned");
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT, "the honest one lost nothing");
    }

    /// @dev The commitment tells neither whose receipt it is nor how large a bond that pool asks.
    function test_attack_aCommitmentTellsNothing() external {
        backCourt(friend, 100e6, receiptKey);
        vm.prank(friend);
        court.openPools(epoch, 1, BOND, 1, MIN_CHALLENGE_BOND);
        Receipt memory other = lie(0);
        other.executor = friend;
        uint256 before = court.balanceOf(challenger);
        commitTo(challenger, court.digestOf(other));
        uint256 afterOne = court.balanceOf(challenger);
        commitTo(challenger, court.digestOf(lie(0)));
        assertEq(before - afterOne, afterOne - court.balanceOf(challenger), "the same bond, whatever the pool");
    }
}
