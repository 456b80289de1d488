// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../../src/consumer/InferenceConsumer.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {ConsumerNetwork} from "../ConsumerNetwork.t.sol";

/// @notice Random sequences of everything that users, executor and strangers do with one consumer: to the unit, its
/// balance at the market is what it owes and owns, and in the end everybody has what is his.
contract ConsumerMoneyFuzz is ConsumerNetwork {
    uint256[] internal asked;
    uint256 internal spent;
    uint256 internal slashes;

    /// @dev One byte a step: what is done in its lower half, with which request or user in its upper half.
    function testFuzz_everyUnitIsSomebodys(bytes memory steps) external {
        uint256 supply = token.balanceOf(user) + token.balanceOf(other);
        uint256 length = steps.length < 24 ? steps.length : 24;
        for (uint256 i = 0; i < length; ++i) {
            _step(uint8(steps[i]) & 0x0f, uint8(steps[i]) >> 4);
            _check();
        }
        _settleAll();
        _check();
        _payOut(user);
        _payOut(other);
        uint256 free = consumer.freeBalance();
        if (free != 0) consumer.withdrawFree(free, other);
        if (consumer.compensationOf(address(consumer)) != 0) consumer.withdrawOwnCompensation(other);
        assertEq(market.balanceOf(address(consumer)), 0, "nothing is left at the market");
        assertEq(token.balanceOf(address(consumer)), 0, "nor here");
        assertEq(staking.creditOf(address(consumer)), 0, "nor at the staking contract");
        assertEq(
            token.balanceOf(user) + token.balanceOf(other) + spent,
            supply + slashes,
            "all prices but those of answers came back, with the compensations"
        );
    }

    function _step(uint256 what, uint256 which) private {
        address account = which % 2 == 0 ? user : other;
        if (what < 4) _ask(account);
        else if (what < 6) _fundAndAsk(account);
        else if (asked.length == 0) return;
        else if (what < 9) _answerOne(asked[which % asked.length]);
        else if (what < 11) _miss(asked[which % asked.length]);
        else if (what < 12) _refundOutside(asked[which % asked.length]);
        else if (what < 14) _reclaim(asked[which % asked.length]);
        else _payOut(account);
    }

    function _ask(address account) private {
        if (token.balanceOf(account) < PRICE) return;
        asked.push(askAs(account, 0));
    }

    function _fundAndAsk(address account) private {
        if (token.balanceOf(account) < 2 * PRICE) return;
        vm.prank(account);
        consumer.fund(2 * PRICE);
        InferenceConsumer.Terms memory odd = terms();
        odd.price = PRICE + 1;
        asked.push(consumer.askForItself(odd, packed.cases[0].input, 0));
    }

    function _answerOne(uint256 requestId) private {
        (RequestState state, bool refundable) = market.statusOf(requestId);
        if (state != RequestState.OPEN || refundable) return;
        if (block.timestamp + LOCK_DURATION > market.requestOf(requestId).deadline) return;
        // Past the proof, which is the same each time: what it pays is what matters here.
        spent += market.requestOf(requestId).price;
        answer(requestId);
    }

    function _miss(uint256 requestId) private {
        (RequestState state, bool refundable) = market.statusOf(requestId);
        if (state != RequestState.OPEN || refundable) return;
        if (block.timestamp + LOCK_DURATION > market.requestOf(requestId).deadline) return;
        if (staking.available(executor, address(market)) < COLLATERAL) stakeFor(executor, COLLATERAL);
        uint256 price = market.requestOf(requestId).price;
        slashes += price < COLLATERAL / 2 ? price : COLLATERAL / 2;
        missLock(requestId);
    }

    function _refundOutside(uint256 requestId) private {
        (, bool refundable) = market.statusOf(requestId);
        if (refundable) market.refund(requestId);
    }

    function _reclaim(uint256 requestId) private {
        (RequestState state, bool refundable) = market.statusOf(requestId);
        if (!consumer.isAwaited(requestId) || (!refundable && state != RequestState.REFUNDED)) return;
        consumer.reclaim(requestId);
    }

    function _payOut(address account) private {
        if (consumer.refundOf(account) != 0) {
            vm.prank(account);
            consumer.withdrawRefund(account);
        }
        if (consumer.compensationOf(account) != 0) {
            vm.prank(account);
            consumer.withdrawCompensation(account);
        }
    }

    function _settleAll() private {
        skip(2 hours);
        for (uint256 i = 0; i < asked.length; ++i) {
            _reclaim(asked[i]);
            assertFalse(consumer.isAwaited(asked[i]), "every request comes to an end");
        }
    }

    /// @dev What lies at the market is what is owed, what is free, and what waits to be reclaimed.
    function _check() private view {
        uint256 waiting;
        for (uint256 i = 0; i < asked.length; ++i) {
            (RequestState state,) = market.statusOf(asked[i]);
            if (state == RequestState.REFUNDED && consumer.isAwaited(asked[i])) {
                waiting += market.requestOf(asked[i]).price;
            }
        }
        assertEq(
            market.balanceOf(address(consumer)),
            consumer.freeBalance() + consumer.refundOf(user) + consumer.refundOf(other) + waiting,
            "the balance at the market"
        );
    }
}
