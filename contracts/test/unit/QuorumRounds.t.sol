// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {IQuorumMarket} from "../../src/quorum/IQuorumMarket.sol";
import {IQuorumMembers} from "../../src/quorum/IQuorumMembers.sol";
import {
    Member,
    QuorumRequest,
    QuorumRound,
    QuorumState,
    RefundReason,
    SeatState
} from "../../src/quorum/QuorumTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {Finality, Result} from "../../src/types/RecordTypes.sol";
import {Listener} from "../Listener.t.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

contract QuorumRoundsTest is QuorumNetwork {
    function test_unanimousMembersShareThePrice() external {
        QuorumRound memory round = revealed(request(), 5);
        uint256 royalty = uint256(PRICE) * ROYALTY_BPS / 10_000;
        uint256 fees = PRICE - royalty;
        vm.expectEmit(address(market));
        emit IQuorumMarket.QuorumReached(round.requestId, versionId, requester, 5, fees / 5, royalty, output);
        market.settle(round, output);

        assertEq(market.balanceOf(round.members[0]), fees / 5 + fees % 5, "the first gets what is left");
        assertTrue(fees % 5 != 0, "something is left");
        for (uint256 seat = 1; seat < 5; ++seat) {
            assertEq(market.balanceOf(round.members[seat]), fees / 5, "share");
        }
        assertEq(market.royaltyOf(modelId), royalty, "royalty");
        assertEq(token.balanceOf(address(market)), DEPOSIT, "nothing left the market");
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "the requester paid the price");
    }

    function test_theResultSaysHowAndWhat() external {
        QuorumRound memory round = revealed(request(), 4);
        assertState(round.requestId, QuorumState.DRAWN);
        market.settle(round, output);
        Result memory result = market.resultOf(round.requestId);
        assertEq(result.versionId, versionId, "version");
        assertEq(uint256(result.mode), uint256(TrustMode.QUORUM), "mode");
        assertEq(uint256(result.how), uint256(Finality.QUORUM), "how");
        assertEq(result.outputDigest, keccak256(output), "digest");
        assertEq(result.finalAt, block.timestamp, "when");
        assertEq(result.bond, 4 * OUTLIER_SLASH, "what they would have lost");
        assertState(round.requestId, QuorumState.FINAL);
    }

    function test_eachStepIsTold() external {
        QuorumRound memory round = drawn(request());
        bytes32 commitment = market.commitmentOf(round.members[3], round.requestId, SALT, keccak256(output));
        vm.expectEmit(address(market));
        emit IQuorumMarket.QuorumCommitted(round.requestId, round.members[3], 3, commitment);
        commitAs(round, 3, output);
        pastCommits(round);
        vm.expectEmit(address(market));
        emit IQuorumMarket.QuorumRevealed(round.requestId, round.members[3], 3, keccak256(output), output);
        revealAs(round, 3, output);
        Member memory expected = memberOf(round.members[0]);
        (expected.stake, expected.openSeats, expected.isAwake) = (STAKE - SEAT_BOND, 0, false);
        vm.expectEmit(address(pool));
        emit IQuorumMembers.MemberChanged(versionId, CLASS, round.members[0], expected);
        vm.expectEmit(address(pool));
        emit IQuorumMembers.MemberSlashed(round.requestId, round.members[0], SEAT_BOND, requester, SEAT_BOND / 2);
        market.settle(round, "");
    }

    function test_theCallbackIsToldTheOutput() external {
        Listener listener = new Listener();
        QuorumRequest memory asked = request();
        (asked.callback, asked.callbackGas) = (address(listener), 500_000);
        QuorumRound memory round = revealed(asked, 5);
        vm.expectEmit(address(market));
        emit IRecordMarket.CallbackExecuted(round.requestId, address(listener), true, "");
        market.settle(round, output);
        bytes32 digest = keccak256(input);
        assertEq(
            listener.heard(),
            abi.encode(address(market), round.requestId, versionId, requester, digest, digest, output),
            "all that it is told"
        );
    }

    function test_noCallbackWithoutAQuorum() external {
        Listener listener = new Listener();
        QuorumRequest memory asked = request();
        (asked.callback, asked.callbackGas) = (address(listener), 500_000);
        QuorumRound memory round = revealed(asked, 2);
        market.settle(round, "");
        assertEq(listener.heard(), "", "nothing to tell");
    }

    function test_outliersPayAndBurn() external {
        QuorumRound memory round = revealed(request(), 3);
        market.settle(round, output);
        for (uint256 seat = 3; seat < 5; ++seat) {
            address member = round.members[seat];
            assertEq(memberOf(member).stake, STAKE - OUTLIER_SLASH, "stake");
            assertEq(lockedOf(member), STAKE - OUTLIER_SLASH, "locked");
            assertTrue(memberOf(member).isAwake, "a wrong answer is an answer");
            assertEq(market.balanceOf(member), 0, "no share");
        }
        assertEq(staking.pendingBurn(), 2 * OUTLIER_SLASH, "all of it burns");
        assertEq(staking.creditOf(requester), 0, "the requester has his answer");
    }

    function test_theSilentPayMoreAndSleep() external {
        QuorumRound memory round = drawn(request());
        for (uint256 seat = 0; seat < 4; ++seat) {
            commitAs(round, seat, output);
        }
        pastCommits(round);
        for (uint256 seat = 0; seat < 3; ++seat) {
            revealAs(round, seat, output);
        }
        pastReveals(round);
        market.settle(round, output);
        for (uint256 seat = 3; seat < 5; ++seat) {
            assertEq(memberOf(round.members[seat]).stake, STAKE - SEAT_BOND, "stake");
            assertFalse(memberOf(round.members[seat]).isAwake, "asleep");
        }
        assertEq(staking.pendingBurn(), 2 * SEAT_BOND, "all of it burns");
    }

    function test_noQuorumRefundsAndSlashesOnlyTheSilent() external {
        QuorumRound memory round = drawn(request());
        for (uint256 seat = 0; seat < 4; ++seat) {
            commitAs(round, seat, seat < 2 ? output : lieOf(seat));
        }
        pastCommits(round);
        for (uint256 seat = 0; seat < 4; ++seat) {
            revealAs(round, seat, seat < 2 ? output : lieOf(seat));
        }
        vm.expectEmit(address(market));
        emit IQuorumMarket.QuorumRefunded(round.requestId, requester, PRICE, SEAT_BOND / 2, RefundReason.NO_QUORUM);
        market.settle(round, "");
        assertEq(market.balanceOf(requester), DEPOSIT, "refunded");
        assertEq(staking.creditOf(requester), SEAT_BOND / 2, "compensated by who was silent");
        assertEq(staking.pendingBurn(), SEAT_BOND - SEAT_BOND / 2, "the rest burns");
        for (uint256 seat = 0; seat < 4; ++seat) {
            assertEq(memberOf(round.members[seat]).stake, STAKE, "who answered goes free");
            assertEq(market.balanceOf(round.members[seat]), 0, "unpaid");
        }
        assertState(round.requestId, QuorumState.REFUNDED);
    }

    function test_compensationNeverExceedsThePrice() external {
        QuorumRequest memory asked = request();
        asked.price = 6e6;
        QuorumRound memory round = drawn(asked);
        pastCommits(round);
        market.settle(round, "");
        assertEq(staking.creditOf(requester), 6e6, "up to the price");
        assertEq(staking.pendingBurn(), 5 * uint256(SEAT_BOND) - 6e6, "the rest burns");
        assertGe(staking.pendingBurn(), 5 * uint256(SEAT_BOND) / 2, "at least half");
    }

    function test_allCommittedMayRevealAtOnce() external {
        QuorumRound memory round = drawn(request());
        commitAll(round, 5);
        assertTrue(block.timestamp < round.commitDeadline, "before the deadline");
        revealAs(round, 2, output);
        assertSeat(round.requestId, 2, SeatState.REVEALED);
    }

    function test_anEmptyOutputIsAnAnswer() external {
        QuorumRound memory round = drawn(request());
        for (uint256 seat = 0; seat < 5; ++seat) {
            commitAs(round, seat, "");
        }
        for (uint256 seat = 0; seat < 5; ++seat) {
            revealAs(round, seat, "");
        }
        market.settle(round, "");
        assertEq(market.resultOf(round.requestId).outputDigest, keccak256(""), "no output, agreed");
    }

    function test_seatsAreFreeAfterwards() external {
        QuorumRound memory round = revealed(request(), 3);
        for (uint256 seat = 0; seat < 5; ++seat) {
            assertEq(memberOf(round.members[seat]).openSeats, 1, "seated");
        }
        market.settle(round, output);
        for (uint256 seat = 0; seat < 5; ++seat) {
            assertEq(memberOf(round.members[seat]).openSeats, 0, "free");
            assertSeat(round.requestId, seat, SeatState.SILENT);
        }
    }
}
