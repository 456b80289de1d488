// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../../src/consumer/InferenceConsumer.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {IInferenceReceiver} from "../../src/interfaces/IInferenceReceiver.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {IRequestingConsumer} from "../../src/interfaces/IRequestingConsumer.sol";
import {Request, RequestState} from "../../src/types/MarketTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {ConsumerNetwork, OpenConsumer} from "../ConsumerNetwork.t.sol";

contract InferenceConsumerTest is ConsumerNetwork {
    function test_asksForTheCaller() external {
        vm.expectEmit(address(consumer));
        emit IRequestingConsumer.InferenceAsked(1, user, 7);
        uint256 requestId = askAs(user, 7);
        Request memory request = market.requestOf(requestId);
        assertEq(request.requester, address(consumer), "requester");
        assertEq(request.callback, address(consumer), "callback");
        assertEq(request.versionId, packedVersion, "version");
        assertEq(request.inputBinding, keccak256(packed.cases[0].input), "binding");
        assertEq(request.price, PRICE, "price");
        assertEq(request.collateral, COLLATERAL, "collateral");
        assertEq(request.deadline, block.timestamp + 1 hours, "deadline");
        assertEq(request.callbackGas, 400_000, "gas");
        assertTrue(consumer.isAwaited(requestId), "awaited");
        assertEq(token.balanceOf(user), 100e6 - PRICE, "the caller paid");
        assertEq(token.balanceOf(address(consumer)), 0, "nothing stays here");
        assertEq(market.balanceOf(address(consumer)), 0, "nor at the market");
        assertEq(token.allowance(address(consumer), address(market)), 0, "no allowance is left");
    }

    function test_actsOnTheAnswerOnce() external {
        uint256 requestId = askAs(user, 7);
        lockBy(executor, requestId);
        nextBlock();
        vm.expectEmit(address(consumer));
        emit IRequestingConsumer.InferenceAnswered(requestId);
        fulfillBy(executor, requestId, packed, 0);
        assertEq(consumer.answers(), 1, "answers");
        assertEq(consumer.lastId(), requestId, "id");
        assertEq(consumer.lastRefundTo(), user, "who");
        assertEq(consumer.lastContext(), 7, "context");
        assertEq(consumer.lastOutput(), packed.cases[0].output, "output");
        assertFalse(consumer.isAwaited(requestId), "closed");
    }

    function test_asksForItselfFromWhatItWasGiven() external {
        vm.prank(user);
        consumer.fund(2 * PRICE);
        assertEq(consumer.freeBalance(), 2 * PRICE, "funded");
        uint256 requestId = consumer.askForItself(terms(), packed.cases[0].input, 0);
        assertEq(consumer.freeBalance(), PRICE, "spent");
        answer(requestId);
        assertEq(consumer.lastRefundTo(), address(consumer), "for itself");
        consumer.withdrawFree(PRICE, other);
        assertEq(token.balanceOf(other), 100e6 + PRICE, "the rest leaves");
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotFunded.selector, 0, PRICE));
        consumer.askForItself(terms(), packed.cases[0].input, 0);
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotFunded.selector, 0, 1));
        consumer.withdrawFree(1, other);
    }

    function test_asksByCommitment() external {
        OpenConsumer committed = new OpenConsumer(address(market), kzgVersion, ZK_BIT);
        purse(user, address(committed));
        Case memory proven = kzg.cases[0];
        vm.prank(user);
        uint256 requestId =
            committed.askCommitted(terms(), keccak256(proven.input), proven.inputBinding, "https://inputs.example/1");
        assertEq(market.requestOf(requestId).inputDigest, keccak256(proven.input), "digest");
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, kzg, 0);
        assertEq(committed.lastOutput(), proven.output, "output");
    }

    function test_aFreeRequestPullsNothing() external {
        InferenceConsumer.Terms memory free = terms();
        free.price = 0;
        uint256 requestId = consumer.askForCaller(free, packed.cases[0].input, 0);
        answer(requestId);
        assertEq(consumer.answers(), 1, "answered");
    }

    function test_aRequestThatNobodyLockedIsReclaimed() external {
        uint256 requestId = askAs(user, 9);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRequestingConsumer.InferenceConsumer_NotRefunded.selector, requestId, RequestState.OPEN
            )
        );
        consumer.reclaim(requestId);
        skip(1 hours + 1);
        vm.expectEmit(address(consumer));
        emit IRequestingConsumer.InferenceRefunded(requestId, user, PRICE, 0);
        vm.prank(stranger);
        consumer.reclaim(requestId);
        assertEq(consumer.refunds(), 1, "told");
        assertEq(consumer.lastContext(), 9, "context");
        assertEq(consumer.refundOf(user), PRICE, "owed");
        vm.prank(user);
        consumer.withdrawRefund(other);
        assertEq(token.balanceOf(other), 100e6 + PRICE, "paid out");
        assertEq(consumer.refundOf(user), 0, "once");
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NothingToWithdraw.selector, user));
        vm.prank(user);
        consumer.withdrawRefund(user);
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotAwaited.selector, requestId));
        consumer.reclaim(requestId);
    }

    function test_aMissedLockCompensatesWhoAsked() external {
        uint256 requestId = askAs(user, 0);
        missLock(requestId);
        market.refund(requestId); // by anybody, past the consumer
        vm.expectEmit(address(consumer));
        emit IRequestingConsumer.InferenceRefunded(requestId, user, PRICE, PRICE);
        consumer.reclaim(requestId);
        assertEq(consumer.compensationOf(user), PRICE, "due");
        vm.prank(user);
        consumer.withdrawCompensation(user);
        vm.prank(user);
        consumer.withdrawRefund(user);
        assertEq(token.balanceOf(user), 100e6 + PRICE, "price and compensation");
        assertEq(staking.creditOf(address(consumer)), 0, "collected");
        assertEq(token.balanceOf(address(consumer)), 0, "and passed on");
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NothingToWithdraw.selector, user));
        vm.prank(user);
        consumer.withdrawCompensation(user);
    }

    function test_itsOwnRefundsAreFreeAgain() external {
        vm.prank(user);
        consumer.fund(PRICE);
        uint256 requestId = consumer.askForItself(terms(), packed.cases[0].input, 0);
        missLock(requestId);
        consumer.reclaim(requestId);
        assertEq(consumer.freeBalance(), PRICE, "free again");
        consumer.askForItself(terms(), packed.cases[0].input, 0);
        consumer.withdrawOwnCompensation(other);
        assertEq(token.balanceOf(other), 100e6 + PRICE, "its compensation goes where it says");
    }

    function test_cancels() external {
        uint256 requestId = askAs(user, 0);
        consumer.cancel(requestId);
        assertEq(consumer.refundOf(user), PRICE, "owed");
        assertEq(consumer.refunds(), 1, "told");
        assertFalse(consumer.isAwaited(requestId), "closed");
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotAwaited.selector, requestId));
        consumer.cancel(requestId);
    }

    /// @notice An answer whose callback failed is not lost: anybody brings it when the reason has passed.
    function test_anAnswerIsDeliveredAfterItsCallbackFailed() external {
        uint256 requestId = askAs(user, 5);
        bytes memory output = packed.cases[0].output;
        vm.expectRevert(
            abi.encodeWithSelector(
                IRequestingConsumer.InferenceConsumer_NotAnswered.selector, requestId, RequestState.OPEN
            )
        );
        consumer.deliver(requestId, output);
        consumer.setBroken(true);
        answer(requestId);
        assertState(requestId, RequestState.PAID);
        assertEq(consumer.answers(), 0, "the callback failed");
        assertTrue(consumer.isAwaited(requestId), "still awaited");
        vm.expectRevert(
            abi.encodeWithSelector(
                IRequestingConsumer.InferenceConsumer_NotRefunded.selector, requestId, RequestState.PAID
            )
        );
        consumer.reclaim(requestId);

        consumer.setBroken(false);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRequestingConsumer.InferenceConsumer_OtherOutput.selector,
                keccak256(packed.cases[1].output),
                keccak256(output)
            )
        );
        consumer.deliver(requestId, packed.cases[1].output);
        vm.prank(stranger);
        consumer.deliver(requestId, output);
        assertEq(consumer.lastContext(), 5, "context");
        assertEq(consumer.lastOutput(), output, "output");
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotAwaited.selector, requestId));
        consumer.deliver(requestId, output);
    }

    function test_refusesWhatCannotBeAnswered() external {
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_InputLength.selector, 7, 8));
        consumer.askForCaller(terms(), new bytes(7), 0);
        InferenceConsumer.Terms memory lazy = terms();
        (lazy.mode, lazy.price) = (TrustMode.LAZY_ZK, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceReceiver.InferenceReceiver_ModeNotAccepted.selector, TrustMode.LAZY_ZK, ZK_BIT
            )
        );
        consumer.askForCaller(lazy, new bytes(8), 0);
        vm.prank(user);
        vm.expectRevert(IRequestingConsumer.InferenceConsumer_ZeroAddress.selector);
        consumer.withdrawRefund(address(0));
        vm.prank(user);
        vm.expectRevert(IRequestingConsumer.InferenceConsumer_ZeroAddress.selector);
        consumer.withdrawCompensation(address(0));
    }

    function test_refusesVersionsItCouldNotBelieve() external {
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceReceiver.InferenceReceiver_NoCommonMode.selector, ZK_BIT, uint8(2))
        );
        new OpenConsumer(address(market), packedVersion, 2);
        uint64 unknown = packedVersion + 77;
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_UnknownVersion.selector, unknown));
        new OpenConsumer(address(market), unknown, ZK_BIT);
    }

    /// @notice The market's own bounds hold for consumers too, and a refused request takes nothing.
    function test_aRefusedRequestTakesNothing() external {
        InferenceConsumer.Terms memory low = terms();
        low.collateral = FLOOR - 1;
        bytes memory input = packed.cases[0].input;
        vm.prank(user);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_CollateralBelowFloor.selector, uint256(FLOOR - 1), uint256(FLOOR)
            )
        );
        consumer.askForCaller(low, input, 0);
        assertEq(token.balanceOf(user), 100e6, "nothing was taken");
    }
}
