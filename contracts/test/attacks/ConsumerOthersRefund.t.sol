// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRequestingConsumer} from "../../src/interfaces/IRequestingConsumer.sol";
import {ConsumerNetwork} from "../ConsumerNetwork.t.sol";

/// @notice A refund lies in the consumer's balance at the market before anybody reclaimed it. Others try to spend it or
/// to take it, or its owner takes it twice.
contract ConsumerOthersRefundAttack is ConsumerNetwork {
    uint256 internal requestId;

    function setUp() public override {
        super.setUp();
        requestId = askAs(user, 0);
        missLock(requestId);
        market.refund(requestId);
        assertEq(market.balanceOf(address(consumer)), PRICE, "it is there");
    }

    function test_attack_theContractSpendsIt() external {
        bytes memory input = packed.cases[0].input;
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotFunded.selector, 0, PRICE));
        consumer.askForItself(terms(), input, 0);
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotFunded.selector, 0, PRICE));
        consumer.withdrawFree(PRICE, other);
        consumer.reclaim(requestId);
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotFunded.selector, 0, PRICE));
        consumer.askForItself(terms(), input, 0);
    }

    function test_attack_anotherWithdrawsIt() external {
        vm.startPrank(other);
        consumer.reclaim(requestId);
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NothingToWithdraw.selector, other));
        consumer.withdrawRefund(other);
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NothingToWithdraw.selector, other));
        consumer.withdrawCompensation(other);
        vm.stopPrank();
    }

    /// @notice Two users' compensations come in one payment of the staking contract; each gets his own.
    function test_attack_theFirstTakesAllCompensations() external {
        uint256 second = askAs(other, 0);
        missLock(second);
        consumer.reclaim(second);
        consumer.reclaim(requestId);
        assertEq(staking.creditOf(address(consumer)), 2 * PRICE, "both wait there");
        vm.prank(other);
        assertEq(consumer.withdrawCompensation(other), PRICE, "his own");
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NothingToWithdraw.selector, other));
        vm.prank(other);
        consumer.withdrawCompensation(other);
        vm.prank(user);
        assertEq(consumer.withdrawCompensation(user), PRICE, "the other's");
    }

    function test_attack_twice() external {
        consumer.reclaim(requestId);
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotAwaited.selector, requestId));
        consumer.reclaim(requestId);
        vm.startPrank(user);
        consumer.withdrawRefund(user);
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NothingToWithdraw.selector, user));
        consumer.withdrawRefund(user);
        vm.stopPrank();
    }
}
