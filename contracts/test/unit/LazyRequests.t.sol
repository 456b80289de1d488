// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {TrustMode, VersionParams} from "../../src/types/ModelTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @title What a lazy request may ask for, and how it is made
contract LazyRequestsTest is LazyNetwork {
    function test_sendingTellsEverything() external {
        LazyRequest memory request = wanted();
        bytes memory input = packed.cases[0].input;
        vm.expectEmit(address(lazy));
        emit ILazyMarket.Requested(idOf(request), lazyVersion, requester, request, input);
        vm.prank(requester);
        assertEq(lazy.request(request, input), idOf(request), "id");
        assertEq(lazy.balanceOf(requester), DEPOSIT - PRICE, "escrowed");
        assertEq(lazyMoney().escrowed, PRICE, "the most that it may cost");
    }

    function test_onlyTheRequesterSends() external {
        LazyRequest memory request = wanted();
        _refused(
            request,
            stranger,
            abi.encodeWithSelector(IRecordMarket.RecordMarket_NotRequester.selector, idOf(request), stranger, requester)
        );
    }

    function test_aNonceMakesOneRequest() external {
        LazyRequest memory request = wanted();
        send(request);
        bytes memory reason =
            abi.encodeWithSelector(IRecordMarket.RecordMarket_NonceUsed.selector, requester, request.nonce);
        _refused(request, requester, reason);
        // Another request under the same nonce, sent or signed.
        request.maxPrice -= 1;
        _refused(request, requester, reason);
        request.executor = executor;
        bytes memory signature = signatureFor(request);
        vm.expectRevert(reason);
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, signature, truth());
    }

    function test_cancelledNoncesMakeNone() external {
        LazyRequest memory request = wanted();
        vm.expectEmit(address(lazy));
        emit IRecordMarket.NoncesCancelled(requester, request.nonce >> 8, 1 << (request.nonce & 255));
        vm.prank(requester);
        lazy.cancelNonces(request.nonce >> 8, 1 << (request.nonce & 255));
        assertEq(lazy.nonceWord(requester, request.nonce >> 8), 1 << (request.nonce & 255), "the word");
        _refused(
            request,
            requester,
            abi.encodeWithSelector(IRecordMarket.RecordMarket_NonceUsed.selector, requester, request.nonce)
        );
    }

    function test_theMostMustBeThere() external {
        LazyRequest memory request = wanted();
        request.maxPrice = uint128(DEPOSIT) + 1;
        _refused(
            request,
            requester,
            abi.encodeWithSelector(
                ITokenAccounts.TokenAccounts_InsufficientBalance.selector, requester, DEPOSIT, DEPOSIT + 1
            )
        );
    }

    function test_theInputIsTheOneThatTheDigestNames() external {
        LazyRequest memory request = wanted();
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_InputDigestMismatch.selector, keccak256("other"), request.inputDigest
            )
        );
        vm.prank(requester);
        lazy.request(request, "other");
        bytes memory longest = new bytes(MAX_INPUT_LENGTH + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_InputTooLong.selector, MAX_INPUT_LENGTH + 1, MAX_INPUT_LENGTH
            )
        );
        vm.prank(requester);
        lazy.request(request, longest);
    }

    function test_inputsAreBound() external {
        LazyRequest memory request = wanted();
        request.inputBinding = keccak256("another input");
        _refused(
            request,
            requester,
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_InputBindingMismatch.selector, request.inputBinding, request.inputDigest
            )
        );
        request.inputDigest = 0;
        _refused(request, requester, abi.encodeWithSelector(IRecordMarket.RecordMarket_ZeroInputDigest.selector));
        request = lazyRequest(lazyKzgVersion, kzg, 0);
        assertTrue(request.inputBinding != request.inputDigest, "commitments are not digests");
        send(request);
    }

    function test_hintsAreShort() external {
        LazyRequest memory request = wanted();
        request.inputHint = string(new bytes(257));
        _refused(request, requester, abi.encodeWithSelector(IRecordMarket.RecordMarket_HintTooLong.selector, 257, 256));
        request.inputHint = string(new bytes(256));
        send(request);
    }

    function test_deadlinesLeaveRoomForALock() external {
        LazyRequest memory request = wanted();
        uint64 earliest = uint64(block.timestamp) + request.lockDuration;
        uint64 latest = uint64(block.timestamp) + LAZY_LIFETIME;
        request.deadline = earliest - 1;
        _refused(request, requester, _deadline(request.deadline, earliest, latest));
        request.deadline = latest + 1;
        _refused(request, requester, _deadline(request.deadline, earliest, latest));
        request.deadline = latest;
        send(request);
        request = wanted();
        request.deadline = earliest;
        send(request);
    }

    function test_pricesFitAndRise() external {
        LazyRequest memory request = wanted();
        request.maxPrice = uint128(type(uint88).max) + 1;
        _refused(
            request,
            requester,
            abi.encodeWithSelector(IRecordMarket.RecordMarket_PriceTooHigh.selector, request.maxPrice, type(uint88).max)
        );
        request.maxPrice = PRICE;
        _badRamp(request, 1, 0, 0); // a least price without a ramp
        _badRamp(request, 0, 1, 0); // a start without a ramp
        _badRamp(request, PRICE, 0, 1); // nothing to rise
        _badRamp(request, 0, request.deadline + 1, 1); // starts too late
        _badRamp(request, 0, request.deadline - 1, 2); // ends too late
        (request.minPrice, request.rampStart, request.rampLength) = (PRICE - 1, request.deadline - 1, 1);
        send(request);
    }

    function test_callbackGasIsBoundedAndHasACallback() external {
        LazyRequest memory request = wanted();
        request.callbackGas = 1;
        _refused(
            request, requester, abi.encodeWithSelector(IRecordMarket.RecordMarket_CallbackGasWithoutCallback.selector)
        );
        (request.callback, request.callbackGas) = (stranger, MAX_CALLBACK_GAS + 1);
        _refused(
            request,
            requester,
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_CallbackGasTooHigh.selector, MAX_CALLBACK_GAS + 1, MAX_CALLBACK_GAS
            )
        );
        request.callbackGas = MAX_CALLBACK_GAS;
        send(request);
    }

    function test_collateralAndLotsAreBounded() external {
        LazyRequest memory request = wanted();
        request.collateral = FLOOR - 1;
        _refused(
            request,
            requester,
            abi.encodeWithSelector(ILazyMarket.LazyMarket_CollateralBelowFloor.selector, FLOOR - 1, FLOOR)
        );
        request.collateral = FLOOR;
        request.auditBps = 10_001;
        _refused(
            request, requester, abi.encodeWithSelector(ILazyMarket.LazyMarket_AuditBpsTooHigh.selector, 10_001, 10_000)
        );
        request.auditBps = 10_000;
        send(request);
    }

    function test_windowsAreBounded() external {
        LazyRequest memory request = wanted();
        bytes4 selector = ILazyMarket.LazyMarket_LockDurationOutOfRange.selector;
        request.lockDuration = MIN_LOCK - 1;
        _refused(request, requester, abi.encodeWithSelector(selector, MIN_LOCK - 1, MIN_LOCK, MAX_LOCK));
        (request.lockDuration, request.deadline) = (MAX_LOCK + 1, uint64(block.timestamp) + 2 hours);
        _refused(request, requester, abi.encodeWithSelector(selector, MAX_LOCK + 1, MIN_LOCK, MAX_LOCK));
        request.lockDuration = MAX_LOCK;
        selector = ILazyMarket.LazyMarket_ChallengeWindowOutOfRange.selector;
        request.challengeWindow = MIN_CHALLENGE_WINDOW - 1;
        _refused(
            request,
            requester,
            abi.encodeWithSelector(selector, request.challengeWindow, MIN_CHALLENGE_WINDOW, MAX_CHALLENGE_WINDOW)
        );
        request.challengeWindow = MAX_CHALLENGE_WINDOW + 1;
        _refused(
            request,
            requester,
            abi.encodeWithSelector(selector, request.challengeWindow, MIN_CHALLENGE_WINDOW, MAX_CHALLENGE_WINDOW)
        );
        request.challengeWindow = MAX_CHALLENGE_WINDOW;
        selector = ILazyMarket.LazyMarket_ResponseWindowOutOfRange.selector;
        request.responseWindow = MIN_RESPONSE_WINDOW - 1;
        _refused(
            request,
            requester,
            abi.encodeWithSelector(selector, request.responseWindow, MIN_RESPONSE_WINDOW, MAX_RESPONSE_WINDOW)
        );
        request.responseWindow = MAX_RESPONSE_WINDOW + 1;
        _refused(
            request,
            requester,
            abi.encodeWithSelector(selector, request.responseWindow, MIN_RESPONSE_WINDOW, MAX_RESPONSE_WINDOW)
        );
        request.responseWindow = MAX_RESPONSE_WINDOW;
        send(request);
    }

    function test_theResponseWindowIsAtLeastTheVersionsProofTime() external {
        VersionParams memory params = publication(packed, ROYALTY_BPS);
        (params.modes, params.proofSeconds) = (uint8(1 << uint8(TrustMode.LAZY_ZK)), RESPONSE_WINDOW + 1);
        vm.prank(builder);
        LazyRequest memory request = lazyRequest(registry.publishVersion(modelId, params), packed, 0);
        _refused(
            request,
            requester,
            abi.encodeWithSelector(
                ILazyMarket.LazyMarket_ResponseWindowOutOfRange.selector,
                RESPONSE_WINDOW,
                RESPONSE_WINDOW + 1,
                MAX_RESPONSE_WINDOW
            )
        );
        request.responseWindow = RESPONSE_WINDOW + 1;
        send(request);
    }

    function test_onlyVersionsThatAllowTheMode() external {
        LazyRequest memory request = lazyRequest(packedVersion, packed, 0);
        _refused(
            request,
            requester,
            abi.encodeWithSelector(IRecordMarket.RecordMarket_ModeNotAllowed.selector, packedVersion, TrustMode.LAZY_ZK)
        );
    }

    function test_onlyVersionsThatCanBeProven() external {
        VersionParams memory params = publication(packed, ROYALTY_BPS);
        params.modes = uint8(1 << uint8(TrustMode.LAZY_ZK));
        params.circuits[0].vkaDigest = keccak256("nobody has stored this key");
        vm.prank(builder);
        LazyRequest memory request = lazyRequest(registry.publishVersion(modelId, params), packed, 0);
        _refused(
            request,
            requester,
            abi.encodeWithSelector(ILazyMarket.LazyMarket_VkaNotRegistered.selector, params.circuits[0].vkaDigest)
        );
        params.circuits[0].batchSize = 2;
        vm.prank(builder);
        request = lazyRequest(registry.publishVersion(modelId, params), packed, 0);
        _refused(
            request,
            requester,
            abi.encodeWithSelector(ILazyMarket.LazyMarket_NoUsableCircuit.selector, request.versionId)
        );
    }

    function test_theRequesterTakesAnOpenOneBack() external {
        LazyMoney memory before = lazyMoney();
        LazyRequest memory request = wanted();
        uint256 requestId = send(request);
        vm.expectRevert(
            abi.encodeWithSelector(IRecordMarket.RecordMarket_NotRequester.selector, requestId, stranger, requester)
        );
        vm.prank(stranger);
        lazy.cancel(request);
        vm.expectEmit(address(lazy));
        emit ILazyMarket.RequestRefunded(requestId, requester, PRICE, 0);
        vm.prank(requester);
        lazy.cancel(request);
        assertLazy(requestId, LazyState.REFUNDED);
        assertNothingMoved(before);
    }

    function test_noCancelWhereAnExecutorIsNamed() external {
        LazyRequest memory request = wantedNamed();
        uint256 requestId = send(request);
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_NamedCannotCancel.selector, requestId, executor));
        vm.prank(requester);
        lazy.cancel(request);
    }

    function test_noRefundBeforeTheEnd() external {
        LazyRequest memory request = wanted();
        uint256 requestId = send(request);
        vm.warp(request.deadline);
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_NotExpired.selector, requestId, request.deadline));
        lazy.refund(request);
        vm.warp(request.deadline + 1);
        vm.prank(stranger);
        lazy.refund(request);
        assertLazy(requestId, LazyState.REFUNDED);
    }

    function _badRamp(LazyRequest memory request, uint128 least, uint64 start, uint32 length) private {
        (request.minPrice, request.rampStart, request.rampLength) = (least, start, length);
        _refused(
            request,
            requester,
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_InvalidRamp.selector, least, request.maxPrice, start, length
            )
        );
    }

    function _deadline(uint64 given, uint64 earliest, uint64 latest) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRecordMarket.RecordMarket_DeadlineOutOfRange.selector, given, earliest, latest);
    }

    function _refused(LazyRequest memory request, address account, bytes memory reason) private {
        LazyMoney memory before = lazyMoney();
        vm.expectRevert(reason);
        vm.prank(account);
        lazy.request(request, "");
        assertNothingMoved(before);
    }
}
