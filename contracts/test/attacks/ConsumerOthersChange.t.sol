// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../../src/consumer/InferenceConsumer.sol";
import {IRequestingConsumer} from "../../src/interfaces/IRequestingConsumer.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {ConsumerNetwork} from "../ConsumerNetwork.t.sol";

/// @notice The change of a price that rises lies in the consumer's balance at the market from the lock on. Others try
/// to spend it or to take it, or its owner takes it twice.
contract ConsumerOthersChangeAttack is ConsumerNetwork {
    uint256 internal requestId;
    uint256 internal change;

    function setUp() public override {
        super.setUp();
        InferenceConsumer.Terms memory rising = terms();
        (rising.minPrice, rising.rampLength) = (0, 400);
        bytes memory input = packed.cases[0].input;
        vm.prank(user);
        requestId = consumer.askForCaller(rising, input, 0);
        skip(100);
        lockBy(executor, requestId);
        change = market.balanceOf(address(consumer));
        assertEq(change, PRICE - PRICE / 4, "it is there");
    }

    function test_attack_theContractSpendsIt() external {
        bytes memory input = packed.cases[0].input;
        for (uint256 collected = 0; collected < 2; ++collected) {
            vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotFunded.selector, 0, PRICE));
            consumer.askForItself(terms(), input, 0);
            vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotFunded.selector, 0, change));
            consumer.withdrawFree(change, other);
            if (collected == 0) consumer.collectChange(requestId);
        }
    }

    function test_attack_anotherCollectsIt() external {
        vm.startPrank(other);
        consumer.collectChange(requestId);
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NothingToWithdraw.selector, other));
        consumer.withdrawRefund(other);
        vm.stopPrank();
        assertEq(consumer.refundOf(user), change, "it is his who asked");
    }

    function test_attack_twice() external {
        uint256 others = askAs(other, 0);
        missLock(others);
        consumer.reclaim(others); // somebody else's money to take
        consumer.collectChange(requestId);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRequestingConsumer.InferenceConsumer_NoChange.selector, requestId, RequestState.LOCKED
            )
        );
        consumer.collectChange(requestId);
        consumer.reclaim(requestId);
        assertEq(consumer.refundOf(user), PRICE, "no more than he paid in");
        vm.expectRevert(
            abi.encodeWithSelector(
                IRequestingConsumer.InferenceConsumer_NoChange.selector, requestId, RequestState.REFUNDED
            )
        );
        consumer.collectChange(requestId);
        vm.prank(user);
        consumer.withdrawRefund(user);
        assertEq(market.balanceOf(address(consumer)), PRICE, "the other's is untouched");
    }
}
