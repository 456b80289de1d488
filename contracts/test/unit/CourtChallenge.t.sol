// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {Claim, ClaimState, Receipt, ReceiptFlaw} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

contract CourtChallengeTest is CourtNetwork {
    // --- committing ---

    function test_aCommitmentHoldsTheLargestBond() external {
        vm.expectEmit(address(court));
        emit IReceiptCourt.Committed(1, challenger, SALT, MAX_CHALLENGE_BOND);
        vm.prank(challenger);
        assertEq(court.commit(SALT), 1, "the first");
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT - MAX_CHALLENGE_BOND, "debited");
        Claim memory entered = claim(1);
        assertEq(uint256(entered.state), uint256(ClaimState.COMMITTED), "state");
        assertEq(entered.challenger, challenger, "challenger");
        assertEq(entered.committedBlock, block.number, "block");
        assertEq(entered.commitment, SALT, "commitment");
        assertEq(entered.deadline, 0, "no deadline");
        assertEq(court.claimCount(), 1, "counted");
    }

    function test_equalCommitmentsAreTwo() external {
        vm.startPrank(challenger);
        assertEq(court.commit(SALT), 1, "first");
        assertEq(court.commit(SALT), 2, "second");
        vm.stopPrank();
    }

    function test_aCommitmentHidesWhatItIsOf() external view {
        bytes32 digest = court.digestOf(honest(0));
        assertEq(
            court.commitmentOf(challenger, digest, SALT), keccak256(abi.encode(challenger, digest, SALT)), "its hash"
        );
        assertTrue(court.commitmentOf(stranger, digest, SALT) != court.commitmentOf(challenger, digest, SALT), "his");
    }

    function test_withdrawingACommitment() external {
        uint256 claimId = committed(challenger, honest(0));
        vm.expectEmit(address(court));
        emit IReceiptCourt.CommitmentWithdrawn(claimId, challenger, MAX_CHALLENGE_BOND);
        vm.prank(challenger);
        court.withdrawCommitment(claimId);
        assertClaim(claimId, ClaimState.WITHDRAWN);
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT, "all back");
    }

    function test_withdrawingInTheSameBlock() external {
        uint256 claimId = commitTo(challenger, SALT);
        vm.prank(challenger);
        court.withdrawCommitment(claimId);
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT, "all back");
    }

    function test_withdrawingTwice() external {
        uint256 claimId = committed(challenger, honest(0));
        vm.startPrank(challenger);
        court.withdrawCommitment(claimId);
        _expectNotCommitted(claimId, ClaimState.WITHDRAWN);
        court.withdrawCommitment(claimId);
        vm.stopPrank();
    }

    function test_withdrawingAnothers() external {
        uint256 claimId = committed(challenger, honest(0));
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NotChallenger.selector, claimId, stranger));
        vm.prank(stranger);
        court.withdrawCommitment(claimId);
    }

    function test_withdrawingWhatWasOpened() external {
        uint256 claimId = challenged(honest(0));
        _expectNotCommitted(claimId, ClaimState.OPEN);
        vm.prank(challenger);
        court.withdrawCommitment(claimId);
    }

    function test_withdrawingWhatNeverWas() external {
        _expectNotCommitted(9, ClaimState.NONE);
        vm.prank(challenger);
        court.withdrawCommitment(9);
    }

    // --- opening ---

    function test_aChallengeOpensAClaim() external {
        Receipt memory receipt = lie(3);
        uint256 claimId = challenged(receipt);
        Claim memory opened = claim(claimId);
        assertEq(uint256(opened.state), uint256(ClaimState.OPEN), "state");
        assertEq(opened.challenger, challenger, "challenger");
        assertEq(opened.deadline, block.timestamp + WINDOW, "deadline");
        assertEq(opened.versionId, packedVersion, "version");
        assertEq(opened.poolId, pool().poolId, "pool");
        assertEq(opened.slot, 3, "slot");
        assertEq(opened.beneficiary, client, "beneficiary");
        assertEq(opened.price, RECEIPT_PRICE, "price");
        assertEq(opened.commitment, bytes32(0), "nothing committed any more");
        assertEq(opened.committedBlock, 0, "nor when");
        assertEq(
            opened.subject,
            keccak256(abi.encode(receipt.versionId, receipt.inputBinding, receipt.outputDigest)),
            "subject"
        );
        assertEq(pool().openClaims, 1, "of the pool");
    }

    function test_aChallengeCostsThePoolsBond() external {
        challenged(lie(0));
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT - CHALLENGE_BOND, "the excess is back");
    }

    function test_aPoolThatAsksForTheLargestBond() external {
        vm.prank(executor);
        court.openPools(epoch + 1, 1, BOND, 1, MAX_CHALLENGE_BOND);
        vm.warp((epoch + 1) * EPOCH);
        challenged(lie(0));
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT - MAX_CHALLENGE_BOND, "no excess");
    }

    function test_aChallengeTellsTheProverEverything() external {
        Receipt memory receipt = lie(0);
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        vm.expectEmit(address(court));
        emit IReceiptCourt.ReceiptChallenged(
            claimId, executor, packedVersion, uint64(block.timestamp) + WINDOW, receipt, signature, inputOf(0)
        );
        openBy(challenger, claimId, receipt, inputOf(0));
    }

    function test_thePriceOfAClaimIsAtMostItsBond() external {
        Receipt memory receipt = lie(0);
        receipt.price = type(uint128).max;
        uint256 claimId = challenged(receipt);
        assertEq(claim(claimId).price, BOND, "cut");
    }

    function test_committedInputsAreCheckedAgainstTheirDigest() external {
        Receipt memory receipt = receiptFor(kzgVersion, kzg, 0, 0);
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        vm.startPrank(challenger);
        _expectInputMismatch("", receipt.inputDigest);
        court.challengeReceipt(claimId, receipt, signature, "", SALT);
        court.challengeReceipt(claimId, receipt, signature, kzg.cases[0].input, SALT);
        vm.stopPrank();
        assertClaim(claimId, ClaimState.OPEN);
    }

    function test_packedInputsAreCheckedAgainstTheirBinding() external {
        Receipt memory receipt = honest(0);
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        bytes memory other = inputOf(1);
        vm.startPrank(challenger);
        _expectInputMismatch(other, receipt.inputBinding);
        court.challengeReceipt(claimId, receipt, signature, other, SALT);
        bytes memory longer = bytes.concat(inputOf(0), hex"00");
        _expectInputMismatch(longer, receipt.inputBinding);
        court.challengeReceipt(claimId, receipt, signature, longer, SALT);
        vm.stopPrank();
    }

    function test_inputsHaveAMaximum() external {
        bytes memory longest = new bytes(COURT_MAX_INPUT);
        bytes memory tooLong = new bytes(COURT_MAX_INPUT + 1);
        Receipt memory receipt = lie(0);
        receipt.inputBinding = keccak256(tooLong);
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        vm.expectRevert(
            abi.encodeWithSelector(
                IReceiptCourt.ReceiptCourt_InputTooLong.selector, COURT_MAX_INPUT + 1, COURT_MAX_INPUT
            )
        );
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, tooLong, SALT);
        receipt.inputBinding = keccak256(longest);
        claimId = committed(challenger, receipt);
        openBy(challenger, claimId, receipt, longest);
        assertClaim(claimId, ClaimState.OPEN);
    }

    function test_notInTheBlockOfTheCommitment() external {
        Receipt memory receipt = lie(0);
        uint256 claimId = commitTo(challenger, court.digestOf(receipt));
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        vm.warp(block.timestamp + 100); // time is not what counts
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_CommittedInThisBlock.selector, claimId));
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
        vm.roll(block.number + 1);
        openBy(challenger, claimId, receipt, inputOf(0));
    }

    function test_onlyWhatWasCommittedTo() external {
        Receipt memory receipt = lie(0);
        uint256 claimId = committed(challenger, receipt);
        bytes32 entered = claim(claimId).commitment;
        Receipt memory other = lie(1);
        bytes memory signature = sign(other);
        bytes memory input = inputOf(0);
        bytes32 attempted = court.commitmentOf(challenger, court.digestOf(other), SALT);
        vm.expectRevert(
            abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_OtherCommitment.selector, claimId, attempted, entered)
        );
        vm.prank(challenger);
        court.challengeReceipt(claimId, other, signature, input, SALT);

        signature = sign(receipt);
        bytes32 otherSalt = bytes32(uint256(SALT) + 1);
        attempted = court.commitmentOf(challenger, court.digestOf(receipt), otherSalt);
        vm.expectRevert(
            abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_OtherCommitment.selector, claimId, attempted, entered)
        );
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, otherSalt);
    }

    function test_onlyByWhoCommitted() external {
        Receipt memory receipt = lie(0);
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NotChallenger.selector, claimId, stranger));
        vm.prank(stranger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
    }

    function test_onlyOnce() external {
        Receipt memory receipt = lie(0);
        uint256 claimId = challenged(receipt);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        _expectNotCommitted(claimId, ClaimState.OPEN);
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
    }

    function test_notAfterItWasWithdrawn() external {
        Receipt memory receipt = lie(0);
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        vm.startPrank(challenger);
        court.withdrawCommitment(claimId);
        _expectNotCommitted(claimId, ClaimState.WITHDRAWN);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
        vm.stopPrank();
    }

    function test_everyFlawIsRefused() external {
        Receipt memory receipt = lie(0);
        receipt.executor = stranger;
        _expectFlaw(receipt, ReceiptFlaw.NO_POOL);
        _expectFlaw(lie(CAPACITY), ReceiptFlaw.BEYOND_CAPACITY);
        receipt = lie(0);
        receipt.bond = BOND + 1;
        _expectFlaw(receipt, ReceiptFlaw.OTHER_BOND);
        receipt = lie(0);
        receipt.issued = epoch * EPOCH - 1;
        _expectFlaw(receipt, ReceiptFlaw.OTHER_EPOCH);
        receipt = lie(0);
        receipt.issued += 1 hours;
        receipt.expires = receipt.issued + 1;
        _expectFlaw(receipt, ReceiptFlaw.NOT_YET_ISSUED);
        receipt = lie(0);
        receipt.expires += 1;
        _expectFlaw(receipt, ReceiptFlaw.LIFE_OUT_OF_RANGE);
        receipt = lie(0);
        receipt.expires = receipt.issued;
        _expectFlaw(receipt, ReceiptFlaw.EXPIRED);
        receipt = lie(0);
        slashed(challenged(receipt));
        _expectFlaw(receipt, ReceiptFlaw.SLOT_SLASHED);
    }

    function test_aForeignSignatureIsRefused() external {
        Receipt memory receipt = lie(0);
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = signWith(executorKey, receipt);
        bytes memory input = inputOf(0);
        expectRefusal(ReceiptFlaw.FOREIGN_SIGNATURE);
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
        // Nothing is lost: it can be taken back.
        vm.prank(challenger);
        court.withdrawCommitment(claimId);
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT, "whole");
    }

    function test_whatWasProvenIsNotDoubtedAgain() external {
        Receipt memory receipt = honest(0);
        assertFalse(court.isProven(receipt.versionId, receipt.inputBinding, receipt.outputDigest), "not yet");
        respond(challenged(receipt));
        assertTrue(court.isProven(receipt.versionId, receipt.inputBinding, receipt.outputDigest), "proven");
        receipt = honest(1); // another receipt that says the same
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        bytes32 subject = keccak256(abi.encode(receipt.versionId, receipt.inputBinding, receipt.outputDigest));
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_AlreadyProven.selector, subject));
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
    }

    function test_severalMayDoubtOneReceipt() external {
        depositAtCourt(stranger, MAX_CHALLENGE_BOND);
        uint256 first = challengedBy(challenger, lie(0));
        uint256 second = challengedBy(stranger, lie(0));
        assertClaim(first, ClaimState.OPEN);
        assertClaim(second, ClaimState.OPEN);
        assertEq(pool().openClaims, 2, "both");
    }

    function test_aReceiptIsDoubtedInItsLastSecond() external {
        Receipt memory receipt = lie(0);
        vm.warp(receipt.expires - 1);
        uint256 claimId = challenged(receipt);
        assertEq(block.timestamp, receipt.expires, "the last second");
        assertClaim(claimId, ClaimState.OPEN);
    }

    function _expectFlaw(Receipt memory receipt, ReceiptFlaw flaw) private {
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        expectRefusal(flaw);
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
    }

    function _expectNotCommitted(uint256 claimId, ClaimState state) private {
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NotCommitted.selector, claimId, state));
    }

    function _expectInputMismatch(bytes memory given, bytes32 expected) private {
        vm.expectRevert(
            abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_InputMismatch.selector, keccak256(given), expected)
        );
    }
}
