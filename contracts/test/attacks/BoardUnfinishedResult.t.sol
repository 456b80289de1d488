// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {QuorumRequest} from "../../src/quorum/QuorumTypes.sol";
import {IResultBoard} from "../../src/results/IResultBoard.sol";
import {LazyClaim, LazyLock, LazyRequest} from "../../src/types/LazyTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";

/// @notice Requests that are not answered yet, whose answer may still be challenged, was found wrong, or never came,
/// are brought onto the board, whose readers would take a claim for a result.
contract BoardUnfinishedResultAttack is BoardNetwork {
    function test_attack_anAnswerThatMayStillBeChallenged() external {
        LazyRequest memory asked = lazyAsked(COLLATERAL);
        _refusedLazy(asked); // never asked
        LazyClaim memory claim = answerSigned(asked, "a lie");
        _refusedLazy(asked); // answered
        challenged(claim);
        _refusedLazy(asked); // disputed
        slashed(claim);
        _refusedLazy(asked); // found wrong
    }

    function test_attack_aRequestThatIsOpenOrLocked() external {
        LazyRequest memory asked = lazyRequest(everyMode, packed, 0);
        send(asked);
        _refusedLazy(asked);
        LazyLock memory made = lockLazy(asked, executor);
        _refusedLazy(asked);
        vm.warp(made.lockDeadline + 1);
        lazy.refundLocked(asked, made);
        _refusedLazy(asked);
    }

    function test_attack_aRequestOfModeZkThatIsNotPaid() external {
        uint256 requestId = open(paramsFor(everyMode, packed, 0));
        _refusedProven(requestId);
        lockBy(executor, requestId);
        _refusedProven(requestId);
        vm.warp(block.timestamp + 2 hours);
        market.refund(requestId);
        _refusedProven(requestId);
    }

    function test_attack_aQuorumThatIsNotReached() external {
        QuorumRequest memory asked = quorumAsked(CLASS);
        _refusedQuorum(asked);
        drawn(asked);
        _refusedQuorum(asked);
    }

    function test_attack_anAttestationThatIsDue() external {
        AttestedRequest memory asked = attestedAsked();
        vm.prank(requester);
        attested.request(asked, "");
        _refusedAttested(asked);
        vm.warp(asked.deadline + 1);
        attested.refund(asked);
        _refusedAttested(asked);
    }

    function _refusedLazy(LazyRequest memory asked) private {
        uint256 id = lazy.idOf(asked);
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NotFinal.selector, TrustMode.LAZY_ZK, id));
        board.publishLazy(asked);
        assertNothing(latestOf(ALL_MODES));
    }

    function _refusedProven(uint256 requestId) private {
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NotFinal.selector, TrustMode.ZK, requestId));
        board.publishProven(requestId);
        assertNothing(latestOf(ALL_MODES));
    }

    function _refusedQuorum(QuorumRequest memory asked) private {
        uint256 id = quorum.idOf(asked);
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NotFinal.selector, TrustMode.QUORUM, id));
        board.publishQuorum(asked);
        assertNothing(latestOf(ALL_MODES));
    }

    function _refusedAttested(AttestedRequest memory asked) private {
        uint256 id = attested.idOf(asked);
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NotFinal.selector, TrustMode.ATTESTED, id));
        board.publishAttested(asked);
        assertNothing(latestOf(ALL_MODES));
    }
}
