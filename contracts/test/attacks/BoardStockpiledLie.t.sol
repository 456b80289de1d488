// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumRequest, QuorumRound} from "../../src/quorum/QuorumTypes.sol";
import {BoardResult} from "../../src/results/ResultTypes.sol";
import {LazyClaim, LazyRequest} from "../../src/types/LazyTypes.sol";
import {Finality} from "../../src/types/RecordTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";

/// @notice Attack: a lie whose window is long over is kept unfinalized. With newer results on the board, it is made
/// final and published in one transaction, and nobody can challenge it any more. An answer is as of the end of its
/// window, a quorum's as of the end of its round: waiting makes neither newer.
contract BoardStockpiledLieAttack is BoardNetwork {
    function test_attack_aLieFromTheDrawerAgainstAProof() external {
        (LazyRequest memory asked, LazyClaim memory wrong) = stockpiled();
        uint256 requestId = provenResult();
        board.publishProven(requestId);
        lazy.finalize(wrong, "");
        board.publishLazy(asked);
        assertEq(latest(PROVABLE, COLLATERAL).requestId, requestId, "the proof is newer");
        assertShownAsOf(latest(LAZY, COLLATERAL), wrong);
    }

    /// @notice A newer answer of the same market with the same bond hides it for good.
    function test_attack_aLieFromTheDrawerAgainstAnAnswer() external {
        (LazyRequest memory asked, LazyClaim memory wrong) = stockpiled();
        LazyRequest memory honestly = lazyResult(COLLATERAL);
        board.publishLazy(honestly);
        nextBlock();
        lazy.finalize(wrong, "");
        vm.expectRevert();
        board.publishLazy(asked);
        assertEq(latest(LAZY, 0).requestId, lazy.idOf(honestly), "the newer answer");
    }

    /// @notice Nor by a list, and by keeping the result even later.
    function test_attack_aLieKeptLate() external {
        (LazyRequest memory asked, LazyClaim memory wrong) = stockpiled();
        lazy.finalizeMany(list(wrong));
        LazyRequest memory honestly = lazyResult(FLOOR);
        board.publishLazy(honestly);
        vm.warp(block.timestamp + 30 days);
        lazy.keepResult(wrong);
        board.publishLazy(asked);
        assertEq(latest(LAZY, 0).requestId, lazy.idOf(honestly), "the newer answer");
        assertShownAsOf(latest(LAZY, FLOOR + 1), wrong);
    }

    function test_attack_aRoundSettledLate() external {
        QuorumRequest memory asked = quorumAsked(CLASS);
        QuorumRound memory round = drawn(asked);
        bytes memory wrong = "a lie";
        for (uint256 seat = 0; seat < round.members.length; ++seat) {
            bytes32 commitment = quorum.commitmentOf(round.members[seat], round.requestId, SALT, keccak256(wrong));
            vm.prank(round.members[seat]);
            quorum.commit(round, seat, commitment);
        }
        for (uint256 seat = 0; seat < round.members.length; ++seat) {
            vm.prank(round.members[seat]);
            quorum.reveal(round, seat, SALT, wrong);
        }
        vm.warp(round.revealDeadline + 90 days);
        quorum.settle(round, wrong);
        assertEq(quorum.resultOf(round.requestId).finalAt, round.revealDeadline, "as of the end of its round");
    }

    /// @notice What is settled before the round's end is as of its settlement: nothing is of the future.
    function test_aRoundSettledEarly() external {
        QuorumRequest memory asked = quorumResult(CLASS, truth());
        assertEq(quorum.resultOf(quorum.idOf(asked)).finalAt, block.timestamp, "now");
    }

    /// @notice A proof is as of its second: it needs no window.
    function test_aProofIsAsOfNow() external {
        LazyRequest memory asked = lazyProven();
        assertEq(lazy.resultOf(lazy.idOf(asked)).finalAt, block.timestamp, "now");
    }

    function stockpiled() private returns (LazyRequest memory asked, LazyClaim memory wrong) {
        asked = lazyAsked(COLLATERAL);
        wrong = answerSigned(asked, "a lie");
        pastWindow(wrong);
        vm.warp(block.timestamp + 90 days);
        vm.roll(block.number + 1000);
    }

    function assertShownAsOf(BoardResult memory shown, LazyClaim memory wrong) private pure {
        assertShown(shown, wrong.requestId, Finality.UNCHALLENGED, wrong.collateral);
        assertEq(shown.finalAt, wrong.challengeDeadline + 1, "as old as it is");
    }
}
