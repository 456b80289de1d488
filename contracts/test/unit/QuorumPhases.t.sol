// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {IQuorumMarket} from "../../src/quorum/IQuorumMarket.sol";
import {QuorumRound, QuorumState, SeatState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice What is forbidden in each phase of a round, and its last seconds.
contract QuorumPhasesTest is QuorumNetwork {
    QuorumRound internal round;

    function setUp() public override {
        super.setUp();
        round = drawn(request());
    }

    // --- commitments ---

    function test_theCommitmentsLastSecondCounts() external {
        vm.warp(round.commitDeadline);
        commitAs(round, 0, output);
        assertSeat(round.requestId, 0, SeatState.COMMITTED);
        vm.warp(round.commitDeadline + 1);
        bytes32 commitment = _commitmentOf(1);
        vm.expectRevert(
            abi.encodeWithSelector(IQuorumMarket.QuorumMarket_CommitmentsOver.selector, round.commitDeadline)
        );
        vm.prank(round.members[1]);
        market.commit(round, 1, commitment);
    }

    function test_aCommitmentIsMadeOnce() external {
        commitAs(round, 0, output);
        bytes32 other = market.commitmentOf(round.members[0], round.requestId, SALT, keccak256(LIE));
        vm.expectRevert(
            abi.encodeWithSelector(IQuorumMarket.QuorumMarket_OtherSeatState.selector, 0, SeatState.COMMITTED)
        );
        vm.prank(round.members[0]);
        market.commit(round, 0, other);
    }

    function test_onlyTheHolderOfTheSeatCommits() external {
        bytes32 commitment = _commitmentOf(0);
        vm.expectRevert(abi.encodeWithSelector(IQuorumMarket.QuorumMarket_NotSeated.selector, 0, stranger));
        vm.prank(stranger);
        market.commit(round, 0, commitment);
        address second = round.members[1];
        vm.expectRevert(abi.encodeWithSelector(IQuorumMarket.QuorumMarket_NotSeated.selector, 0, second));
        vm.prank(second);
        market.commit(round, 0, commitment);
        vm.expectRevert(abi.encodeWithSelector(IQuorumMarket.QuorumMarket_NotSeated.selector, 5, second));
        vm.prank(second);
        market.commit(round, 5, commitment);
    }

    function test_aCommitmentToNothingIsNone() external {
        vm.startPrank(round.members[0]);
        vm.expectRevert(IQuorumMarket.QuorumMarket_ZeroCommitment.selector);
        market.commit(round, 0, 0);
        vm.expectRevert(IQuorumMarket.QuorumMarket_ZeroCommitment.selector);
        market.commit(round, 0, bytes32(uint256(1)));
        vm.stopPrank();
        assertSeat(round.requestId, 0, SeatState.SILENT);
    }

    // --- reveals ---

    function test_nobodyRevealsWhileOthersMayCommit() external {
        for (uint256 seat = 0; seat < 4; ++seat) {
            commitAs(round, seat, output);
        }
        vm.warp(round.commitDeadline);
        vm.expectRevert(
            abi.encodeWithSelector(IQuorumMarket.QuorumMarket_CommitmentsNotOver.selector, round.commitDeadline)
        );
        revealBy(0, SALT, output);
        vm.warp(round.commitDeadline + 1);
        revealBy(0, SALT, output);
        assertSeat(round.requestId, 0, SeatState.REVEALED);
    }

    function test_theRevealsLastSecondCounts() external {
        commitAll(round, 5);
        vm.warp(round.revealDeadline);
        revealBy(0, SALT, output);
        vm.warp(round.revealDeadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IQuorumMarket.QuorumMarket_RevealsOver.selector, round.revealDeadline));
        revealBy(1, SALT, output);
    }

    function test_whatWasNotCommittedIsNotRevealed() external {
        vm.warp(round.commitDeadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IQuorumMarket.QuorumMarket_OtherSeatState.selector, 0, SeatState.SILENT));
        revealBy(0, SALT, output);
    }

    function test_nothingElseThanTheCommitmentIsRevealed() external {
        commitAll(round, 5);
        _refusedReveal(SALT, LIE);
        _refusedReveal(bytes32(uint256(SALT) ^ 1), output);
        _refusedReveal(SALT, "");
        revealBy(0, SALT, output);
    }

    function test_aSeatIsRevealedOnce() external {
        commitAll(round, 5);
        revealBy(0, SALT, output);
        vm.expectRevert(
            abi.encodeWithSelector(IQuorumMarket.QuorumMarket_OtherSeatState.selector, 0, SeatState.REVEALED)
        );
        revealBy(0, SALT, output);
    }

    function test_nobodyCommitsAfterARevealOfHisOwn() external {
        commitAll(round, 5);
        revealBy(0, SALT, output);
        bytes32 commitment = _commitmentOf(0);
        vm.expectRevert(
            abi.encodeWithSelector(IQuorumMarket.QuorumMarket_OtherSeatState.selector, 0, SeatState.REVEALED)
        );
        vm.prank(round.members[0]);
        market.commit(round, 0, commitment);
    }

    // --- settlement ---

    function test_nobodySettlesWhileSomethingMayCome() external {
        _refusedSettlement("");
        commitAll(round, 5);
        _refusedSettlement("");
        for (uint256 seat = 0; seat < 4; ++seat) {
            revealBy(seat, SALT, output);
        }
        vm.warp(round.revealDeadline);
        _refusedSettlement(output);
        vm.warp(round.revealDeadline + 1);
        market.settle(round, output);
    }

    /// @notice In that second somebody may still commit.
    function test_nobodySettlesInTheCommitmentsLastSecond() external {
        vm.warp(round.commitDeadline);
        _refusedSettlement("");
        vm.warp(round.commitDeadline + 1);
        market.settle(round, "");
        assertState(round.requestId, QuorumState.REFUNDED);
    }

    function test_settledEarlyWhenAllWhoCommittedRevealed() external {
        for (uint256 seat = 0; seat < 3; ++seat) {
            commitAs(round, seat, output);
        }
        vm.warp(round.commitDeadline + 1);
        for (uint256 seat = 0; seat < 2; ++seat) {
            revealBy(seat, SALT, output);
        }
        _refusedSettlement(output);
        revealBy(2, SALT, output);
        market.settle(round, output);
        assertState(round.requestId, QuorumState.FINAL);
    }

    function test_theOutputMustBeTheQuorums() external {
        commitAll(round, 5);
        revealAll(round, 5);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_OutputDigestMismatch.selector,
                keccak256(LIE),
                keccak256(output) | bytes32(uint256(1))
            )
        );
        market.settle(round, LIE);
        market.settle(round, output);
    }

    function test_aRoundIsSettledOnce() external {
        commitAll(round, 5);
        revealAll(round, 5);
        market.settle(round, output);
        vm.expectRevert(_otherRecord(QuorumState.FINAL));
        market.settle(round, output);
        bytes32 commitment = _commitmentOf(0);
        vm.expectRevert(_otherRecord(QuorumState.FINAL));
        vm.prank(round.members[0]);
        market.commit(round, 0, commitment);
        vm.expectRevert(_otherRecord(QuorumState.FINAL));
        revealBy(0, SALT, output);
    }

    function test_aRefundIsFinalToo() external {
        vm.warp(round.commitDeadline + 1);
        market.settle(round, "");
        assertState(round.requestId, QuorumState.REFUNDED);
        vm.expectRevert(_otherRecord(QuorumState.REFUNDED));
        market.settle(round, "");
        assertEq(market.balanceOf(requester), DEPOSIT, "refunded once");
    }

    /// @notice One changed member of the round, each: the market does not know it.
    function test_anotherRoundIsRefused() external {
        QuorumRound memory other = round;
        for (uint256 field = 0; field < 12; ++field) {
            other = round;
            if (field == 0) other.requestId ^= 1;
            else if (field == 1) other.requester = stranger;
            else if (field == 2) other.versionId += 1;
            else if (field == 3) other.runtimeClass = keccak256("another");
            else if (field == 4) other.inputDigest = keccak256("another");
            else if (field == 5) other.price += 1;
            else if (field == 6) other.threshold = 1;
            else if (field == 7) other.commitDeadline += 1;
            else if (field == 8) other.revealDeadline -= 1;
            else if (field == 9) other.callback = stranger;
            else if (field == 10) other.callbackGas = 1;
            else other.members[1] = other.members[0];
            QuorumState state = field == 0 ? QuorumState.NONE : QuorumState.DRAWN;
            bytes memory refusal = abi.encodeWithSelector(
                IRecordMarket.RecordMarket_OtherRecord.selector, other.requestId, uint8(state), uint8(QuorumState.DRAWN)
            );
            vm.warp(round.revealDeadline + 1);
            vm.expectRevert(refusal);
            market.settle(other, "");
            vm.expectRevert(refusal);
            vm.prank(other.members[0]);
            market.commit(other, 0, SALT);
            vm.expectRevert(refusal);
            vm.prank(other.members[0]);
            market.reveal(other, 0, SALT, output);
        }
    }

    function revealBy(uint256 seat, bytes32 salt, bytes memory answer) private {
        vm.prank(round.members[seat]);
        market.reveal(round, seat, salt, answer);
    }

    function _refusedReveal(bytes32 salt, bytes memory answer) private {
        bytes32 even = ~bytes32(uint256(1));
        bytes32 given = market.commitmentOf(round.members[0], round.requestId, salt, keccak256(answer)) & even;
        vm.expectRevert(
            abi.encodeWithSelector(IQuorumMarket.QuorumMarket_OtherCommitment.selector, given, _commitmentOf(0) & even)
        );
        revealBy(0, salt, answer);
    }

    function _refusedSettlement(bytes memory answer) private {
        vm.expectRevert(abi.encodeWithSelector(IQuorumMarket.QuorumMarket_RoundNotOver.selector, round.revealDeadline));
        market.settle(round, answer);
    }

    function _commitmentOf(uint256 seat) private view returns (bytes32) {
        return market.commitmentOf(round.members[seat], round.requestId, SALT, keccak256(output));
    }

    function _otherRecord(QuorumState state) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IRecordMarket.RecordMarket_OtherRecord.selector, round.requestId, uint8(state), uint8(QuorumState.DRAWN)
        );
    }
}
