// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {LazyClaim, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {Finality} from "../../src/types/RecordTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: an executor ends answers without keeping their results, to withhold them from other contracts; or
/// somebody keeps a result that was not, as of another second, with another bond, or of an answer that is not final.
/// Whoever needs a result keeps it, exactly as it was, at any time.
contract LazyWithheldResultAttack is LazyNetwork {
    function test_attack_inFrontOfAFinalizeThatWouldKeepIt() external {
        LazyClaim memory claim = honest();
        pastWindow(claim);
        vm.prank(executor);
        lazy.finalizeMany(list(claim));
        vm.expectRevert(otherRecord(claim.requestId, LazyState.FINAL, LazyState.ANSWERED));
        lazy.finalize(claim, "");
        vm.warp(block.timestamp + 3650 days);
        vm.prank(requester);
        lazy.keepResult(claim);
        assertEq(
            lazy.resultOf(claim.requestId).finalAt,
            claim.challengeDeadline + 1,
            "when it became final, not when it was kept"
        );
        assertEq(lazy.resultOf(claim.requestId).outputDigest, keccak256(truth()), "the output");
    }

    function testFuzz_attack_asOfAnotherSecond(uint64 deadline) external {
        LazyClaim memory claim = honest();
        pastWindow(claim);
        vm.assume(deadline != claim.challengeDeadline);
        lazy.finalizeMany(list(claim));
        claim.challengeDeadline = deadline;
        vm.expectRevert(otherRecord(claim.requestId, LazyState.FINAL, LazyState.FINAL));
        lazy.keepResult(claim);
    }

    function test_attack_ofAnAnswerThatIsNotFinal() external {
        LazyClaim memory answered = honest();
        LazyClaim memory disputed = challenged(honest());
        LazyClaim memory wrong = lie();
        slashed(challenged(wrong));
        vm.expectRevert(otherRecord(answered.requestId, LazyState.ANSWERED, LazyState.FINAL));
        lazy.keepResult(answered);
        vm.expectRevert(otherRecord(disputed.requestId, LazyState.DISPUTED, LazyState.FINAL));
        lazy.keepResult(disputed);
        vm.expectRevert(otherRecord(wrong.requestId, LazyState.SLASHED, LazyState.FINAL));
        lazy.keepResult(wrong);
    }

    /// @notice What is proven is kept at once, also where the window is over: nobody makes less of it.
    function test_attack_makingAProofLookUnchallenged() external {
        LazyClaim memory claim = honest();
        prove(claim);
        pastWindow(claim);
        vm.expectRevert();
        lazy.finalizeMany(list(claim));
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_ResultKept.selector, claim.requestId));
        lazy.keepResult(claim);
        assertEq(uint256(lazy.resultOf(claim.requestId).how), uint256(Finality.PROVEN), "proven");
    }

    /// @notice Who waits for an output by callback is never left out by a list.
    function test_attack_leavingACallbackOut() external {
        LazyRequest memory request = wantedNamed();
        (request.callback, request.callbackGas) = (stranger, 50_000);
        LazyClaim memory claim = answerSigned(request, truth());
        LazyClaim memory other = honest();
        pastWindow(other);
        assertEq(lazy.finalizeMany(list(claim, other)), 1, "only the other");
        assertLazy(claim.requestId, LazyState.ANSWERED);
        lazy.finalize(claim, truth());
        assertLazy(claim.requestId, LazyState.FINAL);
    }
}
