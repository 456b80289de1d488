// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyClaim, LazyLock, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {Finality, Result} from "../../src/types/RecordTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @title The roads that a lazy request can take to its end
contract LazyLifeTest is LazyNetwork {
    uint256 internal constant ROYALTY = uint256(PRICE) * ROYALTY_BPS / 10_000;

    function test_sentLockedAnsweredFinal() external {
        LazyMoney memory before = lazyMoney();
        LazyRequest memory request = wanted();
        uint256 requestId = send(request);
        assertEq(requestId, idOf(request), "id");
        assertLazy(requestId, LazyState.OPEN);
        LazyLock memory made = lockLazy(request, executor);
        assertLazy(requestId, LazyState.LOCKED);
        nextBlock();
        LazyClaim memory claim = claimNow(request, executor, made.price, truth());
        vm.prank(executor);
        lazy.fulfill(request, made, truth());
        assertLazy(requestId, LazyState.ANSWERED);
        assertEq(lazyMoney().escrowed, PRICE, "nothing is paid before it is final");
        assertEq(lazyMoney().used, COLLATERAL, "the collateral is used");
        finalized(claim);
        _assertPaid(before);
        _assertResult(claim, Finality.UNCHALLENGED);
    }

    function test_signedAnsweredFinal() external {
        LazyMoney memory before = lazyMoney();
        LazyClaim memory claim = honest();
        finalized(claim);
        _assertPaid(before);
        _assertResult(claim, Finality.UNCHALLENGED);
    }

    function test_provenEarly() external {
        LazyMoney memory before = lazyMoney();
        LazyClaim memory claim = honest();
        assertEq(prove(claim), 1, "settled");
        _assertPaid(before);
        _assertResult(claim, Finality.PROVEN);
    }

    function test_challengedAndProven() external {
        LazyMoney memory before = lazyMoney();
        LazyClaim memory claim = challenged(honest());
        assertLazy(claim.requestId, LazyState.DISPUTED);
        prove(claim);
        uint256 paid = uint256(CHALLENGE_BOND) * EXECUTOR_BPS / 10_000;
        LazyMoney memory afterwards = lazyMoney();
        assertEq(afterwards.challengerBalance, before.challengerBalance - CHALLENGE_BOND, "the bond is lost");
        assertEq(afterwards.executorAtCourt, paid, "the executor's part");
        assertEq(afterwards.burningAtCourt, CHALLENGE_BOND - paid, "the rest burns");
        assertEq(afterwards.bonded, 0, "nothing is held back");
        _assertPaid(before);
        _assertResult(claim, Finality.PROVEN);
    }

    function test_challengedAndSlashed() external {
        LazyMoney memory before = lazyMoney();
        LazyClaim memory claim = challenged(lie());
        slashed(claim);
        LazyMoney memory afterwards = lazyMoney();
        uint256 reward = uint256(COLLATERAL) * REWARD_BPS / 10_000;
        assertLazy(claim.requestId, LazyState.SLASHED);
        assertEq(afterwards.requesterBalance, before.requesterBalance, "the price is back");
        assertEq(afterwards.escrowed, 0, "nothing is held back");
        assertEq(afterwards.requesterCredit, PRICE, "compensation");
        assertEq(afterwards.challengerCredit, reward, "reward");
        assertEq(afterwards.burning, COLLATERAL - PRICE - reward, "the rest burns");
        assertEq(afterwards.challengerBalance, before.challengerBalance, "the bond is back");
        assertEq(afterwards.total, before.total - COLLATERAL, "backing");
        assertEq(afterwards.locked, afterwards.total, "what is left is locked");
        assertEq(afterwards.used, 0, "used");
        assertEq(uint256(lazy.resultOf(claim.requestId).how), uint256(Finality.NONE), "no result");
    }

    function test_drawnAndProven() external {
        LazyRequest memory request = wantedNamed();
        request.auditBps = 10_000;
        LazyClaim memory claim = answerSigned(request, truth());
        skip(1);
        skip(1);
        vm.prank(challenger);
        court.drawLot(address(lazy), claim);
        assertLazy(claim.requestId, LazyState.DISPUTED);
        LazyMoney memory before = lazyMoney();
        prove(claim);
        assertEq(lazyMoney().challengerBalance, before.challengerBalance, "a drawer loses nothing");
        _assertResult(claim, Finality.PROVEN);
    }

    function test_refundedUnlocked() external {
        LazyMoney memory before = lazyMoney();
        LazyRequest memory request = wanted();
        uint256 requestId = send(request);
        vm.warp(request.deadline + 1);
        lazy.refund(request);
        assertLazy(requestId, LazyState.REFUNDED);
        assertNothingMoved(before);
    }

    function test_refundedLocked() external {
        LazyMoney memory before = lazyMoney();
        LazyRequest memory request = wanted();
        LazyLock memory missed = lockedBy(request, executor);
        vm.warp(missed.lockDeadline + 1);
        lazy.refundLocked(request, missed);
        LazyMoney memory afterwards = lazyMoney();
        assertLazy(idOf(request), LazyState.REFUNDED);
        assertEq(afterwards.requesterBalance, before.requesterBalance, "the price is back");
        assertEq(afterwards.requesterCredit, PRICE, "compensation");
        assertEq(afterwards.burning, COLLATERAL - PRICE, "the rest burns");
        assertEq(afterwards.total, before.total - COLLATERAL, "backing");
        assertEq(afterwards.used, 0, "used");
    }

    function _assertPaid(LazyMoney memory before) private view {
        LazyMoney memory afterwards = lazyMoney();
        assertEq(afterwards.requesterBalance, before.requesterBalance - PRICE, "the requester paid");
        assertEq(afterwards.executorBalance, before.executorBalance + PRICE - ROYALTY, "the executor's fee");
        assertEq(afterwards.royalty, before.royalty + ROYALTY, "the royalty");
        assertEq(afterwards.escrowed, before.escrowed, "nothing is held back");
        assertEq(afterwards.used, before.used, "the collateral is free");
        assertEq(afterwards.total, before.total, "the backing is whole");
    }

    function _assertResult(LazyClaim memory claim, Finality how) private view {
        Result memory result = lazy.resultOf(claim.requestId);
        assertLazy(claim.requestId, LazyState.FINAL);
        assertEq(result.versionId, claim.versionId, "version");
        assertEq(uint256(result.mode), uint256(TrustMode.LAZY_ZK), "mode");
        assertEq(uint256(result.how), uint256(how), "how");
        assertEq(result.finalAt, block.timestamp, "when");
        assertEq(result.bond, COLLATERAL, "bond");
        assertEq(result.outputDigest, claim.outputDigest, "output");
    }
}
