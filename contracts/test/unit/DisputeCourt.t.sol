// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {DisputeCourt} from "../../src/lazy/DisputeCourt.sol";
import {LazyClaim, LazyDispute, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {Finality} from "../../src/types/RecordTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @title How answers are doubted, proven and slashed
contract DisputeCourtTest is LazyNetwork {
    function test_aCourtNeedsATokenAndABond() external {
        vm.expectRevert(IDisputeCourt.DisputeCourt_InvalidConfiguration.selector);
        new DisputeCourt(stranger, CHALLENGE_BOND, EXECUTOR_BPS);
        vm.expectRevert(IDisputeCourt.DisputeCourt_InvalidConfiguration.selector);
        new DisputeCourt(address(token), 0, EXECUTOR_BPS);
        vm.expectRevert(IDisputeCourt.DisputeCourt_InvalidConfiguration.selector);
        new DisputeCourt(address(token), CHALLENGE_BOND, 9001);
        DisputeCourt made = new DisputeCourt(address(token), CHALLENGE_BOND, 9000);
        assertEq(made.CHALLENGE_BOND(), CHALLENGE_BOND, "bond");
        assertEq(made.EXECUTOR_BPS(), 9000, "part");
        assertEq(made.token(), address(token), "token");
    }

    // --- commitments ---

    function test_aCommitmentHoldsABond() external {
        LazyClaim memory claim = lie();
        bytes32 commitment = court.commitmentOf(challenger, address(lazy), claim, SALT);
        vm.expectEmit(address(court));
        emit IDisputeCourt.ChallengeCommitted(challenger, commitment, CHALLENGE_BOND);
        commitTo(challenger, claim);
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT - CHALLENGE_BOND, "taken");
        assertEq(court.committedAt(challenger, commitment), block.number, "block");
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.DisputeCourt_CommitmentExists.selector, commitment));
        vm.prank(challenger);
        court.commitChallenge(commitment);
        vm.expectEmit(address(court));
        emit IDisputeCourt.CommitmentWithdrawn(challenger, commitment, CHALLENGE_BOND);
        vm.prank(challenger);
        court.withdrawCommitment(commitment);
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT, "returned");
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeCourt.DisputeCourt_NotCommitted.selector, challenger, commitment)
        );
        vm.prank(challenger);
        court.withdrawCommitment(commitment);
    }

    function test_aCommitmentNeedsTheBond() external {
        vm.expectRevert(
            abi.encodeWithSelector(
                ITokenAccounts.TokenAccounts_InsufficientBalance.selector, stranger, 0, CHALLENGE_BOND
            )
        );
        vm.prank(stranger);
        court.commitChallenge(SALT);
    }

    function test_onlyWhoCommittedOpensOrTakesBack() external {
        depositAtCourt(stranger, CHALLENGE_BOND);
        LazyClaim memory claim = lie();
        bytes32 commitment = commitTo(challenger, claim);
        nextBlock();
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.DisputeCourt_NotCommitted.selector, stranger, commitment));
        vm.prank(stranger);
        court.withdrawCommitment(commitment);
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_NotCommitted.selector);
        vm.prank(stranger);
        court.challenge(address(lazy), claim, SALT);
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_NotCommitted.selector);
        vm.prank(challenger);
        court.challenge(address(lazy), claim, keccak256("another salt"));
        LazyClaim memory other = lie();
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_NotCommitted.selector);
        vm.prank(challenger);
        court.challenge(address(lazy), other, SALT);
    }

    function test_notInTheBlockOfTheCommitment() external {
        LazyClaim memory claim = lie();
        bytes32 commitment = commitTo(challenger, claim);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.DisputeCourt_CommittedInThisBlock.selector, commitment));
        vm.prank(challenger);
        court.challenge(address(lazy), claim, SALT);
    }

    // --- challenges ---

    function test_aChallengeTellsTheDispute() external {
        LazyClaim memory claim = lie();
        commitTo(challenger, claim);
        nextBlock();
        LazyDispute memory dispute = LazyDispute({
            challenger: challenger, bond: CHALLENGE_BOND, deadline: uint64(block.timestamp) + RESPONSE_WINDOW, number: 1
        });
        vm.expectEmit(address(court));
        emit IDisputeCourt.Disputed(address(lazy), claim.requestId, executor, claim, dispute);
        vm.prank(challenger);
        court.challenge(address(lazy), claim, SALT);
        assertEq(abi.encode(court.disputeOf(address(lazy), claim.requestId)), abi.encode(dispute), "the dispute");
        assertLazy(claim.requestId, LazyState.DISPUTED);
    }

    function test_theLastSecondOfTheWindowCounts() external {
        LazyClaim memory claim = lie();
        LazyClaim memory late = lie();
        commitTo(challenger, claim);
        commitTo(challenger, late);
        vm.roll(block.number + 1);
        vm.warp(claim.challengeDeadline);
        vm.prank(challenger);
        court.challenge(address(lazy), claim, SALT);
        vm.warp(claim.challengeDeadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILazyMarket.LazyMarket_ChallengeWindowOver.selector, late.requestId, late.challengeDeadline
            )
        );
        vm.prank(challenger);
        court.challenge(address(lazy), late, SALT);
    }

    function test_deadlinesQueue() external {
        LazyClaim memory first = honest();
        LazyClaim memory second = honest();
        LazyRequest memory request = wantedNamed();
        request.responseWindow = 3 * RESPONSE_WINDOW;
        LazyClaim memory third = answerSigned(request, truth());
        challenged(first);
        uint64 start = _deadline(first);
        assertEq(start, block.timestamp + RESPONSE_WINDOW, "a window from now");
        challenged(second);
        assertEq(_deadline(second), start + RESPONSE_WINDOW, "a window after the first");
        challenged(third);
        assertEq(_deadline(third), start + 4 * RESPONSE_WINDOW, "its own window after the second");
        _assertQueue(3, _deadline(third));
        // Out of the middle, and off the end: a new one follows what is still open.
        prove(second);
        _assertQueue(2, _deadline(third));
        prove(third);
        _assertQueue(1, start);
        LazyClaim memory fourth = challenged(honest());
        assertEq(_deadline(fourth), start + RESPONSE_WINDOW, "after the first again");
        prove(first);
        prove(fourth);
        _assertQueue(0, 0);
        LazyClaim memory fifth = challenged(honest());
        assertEq(_deadline(fifth), block.timestamp + RESPONSE_WINDOW, "from now again");
    }

    function test_queuesAreByExecutor() external {
        backLazy(stranger, BACKING);
        LazyClaim memory mine = challenged(honest());
        assertEq(_deadline(mine), block.timestamp + RESPONSE_WINDOW, "mine");
        LazyClaim memory others = challenged(answerBy(stranger, wanted(), truth()));
        assertEq(_deadline(others), block.timestamp + RESPONSE_WINDOW, "does not wait for mine");
    }

    // --- lots ---

    function test_theLotFallsByTheNextBlocksHash() external {
        LazyRequest memory request = wantedNamed();
        request.auditBps = 5000;
        LazyClaim memory claim = answerSigned(request, truth());
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeCourt.DisputeCourt_NoSeed.selector, claim.requestId, claim.answeredBlock + 1)
        );
        court.drawLot(address(lazy), claim);
        nextBlock();
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeCourt.DisputeCourt_NoSeed.selector, claim.requestId, claim.answeredBlock + 1)
        );
        court.isDrawn(claim);
        nextBlock();
        bytes32 seed = blockhash(claim.answeredBlock + 1);
        bool drawn = uint256(keccak256(abi.encode(seed, claim.requestId))) % 10_000 < 5000;
        assertEq(court.isDrawn(claim) ? 1 : 0, drawn ? 1 : 0, "as the seed says");
        vm.roll(claim.answeredBlock + 1 + 256);
        assertEq(court.isDrawn(claim) ? 1 : 0, drawn ? 1 : 0, "the last block that knows the seed");
        vm.roll(claim.answeredBlock + 1 + 257);
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_NoSeed.selector);
        court.drawLot(address(lazy), claim);
    }

    function test_aLotIsAsLikelyAsAsked() external {
        LazyRequest memory request = wantedNamed();
        request.auditBps = 2500;
        LazyClaim memory claim = answerSigned(request, truth());
        skip(1);
        skip(1);
        uint256 drawn;
        for (uint256 i = 0; i < 400; ++i) {
            claim.requestId = uint256(keccak256(abi.encode(i)));
            if (court.isDrawn(claim)) ++drawn;
        }
        assertGe(drawn, 70, "a quarter, or so");
        assertLe(drawn, 130, "a quarter, or so");
    }

    function test_noLotWhereNoneWasAsked() external {
        LazyClaim memory claim = honest();
        skip(1);
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.DisputeCourt_NotDrawn.selector, claim.requestId));
        court.drawLot(address(lazy), claim);
    }

    function test_aLotNeedsNoBondAndWinsTheReward() external {
        LazyRequest memory request = wantedNamed();
        request.auditBps = 10_000;
        LazyClaim memory claim = answerSigned(request, "a lie");
        skip(1);
        skip(1);
        vm.prank(stranger);
        court.drawLot(address(lazy), claim);
        LazyDispute memory dispute = court.disputeOf(address(lazy), claim.requestId);
        assertEq(dispute.challenger, stranger, "the drawer");
        assertEq(dispute.bond, 0, "no bond");
        slashed(claim);
        assertEq(staking.creditOf(stranger), uint256(COLLATERAL) * REWARD_BPS / 10_000, "the reward");
        assertEq(court.balanceOf(stranger), 0, "and no bond to return");
    }

    // --- proofs ---

    function test_oneProofSettlesAllEqualClaims() external {
        LazyClaim memory first = challenged(honest());
        LazyClaim memory second = honest();
        backLazy(stranger, BACKING);
        LazyClaim memory others = answerBy(stranger, wanted(), truth());
        LazyClaim[] memory claims = new LazyClaim[](4);
        (claims[0], claims[1], claims[2], claims[3]) = (first, second, others, first);
        vm.expectEmit(address(lazy));
        emit ILazyMarket.Finalized(
            first.requestId, executor, lazyVersion, first.outputDigest, Finality.PROVEN, PRICE - PRICE / 10, PRICE / 10
        );
        vm.expectEmit(address(court));
        emit IDisputeCourt.ProofSkipped(address(lazy), first.requestId);
        assertEq(proveBy(challenger, claims, packed, 0), 3, "settled");
        assertEq(uint256(lazy.resultOf(first.requestId).how), uint256(Finality.PROVEN), "first");
        assertEq(uint256(lazy.resultOf(second.requestId).how), uint256(Finality.PROVEN), "second");
        assertEq(uint256(lazy.resultOf(others.requestId).how), uint256(Finality.PROVEN), "another's");
        assertEq(lazy.balanceOf(stranger), PRICE - PRICE / 10, "who answered is paid, whoever proved");
    }

    function test_aProofOfAnotherClaimIsAMistake() external {
        LazyClaim memory claim = honest();
        LazyClaim memory wrong = lie();
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeCourt.DisputeCourt_ProofOfAnotherClaim.selector, wrong.requestId)
        );
        proveBy(executor, list(claim, wrong), packed, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeCourt.DisputeCourt_ProofOfAnotherClaim.selector, wrong.requestId)
        );
        proveBy(executor, list(wrong), packed, 0);
        LazyClaim memory otherInput = answerSigned(_named(lazyRequest(lazyVersion, packed, 1)), truth());
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeCourt.DisputeCourt_ProofOfAnotherClaim.selector, otherInput.requestId)
        );
        proveBy(executor, list(claim, otherInput), packed, 0);
    }

    function test_committedInputsAreProvenToo() external {
        bytes memory output = kzg.cases[0].output;
        LazyClaim memory claim = challenged(answerSigned(_named(lazyRequest(lazyKzgVersion, kzg, 0)), output));
        assertEq(proveBy(stranger, list(claim), kzg, 0), 1, "settled");
        assertLazy(claim.requestId, LazyState.FINAL);
    }

    function test_nothingToSettleIsAMistake() external {
        LazyClaim memory claim = honest();
        finalized(claim);
        vm.expectRevert(IDisputeCourt.DisputeCourt_NothingToSettle.selector);
        proveBy(executor, list(claim), packed, 0);
        vm.expectRevert(IDisputeCourt.DisputeCourt_NothingToSettle.selector);
        proveBy(executor, new LazyClaim[](0), packed, 0);
    }

    function test_anAnswerIsProvenAfterItsWindowIfNobodyFinalizedIt() external {
        LazyClaim memory claim = honest();
        pastWindow(claim);
        prove(claim);
        assertEq(uint256(lazy.resultOf(claim.requestId).how), uint256(Finality.PROVEN), "proven");
    }

    function test_aListNeedsTheGasOfAll() external {
        LazyClaim memory claim = honest();
        Case memory proven = packed.cases[0];
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_NotEnoughGas.selector);
        vm.prank(executor);
        court.prove{gas: 600_000}(address(lazy), list(claim), 0, proven.input, proven.output, proven.proof);
    }

    // --- verdicts ---

    function test_provenUpToTheDeadlineSlashedAfterIt() external {
        LazyClaim memory claim = challenged(honest());
        uint64 deadline = _deadline(claim);
        vm.warp(deadline);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeCourt.DisputeCourt_NotOverdue.selector, claim.requestId, deadline)
        );
        court.slash(address(lazy), claim);
        uint256 before = vm.snapshotState();
        prove(claim);
        assertLazy(claim.requestId, LazyState.FINAL);
        vm.revertToState(before);
        vm.warp(deadline + 1);
        vm.expectRevert(IDisputeCourt.DisputeCourt_NothingToSettle.selector);
        proveBy(executor, list(claim), packed, 0);
        vm.expectEmit(address(court));
        emit IDisputeCourt.ChallengeWon(address(lazy), claim.requestId, challenger, CHALLENGE_BOND);
        court.slash(address(lazy), claim);
        assertLazy(claim.requestId, LazyState.SLASHED);
    }

    function test_onlyTheDisputedClaimIsSlashed() external {
        LazyClaim memory claim = challenged(lie());
        LazyClaim memory undisputed = lie();
        missDeadline(claim);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.DisputeCourt_NotDisputed.selector, undisputed.requestId));
        court.slash(address(lazy), undisputed);
        claim.collateral -= 1;
        vm.expectRevert(otherRecord(claim.requestId, LazyState.DISPUTED, LazyState.DISPUTED));
        court.slash(address(lazy), claim);
    }

    function test_onlyTheCourtIsHeard() external {
        LazyClaim memory claim = honest();
        bytes memory reason = abi.encodeWithSelector(ILazyMarket.LazyMarket_NotCourt.selector, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(reason);
        lazy.dispute(claim);
        vm.expectRevert(reason);
        lazy.settle(claim, truth());
        vm.expectRevert(reason);
        lazy.slash(claim, stranger);
        vm.stopPrank();
        // Another court has nothing to say either.
        DisputeCourt other = new DisputeCourt(address(token), CHALLENGE_BOND, EXECUTOR_BPS);
        Case memory proven = packed.cases[0];
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_NotCourt.selector, address(other)));
        other.prove(address(lazy), list(claim), 0, proven.input, proven.output, proven.proof);
    }

    function test_whatFailedChallengersLostBurns() external {
        vm.expectRevert(IDisputeCourt.DisputeCourt_NothingToBurn.selector);
        court.burn();
        prove(challenged(honest()));
        uint256 lost = CHALLENGE_BOND - uint256(CHALLENGE_BOND) * EXECUTOR_BPS / 10_000;
        assertEq(court.pendingBurn(), lost, "waits");
        vm.expectEmit(address(court));
        emit IDisputeCourt.Burned(lost);
        court.burn();
        assertEq(token.balanceOf(court.BURN_ADDRESS()), lost, "burned");
        assertEq(court.pendingBurn(), 0, "once");
    }

    function _named(LazyRequest memory request) private view returns (LazyRequest memory) {
        request.executor = executor;
        return request;
    }

    function _deadline(LazyClaim memory claim) private view returns (uint64) {
        return court.disputeOf(address(lazy), claim.requestId).deadline;
    }

    function _assertQueue(uint256 open, uint64 last) private view {
        (uint256 length, uint64 lastDeadline) = court.queueOf(address(lazy), executor);
        assertEq(length, open, "open");
        assertEq(lastDeadline, last, "last");
    }
}
