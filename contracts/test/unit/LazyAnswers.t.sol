// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyClaim, LazyLock, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {Finality, Result} from "../../src/types/RecordTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @dev Remembers what it was told.
contract Listener {
    address public teller;
    bytes32 public told;
    uint256 public times;

    function onInference(
        uint256 requestId,
        uint64 versionId,
        address requester,
        bytes32 inputDigest,
        bytes32 inputBinding,
        bytes calldata output
    ) external {
        teller = msg.sender;
        told = keccak256(abi.encode(requestId, versionId, requester, inputDigest, inputBinding, output));
        ++times;
    }
}

/// @title How lazy requests are answered and become final
contract LazyAnswersTest is LazyNetwork {
    function test_anAnswerTellsTheWholeClaim() external {
        LazyRequest memory request = wanted();
        request.auditBps = 77;
        (request.callback, request.callbackGas) = (stranger, 1234);
        LazyLock memory made = lockedBy(request, executor);
        LazyClaim memory claim = claimNow(request, executor, PRICE, truth());
        vm.expectEmit(address(lazy));
        emit ILazyMarket.Answered(idOf(request), executor, lazyVersion, claim, truth(), request.inputHint);
        vm.prank(executor);
        lazy.fulfill(request, made, truth());
    }

    /// @notice The event is written by hand: outputs and hints of all lengths around whole words.
    function testFuzz_theEventIsAbiEncoded(uint8 outputLength, uint8 hintLength) external {
        LazyRequest memory request = wantedNamed();
        bytes memory output = _bytes(outputLength);
        request.inputHint = string(_bytes(hintLength));
        bytes memory signature = signatureFor(request);
        LazyClaim memory claim = claimNow(request, executor, PRICE, output);
        vm.expectEmit(address(lazy));
        emit ILazyMarket.Answered(idOf(request), executor, lazyVersion, claim, output, request.inputHint);
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, signature, output);
    }

    function test_onlyTheLockHolderAnswersInTimeAndNotInTheLocksBlock() external {
        LazyRequest memory request = wanted();
        send(request);
        uint256 requestId = idOf(request);
        LazyLock memory made = lockLazy(request, executor);
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_LockedInThisBlock.selector, requestId));
        vm.prank(executor);
        lazy.fulfill(request, made, truth());
        nextBlock();
        vm.expectRevert(
            abi.encodeWithSelector(ILazyMarket.LazyMarket_NotLockHolder.selector, requestId, stranger, executor)
        );
        vm.prank(stranger);
        lazy.fulfill(request, made, truth());
        vm.warp(made.lockDeadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_Expired.selector, requestId, made.lockDeadline));
        vm.prank(executor);
        lazy.fulfill(request, made, truth());
        vm.warp(made.lockDeadline);
        vm.prank(executor);
        lazy.fulfill(request, made, truth());
    }

    function test_theNamedExecutorNeedsNoBlockBetween() external {
        LazyRequest memory request = wantedNamed();
        send(request);
        LazyLock memory made = lockLazy(request, executor);
        vm.prank(executor);
        lazy.fulfill(request, made, truth());
        assertLazy(idOf(request), LazyState.ANSWERED);
    }

    function test_lockAndAnswerOnlyByTheNamedExecutorInTime() external {
        LazyRequest memory request = wantedNamed();
        uint256 requestId = send(request);
        bytes memory reason =
            abi.encodeWithSelector(ILazyMarket.LazyMarket_NotNamedExecutor.selector, requestId, stranger, executor);
        vm.expectRevert(reason);
        vm.prank(stranger);
        lazy.lockAndFulfill(request, truth());
        vm.warp(request.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_Expired.selector, requestId, request.deadline));
        vm.prank(executor);
        lazy.lockAndFulfill(request, truth());
        vm.warp(request.deadline);
        vm.prank(executor);
        lazy.lockAndFulfill(request, truth());
        assertLazy(requestId, LazyState.ANSWERED);
    }

    function test_nobodyIsNamedNobodyAnswersAtOnce() external {
        LazyRequest memory request = wanted();
        bytes memory signature = signatureFor(request);
        uint256 requestId = idOf(request);
        bytes memory reason =
            abi.encodeWithSelector(ILazyMarket.LazyMarket_NotNamedExecutor.selector, requestId, executor, address(0));
        vm.expectRevert(reason);
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, signature, truth());
        send(request);
        vm.expectRevert(reason);
        vm.prank(executor);
        lazy.lockAndFulfill(request, truth());
    }

    function test_answeringAtOncePaysTheRampsPrice() external {
        LazyRequest memory request = wantedNamed();
        (request.rampStart, request.rampLength) = (uint64(block.timestamp), 1000);
        send(request);
        vm.warp(block.timestamp + 400);
        LazyClaim memory claim = claimNow(request, executor, PRICE * 2 / 5, truth());
        vm.prank(executor);
        lazy.lockAndFulfill(request, truth());
        assertEq(lazy.balanceOf(requester), DEPOSIT - PRICE * 2 / 5, "the change is back");
        finalized(claim);
        assertEq(lazy.balanceOf(executor) + lazy.royaltyOf(modelId), PRICE * 2 / 5, "paid");
    }

    function test_outputsAreBounded() external {
        LazyRequest memory request = wantedNamed();
        send(request);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_OutputTooLong.selector, MAX_OUTPUT_LENGTH + 1, MAX_OUTPUT_LENGTH
            )
        );
        vm.prank(executor);
        lazy.lockAndFulfill(request, new bytes(MAX_OUTPUT_LENGTH + 1));
        vm.prank(executor);
        lazy.lockAndFulfill(request, new bytes(MAX_OUTPUT_LENGTH));
    }

    function test_notFinalInTheLastSecondOfTheWindow() external {
        LazyClaim memory claim = honest();
        vm.warp(claim.challengeDeadline);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILazyMarket.LazyMarket_StillChallengeable.selector, claim.requestId, claim.challengeDeadline
            )
        );
        lazy.finalize(claim, "");
        vm.expectRevert(abi.encodeWithSelector(IRecordMarket.RecordMarket_NothingDone.selector));
        lazy.finalizeMany(list(claim));
        vm.warp(claim.challengeDeadline + 1);
        vm.expectEmit(address(lazy));
        emit ILazyMarket.Finalized(
            claim.requestId,
            executor,
            lazyVersion,
            claim.outputDigest,
            Finality.UNCHALLENGED,
            PRICE - PRICE / 10,
            PRICE / 10
        );
        vm.prank(stranger);
        lazy.finalize(claim, "");
    }

    function test_theCallbackComesWithFinality() external {
        Listener listener = new Listener();
        LazyRequest memory request = wantedNamed();
        (request.callback, request.callbackGas) = (address(listener), 200_000);
        LazyClaim memory claim = answerSigned(request, truth());
        assertEq(listener.times(), 0, "not before");
        pastWindow(claim);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_OutputDigestMismatch.selector, keccak256("another"), claim.outputDigest
            )
        );
        lazy.finalize(claim, "another");
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_OutputDigestMismatch.selector, keccak256(""), claim.outputDigest
            )
        );
        lazy.finalize(claim, "");
        lazy.finalize(claim, truth());
        _assertTold(listener, claim, 1);
    }

    function test_aProofCallsBackToo() external {
        Listener listener = new Listener();
        LazyRequest memory request = wantedNamed();
        (request.callback, request.callbackGas) = (address(listener), 200_000);
        LazyClaim memory claim = answerSigned(request, truth());
        LazyClaim memory other = honest();
        assertEq(proveBy(stranger, list(claim, other), packed, 0), 2, "settled");
        _assertTold(listener, claim, 1);
    }

    function test_manyBecomeFinalAtOnceWithoutResults() external {
        LazyClaim memory first = honest();
        LazyClaim memory second = honest();
        LazyRequest memory request = wantedNamed();
        request.challengeWindow = CHALLENGE_WINDOW + 1 hours;
        LazyClaim memory early = answerSigned(request, truth());
        request = wantedNamed();
        request.callback = stranger;
        LazyClaim memory awaited = answerSigned(request, truth());
        pastWindow(first);
        LazyClaim[] memory claims = new LazyClaim[](5);
        (claims[0], claims[1], claims[2], claims[3], claims[4]) = (first, early, second, awaited, first);
        uint256 balance = lazy.balanceOf(executor);
        vm.expectEmit(address(lazy));
        emit ILazyMarket.FinalizationSkipped(early.requestId);
        vm.expectEmit(address(lazy));
        emit ILazyMarket.FinalizationSkipped(awaited.requestId);
        vm.expectEmit(address(lazy));
        emit ILazyMarket.FinalizationSkipped(first.requestId);
        assertEq(lazy.finalizeMany(claims), 2, "two were due");
        assertEq(lazy.balanceOf(executor) - balance, 2 * (PRICE - PRICE / 10), "both are paid");
        assertEq(lazy.backingOf(executor).used, 2 * COLLATERAL, "the others are still backed");
        assertLazy(first.requestId, LazyState.FINAL);
        assertLazy(early.requestId, LazyState.ANSWERED);
        assertLazy(awaited.requestId, LazyState.ANSWERED);
        assertEq(uint256(lazy.resultOf(first.requestId).how), uint256(Finality.NONE), "no result is kept");
    }

    function test_aResultIsKeptLater() external {
        LazyClaim memory claim = honest();
        pastWindow(claim);
        skip(1 hours);
        lazy.finalizeMany(list(claim));
        skip(1 days);
        claim.collateral += 1;
        vm.expectRevert(otherRecord(claim.requestId, LazyState.FINAL, LazyState.FINAL));
        lazy.keepResult(claim);
        claim.collateral -= 1;
        LazyMoney memory before = lazyMoney();
        vm.prank(stranger);
        lazy.keepResult(claim);
        assertNothingMoved(before);
        Result memory result = lazy.resultOf(claim.requestId);
        assertEq(uint256(result.how), uint256(Finality.UNCHALLENGED), "how");
        assertEq(result.finalAt, claim.challengeDeadline + 1, "when it could become final");
        assertEq(result.bond, COLLATERAL, "bond");
        assertEq(result.outputDigest, claim.outputDigest, "output");
        assertEq(result.versionId, lazyVersion, "version");
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_ResultKept.selector, claim.requestId));
        lazy.keepResult(claim);
    }

    function _assertTold(Listener listener, LazyClaim memory claim, uint256 times) private view {
        assertEq(listener.times(), times, "once");
        assertEq(listener.teller(), address(lazy), "by the market");
        assertEq(
            listener.told(),
            keccak256(
                abi.encode(
                    claim.requestId, claim.versionId, claim.requester, claim.inputDigest, claim.inputBinding, truth()
                )
            ),
            "what"
        );
    }

    function _bytes(uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            data[i] = bytes1(uint8(i + 1));
        }
    }
}
