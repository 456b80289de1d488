// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {ClaimState, Receipt, SlotState} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice Answers, with real proofs.
contract CourtRespondTest is CourtNetwork {
    uint256 internal constant PAID = uint256(CHALLENGE_BOND) * EXECUTOR_BPS / 10_000;

    function test_aProofSettlesTheClaim() external {
        uint256 claimId = challenged(honest(0));
        vm.expectEmit(address(court));
        emit IReceiptCourt.ClaimProven(claimId, executor, PAID, CHALLENGE_BOND - PAID);
        assertEq(respond(claimId), 1, "settled");
        assertClaim(claimId, ClaimState.PROVEN);
        assertSlot(0, SlotState.INTACT);
        assertEq(pool().openClaims, 0, "none open");
        assertEq(lockedStake(), uint256(BOND) * CAPACITY, "no stake moved");
    }

    function test_theChallengersBondIsSplit() external {
        respond(challenged(honest(0)));
        assertEq(court.balanceOf(executor), PAID, "the executor's cost");
        assertEq(court.pendingBurn(), CHALLENGE_BOND - PAID, "the rest burns");
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT - CHALLENGE_BOND, "the challenger pays");
    }

    function test_anybodyMayProveAndTheExecutorIsPaid() external {
        uint256 claimId = challenged(honest(0));
        vm.expectEmit(address(court));
        emit IReceiptCourt.ClaimProven(claimId, stranger, PAID, CHALLENGE_BOND - PAID);
        respondBy(stranger, ids(claimId), packed, 0);
        assertEq(court.balanceOf(executor), PAID, "the executor");
        assertEq(court.balanceOf(stranger), 0, "not the prover");
    }

    function test_committedInputs() external {
        Receipt memory receipt = receiptFor(kzgVersion, kzg, 1, 2);
        uint256 claimId = committed(challenger, receipt);
        openBy(challenger, claimId, receipt, kzg.cases[1].input);
        assertEq(respondBy(executor, ids(claimId), kzg, 1), 1, "settled");
        assertClaim(claimId, ClaimState.PROVEN);
    }

    function test_oneProofSettlesEveryEqualClaim() external {
        depositAtCourt(stranger, MAX_CHALLENGE_BOND);
        uint256[] memory list = new uint256[](4);
        list[0] = challenged(honest(0));
        list[1] = challengedBy(stranger, honest(0)); // the same receipt
        list[2] = challenged(honest(1)); // another that says the same
        Receipt memory other = honest(2);
        other.beneficiary = stranger;
        other.price = 0;
        list[3] = challenged(other); // to somebody else
        assertEq(respondBy(executor, list, packed, 0), 4, "settled");
        for (uint256 i = 0; i < 4; ++i) {
            assertClaim(list[i], ClaimState.PROVEN);
        }
        assertEq(court.balanceOf(executor), 4 * PAID, "each pays");
        assertEq(pool().openClaims, 0, "none open");
    }

    function test_oneProofSettlesClaimsAgainstSeveralExecutors() external {
        (address otherKey, uint256 otherPrivateKey) = makeAddrAndKey("other receipt key");
        backCourt(stranger, 100e6, otherKey);
        openPool(stranger, epoch, 2);
        Receipt memory receipt = honest(1);
        receipt.executor = stranger;
        uint256 first = challenged(honest(0));
        uint256 second = committed(challenger, receipt);
        bytes memory signature = signWith(otherPrivateKey, receipt);
        bytes memory input = inputOf(0);
        vm.prank(challenger);
        court.challengeReceipt(second, receipt, signature, input, SALT);
        assertEq(respondBy(executor, ids(first, second), packed, 0), 2, "settled");
        assertEq(court.balanceOf(executor), PAID, "one");
        assertEq(court.balanceOf(stranger), PAID, "the other");
    }

    function test_onlyClaimsOfTheListAreSettled() external {
        uint256 first = challenged(honest(0));
        uint256 second = challenged(honest(1));
        respond(first);
        assertClaim(second, ClaimState.OPEN);
        assertEq(pool().openClaims, 1, "one left");
        respond(second);
        assertClaim(second, ClaimState.PROVEN);
    }

    function test_settledClaimsAreLeftOut() external {
        uint256 first = challenged(honest(0));
        uint256 second = challenged(honest(1));
        respondBy(stranger, ids(first), packed, 0);
        vm.expectEmit(address(court));
        emit IReceiptCourt.ResponseSkipped(first, ClaimState.PROVEN);
        assertEq(respondBy(executor, ids(first, second), packed, 0), 1, "the other");
        assertClaim(second, ClaimState.PROVEN);
        assertEq(court.balanceOf(executor), 2 * PAID, "each once");
    }

    function test_anIdThatComesTwiceCountsOnce() external {
        uint256 claimId = challenged(honest(0));
        assertEq(respondBy(executor, ids(claimId, claimId), packed, 0), 1, "once");
        assertEq(court.balanceOf(executor), PAID, "paid once");
    }

    function test_overdueAndUnknownClaimsAreLeftOut() external {
        uint256 early = challenged(honest(0));
        uint256 late = challenged(honest(1));
        missDeadline(early);
        uint256[] memory list = new uint256[](3);
        (list[0], list[1], list[2]) = (early, late, 77);
        vm.expectEmit(address(court));
        emit IReceiptCourt.ResponseSkipped(early, ClaimState.OPEN);
        vm.expectEmit(address(court));
        emit IReceiptCourt.ClaimProven(late, executor, PAID, CHALLENGE_BOND - PAID);
        vm.expectEmit(address(court));
        emit IReceiptCourt.ResponseSkipped(77, ClaimState.NONE);
        assertEq(respondBy(executor, list, packed, 0), 1, "one");
        assertClaim(early, ClaimState.OPEN);
    }

    function test_commitmentsAreLeftOut() external {
        uint256 claimId = challenged(honest(0));
        uint256 unopened = committed(challenger, honest(1));
        assertEq(respondBy(executor, ids(unopened, claimId), packed, 0), 1, "the open one");
        assertClaim(unopened, ClaimState.COMMITTED);
    }

    function test_anotherOpenClaimInTheListReverts() external {
        uint256 first = challenged(honest(0));
        uint256 second = challenged(lie(1));
        Case memory proven = packed.cases[0];
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_ProofOfAnotherClaim.selector, second));
        court.respond(ids(first, second), 0, proven.input, proven.output, proven.proof);
        assertClaim(first, ClaimState.OPEN);
    }

    function test_aLieHasNoProof() external {
        uint256 claimId = challenged(lie(0));
        Case memory proven = packed.cases[0];
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_ProofOfAnotherClaim.selector, claimId));
        court.respond(ids(claimId), 0, proven.input, proven.output, proven.proof);
    }

    function test_theOutputMustBeTheReceipts() external {
        uint256 claimId = challenged(honest(0));
        Case memory proven = packed.cases[0];
        proven.output[0] = bytes1(uint8(proven.output[0]) ^ 1);
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        court.respond(ids(claimId), 0, proven.input, proven.output, proven.proof);
    }

    function test_theInputMustBeTheReceipts() external {
        uint256 claimId = challenged(honest(0));
        Case memory other = packed.cases[1];
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_ProofOfAnotherClaim.selector, claimId));
        court.respond(ids(claimId), 0, other.input, other.output, other.proof);
    }

    function test_theProofMustBeGood() external {
        uint256 claimId = challenged(honest(0));
        Case memory proven = packed.cases[0];
        proven.proof[100] = bytes1(uint8(proven.proof[100]) ^ 1);
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        court.respond(ids(claimId), 0, proven.input, proven.output, proven.proof);
        assertFalse(
            court.isProven(packedVersion, packed.cases[0].inputBinding, keccak256(packed.cases[0].output)), "unproven"
        );
    }

    function test_theCircuitMustBeTheVersions() external {
        uint256 claimId = challenged(honest(0));
        Case memory proven = packed.cases[0];
        vm.expectRevert();
        court.respond(ids(claimId), 1, proven.input, proven.output, proven.proof);
    }

    function test_aProofInTheLastSecond() external {
        uint256 claimId = challenged(honest(0));
        vm.warp(claim(claimId).deadline);
        respond(claimId);
        assertClaim(claimId, ClaimState.PROVEN);
    }

    function test_noProofASecondLater() external {
        uint256 claimId = challenged(honest(0));
        missDeadline(claimId);
        Case memory proven = packed.cases[0];
        vm.expectRevert(IReceiptCourt.ReceiptCourt_NothingToSettle.selector);
        court.respond(ids(claimId), 0, proven.input, proven.output, proven.proof);
    }

    function test_nothingToSettle() external {
        Case memory proven = packed.cases[0];
        vm.expectRevert(IReceiptCourt.ReceiptCourt_NothingToSettle.selector);
        court.respond(new uint256[](0), 0, proven.input, proven.output, proven.proof);
        vm.expectRevert(IReceiptCourt.ReceiptCourt_NothingToSettle.selector);
        court.respond(ids(5), 0, proven.input, proven.output, proven.proof);
        uint256 claimId = challenged(honest(0));
        respond(claimId);
        vm.expectRevert(IReceiptCourt.ReceiptCourt_NothingToSettle.selector);
        court.respond(ids(claimId), 0, proven.input, proven.output, proven.proof);
    }

    function test_aSlashedClaimIsNotProvenLater() external {
        // The executor had a proof and slept.
        uint256 claimId = challenged(honest(0));
        slashed(claimId);
        Case memory proven = packed.cases[0];
        vm.expectRevert(IReceiptCourt.ReceiptCourt_NothingToSettle.selector);
        court.respond(ids(claimId), 0, proven.input, proven.output, proven.proof);
        assertClaim(claimId, ClaimState.SLASHED);
    }

    function test_aProofAfterTheReceiptsDeathCounts() external {
        Receipt memory receipt = honest(0);
        vm.warp(receipt.expires - 1);
        uint256 claimId = challenged(receipt);
        vm.warp(receipt.expires + WINDOW / 2);
        respond(claimId);
        assertClaim(claimId, ClaimState.PROVEN);
    }
}
