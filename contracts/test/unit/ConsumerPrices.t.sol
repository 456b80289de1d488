// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../../src/consumer/InferenceConsumer.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {IRequestingConsumer} from "../../src/interfaces/IRequestingConsumer.sol";
import {Request, RequestState} from "../../src/types/MarketTypes.sol";
import {ConsumerNetwork} from "../ConsumerNetwork.t.sol";

/// @notice A consumer that offers a price which rises: what the executor leaves of it is whose it was.
contract ConsumerPricesTest is ConsumerNetwork {
    uint128 internal constant LEAST = 1e6;
    uint32 internal constant LENGTH = 400;
    /// @dev A quarter up the ramp.
    uint256 internal constant QUARTER = (3 * LEAST + PRICE) / 4;

    address internal second;

    function setUp() public override {
        super.setUp();
        second = makeAddr("second executor");
        stakeFor(second, COLLATERAL);
    }

    function test_offersARamp() external {
        uint256 requestId = _ask();
        Request memory request = market.requestOf(requestId);
        assertEq(request.maxPrice, PRICE, "most");
        assertEq(request.minPrice, LEAST, "least");
        assertEq(request.rampStart, block.timestamp, "from now");
        assertEq(request.rampLength, LENGTH, "for so long");
        assertEq(token.balanceOf(user), 100e6 - PRICE, "the most is paid in");
    }

    function test_changeIsCollectedOnceItIsLocked() external {
        uint256 requestId = _ask();
        _refusesChange(requestId, RequestState.OPEN);
        _lockAtAQuarter(executor, requestId);
        vm.expectEmit(address(consumer));
        emit IRequestingConsumer.ChangeCredited(requestId, user, PRICE - QUARTER);
        vm.prank(stranger);
        consumer.collectChange(requestId);
        assertEq(consumer.refundOf(user), PRICE - QUARTER, "whoever asked");
        _refusesChange(requestId, RequestState.LOCKED);

        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        assertEq(consumer.answers(), 1, "answered");
        _refusesChange(requestId, RequestState.PAID);
        vm.prank(user);
        consumer.withdrawRefund(user);
        assertEq(token.balanceOf(user), 100e6 - QUARTER, "paid what it came to");
        assertEq(market.balanceOf(address(consumer)), 0, "nothing is left");
    }

    function test_changeIsCollectedAfterTheAnswer() external {
        uint256 requestId = _ask();
        _lockAtAQuarter(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        assertFalse(consumer.isAwaited(requestId), "closed");
        consumer.collectChange(requestId);
        assertEq(consumer.refundOf(user), PRICE - QUARTER, "change");
        _refusesChange(requestId, RequestState.PAID);
    }

    function test_changeOfAnAnswerThatWasPaidInOneTransaction() external {
        InferenceConsumer.Terms memory rising = _rising();
        rising.executor = executor;
        bytes memory input = packed.cases[0].input;
        vm.prank(user);
        uint256 requestId = consumer.askForCaller(rising, input, 0);
        skip(LENGTH / 4);
        vm.prank(executor);
        market.lockAndFulfill(requestId, 0, provenInput(packed, 0), packed.cases[0].output, packed.cases[0].proof);
        consumer.collectChange(requestId);
        assertEq(consumer.refundOf(user), PRICE - QUARTER, "change");
    }

    function test_itsOwnChangeIsFreeAgain() external {
        vm.prank(user);
        consumer.fund(PRICE);
        uint256 requestId = consumer.askForItself(_rising(), packed.cases[0].input, 0);
        assertEq(consumer.freeBalance(), 0, "all of it offered");
        _lockAtAQuarter(executor, requestId);
        assertEq(consumer.freeBalance(), 0, "not counted yet");
        consumer.collectChange(requestId);
        assertEq(consumer.freeBalance(), PRICE - QUARTER, "free again");
        assertEq(market.balanceOf(address(consumer)), PRICE - QUARTER, "to the unit");
    }

    function test_aRefundBringsPriceAndChange() external {
        uint256 requestId = _ask();
        _lockAtAQuarter(executor, requestId);
        skip(LOCK_DURATION + 1);
        vm.expectEmit(address(consumer));
        emit IRequestingConsumer.InferenceRefunded(requestId, user, PRICE, QUARTER);
        consumer.reclaim(requestId);
        assertEq(consumer.refundOf(user), PRICE, "all that was paid in");
        assertEq(consumer.compensationOf(user), QUARTER, "at most what would have been paid");
        assertEq(staking.creditOf(address(consumer)), QUARTER, "as the staking contract credited");
        _refusesChange(requestId, RequestState.REFUNDED);
    }

    function test_aRefundAfterTheChangeWasCollected() external {
        uint256 requestId = _ask();
        _lockAtAQuarter(executor, requestId);
        consumer.collectChange(requestId);
        skip(LOCK_DURATION + 1);
        consumer.reclaim(requestId);
        assertEq(consumer.refundOf(user), PRICE, "both, each once");
        assertEq(market.balanceOf(address(consumer)), PRICE, "which is what is there");
    }

    /// @notice Between a refund by anybody and the reclaim, the change can be had as well.
    function test_changeOfARefundedRequest() external {
        uint256 requestId = _ask();
        _lockAtAQuarter(executor, requestId);
        skip(LOCK_DURATION + 1);
        market.refund(requestId);
        consumer.collectChange(requestId);
        assertEq(consumer.refundOf(user), PRICE - QUARTER, "change");
        consumer.reclaim(requestId);
        assertEq(consumer.refundOf(user), PRICE, "and price");
    }

    function test_nobodyLockedSoThereIsNoChange() external {
        uint256 requestId = _ask();
        skip(1 hours + 1);
        consumer.reclaim(requestId);
        assertEq(consumer.refundOf(user), PRICE, "all of it");
        _refusesChange(requestId, RequestState.REFUNDED);
        requestId = _ask();
        consumer.cancel(requestId);
        assertEq(consumer.refundOf(user), 2 * PRICE, "and again");
        _refusesChange(requestId, RequestState.REFUNDED);
    }

    function test_aFlatPriceHasNoChange() external {
        uint256 requestId = askAs(user, 0);
        _refusesChange(requestId, RequestState.OPEN);
        lockBy(executor, requestId);
        _refusesChange(requestId, RequestState.LOCKED);
    }

    function test_theMarketsRulesForRampsHold() external {
        InferenceConsumer.Terms memory wrong = _rising();
        wrong.minPrice = wrong.price;
        bytes memory input = packed.cases[0].input;
        vm.prank(user);
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_InvalidRamp.selector);
        consumer.askForCaller(wrong, input, 0);
        wrong = _rising();
        wrong.rampLength = wrong.lifetime + 1;
        vm.prank(user);
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_InvalidRamp.selector);
        consumer.askForCaller(wrong, input, 0);
        wrong = terms();
        wrong.minPrice = 1;
        vm.prank(user);
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_InvalidRamp.selector);
        consumer.askForCaller(wrong, input, 0);
    }

    // --- takeovers ---

    function test_aTakeoverAnswersAtTheFirstLocksPrice() external {
        uint256 requestId = _ask();
        _lockAtAQuarter(executor, requestId);
        skip(LOCK_DURATION + 1);
        lockBy(second, requestId);
        nextBlock();
        fulfillBy(second, requestId, packed, 0);
        assertEq(consumer.answers(), 1, "answered");
        consumer.collectChange(requestId);
        assertEq(consumer.refundOf(user), PRICE - QUARTER, "the first lock's change");
        assertEq(market.balanceOf(address(consumer)), PRICE - QUARTER, "which is all");
        assertEq(consumer.compensationOf(user), 0, "the missed collateral is the second's reward");
        assertEq(staking.creditOf(address(consumer)), 0, "none of it is here");
        assertEq(staking.creditOf(second), COLLATERAL / 2, "but there");
    }

    function test_ofTwoMissedLocksTheLastCompensates() external {
        uint256 requestId = _ask();
        _lockAtAQuarter(executor, requestId);
        skip(LOCK_DURATION + 1);
        lockBy(second, requestId);
        skip(LOCK_DURATION + 1);
        vm.expectEmit(address(consumer));
        emit IRequestingConsumer.InferenceRefunded(requestId, user, PRICE, QUARTER);
        consumer.reclaim(requestId);
        assertEq(consumer.compensationOf(user), QUARTER, "once");
        assertEq(staking.creditOf(address(consumer)), QUARTER, "as the staking contract credited");
        vm.startPrank(user);
        consumer.withdrawCompensation(user);
        consumer.withdrawRefund(user);
        vm.stopPrank();
        assertEq(token.balanceOf(user), 100e6 + QUARTER, "all and a compensation");
    }

    /// @notice The request is still awaited between a missed lock and its takeover; what lies there is nobody else's.
    function test_aFlatRequestMayBeTakenOver() external {
        uint256 requestId = askAs(user, 0);
        missLock(requestId);
        lockBy(second, requestId);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRequestingConsumer.InferenceConsumer_NotRefunded.selector, requestId, RequestState.LOCKED
            )
        );
        consumer.reclaim(requestId);
        nextBlock();
        fulfillBy(second, requestId, packed, 0);
        assertEq(consumer.answers(), 1, "answered by the second");
        assertEq(market.balanceOf(address(consumer)), 0, "nothing came back");
    }

    function _rising() private pure returns (InferenceConsumer.Terms memory rising) {
        rising = terms();
        (rising.minPrice, rising.rampLength) = (LEAST, LENGTH);
    }

    function _ask() private returns (uint256 requestId) {
        bytes memory input = packed.cases[0].input;
        vm.prank(user);
        return consumer.askForCaller(_rising(), input, 0);
    }

    function _lockAtAQuarter(address account, uint256 requestId) private {
        skip(LENGTH / 4);
        lockBy(account, requestId);
        assertEq(market.requestOf(requestId).price, QUARTER, "the price");
    }

    function _refusesChange(uint256 requestId, RequestState state) private {
        vm.expectRevert(
            abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NoChange.selector, requestId, state)
        );
        consumer.collectChange(requestId);
    }
}
