// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {Request, RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice A lock that was missed may be taken over while the request lives.
contract MarketTakeoverTest is Network {
    address internal second;
    address internal third;

    function setUp() public override {
        super.setUp();
        (second, third) = (makeAddr("second"), makeAddr("third"));
        stakeFor(second, STAKE);
        stakeFor(third, STAKE);
    }

    function test_notBeforeTheLockIsMissed() external {
        uint256 requestId = openLocked();
        bytes32 terms = market.termsOf(requestId);
        vm.warp(market.requestOf(requestId).lockDeadline);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotOpen.selector, requestId, RequestState.LOCKED)
        );
        vm.prank(second);
        market.lock(requestId, terms, 0, 0);
        nextBlock();
        lockBy(second, requestId);
    }

    function test_lastsLikeAnyLockAndCostsTheWholeCollateral() external {
        uint256 requestId = _missed();
        uint64 until = uint64(block.timestamp) + LOCK_DURATION;
        vm.expectEmit(address(market));
        emit IInferenceMarket.LockMissed(requestId, executor);
        vm.expectEmit(address(market));
        emit IInferenceMarket.RequestLocked(requestId, second, PRICE, until);
        lockBy(second, requestId);
        Request memory stored = market.requestOf(requestId);
        assertEq(stored.executor, second, "holder");
        assertEq(stored.lockDeadline, until, "deadline");
        assertEq(stored.lockBlock, block.number, "block");
        assertEq(staking.available(second, address(market)), STAKE - COLLATERAL, "his own collateral");
        assertEq(staking.available(executor, address(market)), STAKE - COLLATERAL, "and that of the first stays locked");
    }

    function test_whoeverAnswersGetsHalfOfWhatWasMissed() external {
        uint256 requestId = _missed();
        lockBy(second, requestId);
        nextBlock();
        fulfillBy(second, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
        assertEq(market.balanceOf(second), PRICE * 9 / 10, "paid as the first would have been");
        assertEq(staking.creditOf(second), COLLATERAL / 2, "and rewarded");
        assertEq(staking.pendingBurn(), COLLATERAL / 2, "the other half burns");
        assertEq(staking.allocation(executor, address(market)).allocated, STAKE - COLLATERAL, "the first pays");
        assertEq(staking.available(second, address(market)), STAKE, "the second's stake is free");
        assertEq(staking.creditOf(requester), 0, "the requester has his answer");
    }

    function test_theFirstCanAnswerNoMore() external {
        uint256 requestId = _missed();
        lockBy(second, requestId);
        nextBlock();
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotLockHolder.selector, requestId, executor, second)
        );
        fulfillBy(executor, requestId, packed, 0);
    }

    function test_missedTwiceAndRefunded() external {
        uint256 requestId = _missed();
        lockBy(second, requestId);
        skip(LOCK_DURATION + 1);
        market.refund(requestId);
        assertState(requestId, RequestState.REFUNDED);
        assertEq(market.balanceOf(requester), DEPOSIT, "the price is back");
        assertEq(staking.creditOf(requester), PRICE, "compensated by the last one, as after one miss");
        assertEq(staking.pendingBurn(), 2 * COLLATERAL - PRICE, "the rest burns");
        assertEq(staking.totalStake(executor), STAKE - COLLATERAL, "the first is slashed");
        assertEq(staking.totalStake(second), STAKE - COLLATERAL, "the second is slashed");
    }

    function test_onlyTheLastMissCompensates() external {
        RequestParams memory params = packedParams();
        params.maxPrice = COLLATERAL * 3 / 4;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        skip(LOCK_DURATION + 1);
        lockBy(second, requestId);
        skip(LOCK_DURATION + 1);
        market.refund(requestId);
        assertEq(staking.creditOf(requester), COLLATERAL / 2, "half of the last");
        assertEq(staking.pendingBurn(), COLLATERAL + COLLATERAL / 2, "all else burns");
    }

    function test_missedTwiceAndAnswered() external {
        uint256 requestId = _missed();
        lockBy(second, requestId);
        skip(LOCK_DURATION + 1);
        lockBy(third, requestId);
        assertEq(staking.pendingBurn(), COLLATERAL, "the first one's burns whole");
        nextBlock();
        fulfillBy(third, requestId, packed, 0);
        assertEq(staking.creditOf(third), COLLATERAL / 2, "half of the second one's");
        assertEq(staking.pendingBurn(), COLLATERAL + COLLATERAL / 2, "the rest burns");
    }

    function test_oneWhoMissedMayTryAgain() external {
        uint256 requestId = _missed();
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        assertEq(staking.creditOf(executor), COLLATERAL / 2, "half of his own");
        assertEq(staking.totalStake(executor), STAKE - COLLATERAL, "and the other half is gone");
    }

    function test_needsTheStake() external {
        uint256 requestId = _missed();
        bytes32 terms = market.termsOf(requestId);
        vm.expectRevert();
        vm.prank(stranger);
        market.lock(requestId, terms, 0, 0);
        assertEq(market.requestOf(requestId).executor, executor, "nothing changed");
    }

    function test_needsTheName() external {
        RequestParams memory params = packedParams();
        params.executor = executor;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        skip(LOCK_DURATION + 1);
        bytes32 terms = market.termsOf(requestId);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_NotNamedExecutor.selector, requestId, second, executor
            )
        );
        vm.prank(second);
        market.lock(requestId, terms, 0, 0);
        // The named one may, also in one transaction with the answer.
        vm.prank(executor);
        market.lockAndFulfill(requestId, 0, packed.cases[0].input, packed.cases[0].output, packed.cases[0].proof);
        assertState(requestId, RequestState.PAID);
        assertEq(staking.creditOf(executor), COLLATERAL / 2, "half of his own");
    }

    function test_needsTimeThatIsLeft() external {
        RequestParams memory params = packedParams();
        params.deadline = uint64(block.timestamp) + LOCK_DURATION + MIN_LOCK;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        skip(LOCK_DURATION + 1);
        bytes32 terms = market.termsOf(requestId);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_LockTooShort.selector,
                params.deadline,
                uint64(block.timestamp) + MIN_LOCK
            )
        );
        vm.prank(second);
        market.lock(requestId, terms, 0, 0);
    }

    function test_aRefundEndsIt() external {
        uint256 requestId = _missed();
        bytes32 terms = market.termsOf(requestId);
        market.refund(requestId);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotOpen.selector, requestId, RequestState.REFUNDED)
        );
        vm.prank(second);
        market.lock(requestId, terms, 0, 0);
    }

    function test_thePriceIsThatOfTheFirstLock() external {
        RequestParams memory params = packedParams();
        (params.minPrice, params.rampStart, params.rampLength) = (1e6, uint64(block.timestamp), 2000);
        uint256 requestId = open(params);
        skip(500);
        lockBy(executor, requestId);
        skip(LOCK_DURATION + 1);
        lockBy(second, requestId);
        assertEq(market.requestOf(requestId).price, 2e6, "not what it would be by now");
        nextBlock();
        fulfillBy(second, requestId, packed, 0);
        assertEq(market.balanceOf(second), 1.8e6, "paid");
        assertEq(market.balanceOf(requester), DEPOSIT - 2e6, "charged once");
    }

    function test_aStrangerCannotEndTheNewLock() external {
        uint256 requestId = _missed();
        lockBy(second, requestId);
        uint64 until = market.requestOf(requestId).lockDeadline;
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotExpired.selector, requestId, until));
        market.refund(requestId);
    }

    function _missed() private returns (uint256 requestId) {
        requestId = openLocked();
        skip(LOCK_DURATION + 1);
    }
}
