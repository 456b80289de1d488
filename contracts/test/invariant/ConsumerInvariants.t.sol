// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TestDollar} from "../../src/development/TestDollar.sol";
import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {Base} from "../Base.t.sol";
import {OpenConsumer} from "../ConsumerNetwork.t.sol";
import {ConsumerHandler} from "./handlers/ConsumerHandler.sol";

/// @title The consumer base's invariants of README.md, by their numbers
contract ConsumerInvariants is Base {
    ConsumerHandler internal handler;
    OpenConsumer internal consumer;
    TestDollar internal token;
    IInferenceMarket internal market;
    IExecutorStaking internal staking;
    address[3] internal owners;

    function setUp() public {
        handler = new ConsumerHandler();
        handler.setUp();
        (consumer, token, owners[0], owners[1]) = handler.parts();
        owners[2] = address(consumer);
        (address market_, address staking_) = handler.networkParts();
        (market, staking) = (IInferenceMarket(market_), IExecutorStaking(staking_));
        targetContract(address(handler));
        targetSelector(address(handler), handler.actions());
    }

    /// @notice K1, K2: money.
    function invariant_K1_K2_moneyIsSomebodys() external view {
        uint256 owed = handler.free();
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(consumer.refundOf(owners[i]), handler.refunds(owners[i]), "K2: refund");
            assertEq(consumer.compensationOf(owners[i]), handler.compensations(owners[i]), "K2: compensation");
            owed += handler.refunds(owners[i]);
        }
        uint256 unclaimed;
        ConsumerHandler.Question[] memory questions = handler.allQuestions();
        for (uint256 i = 0; i < questions.length; ++i) {
            ConsumerHandler.Fate fate = questions[i].fate;
            if (!questions[i].isChanged) owed += questions[i].most - questions[i].price;
            if (fate != ConsumerHandler.Fate.MISSED && fate != ConsumerHandler.Fate.REFUNDED) continue;
            owed += questions[i].price;
            if (fate == ConsumerHandler.Fate.MISSED) {
                unclaimed += questions[i].price < 10e6 ? questions[i].price : 10e6;
            }
        }
        assertEq(consumer.freeBalance(), handler.free(), "K2: free");
        assertEq(market.balanceOf(address(consumer)), owed, "K1: the balance at the market");
        assertEq(
            staking.creditOf(address(consumer)) + token.balanceOf(address(consumer)),
            handler.waiting() + unclaimed,
            "K1: compensations, collected or not"
        );
        assertEq(token.allowance(address(consumer), address(market)), 0, "K1: no allowance is left");
    }

    /// @notice K3, K4: answers.
    function invariant_K3_K4_eachQuestionEndsOnce() external view {
        assertEq(consumer.answers(), handler.told(), "K3: acted on as often as told");
        ConsumerHandler.Question[] memory questions = handler.allQuestions();
        for (uint256 i = 0; i < questions.length; ++i) {
            ConsumerHandler.Fate fate = questions[i].fate;
            bool closed = fate == ConsumerHandler.Fate.TOLD || fate == ConsumerHandler.Fate.RECLAIMED;
            assertTrue(consumer.isAwaited(questions[i].requestId) != closed, "K4: awaited until told or reclaimed");
            (RequestState state,) = market.statusOf(questions[i].requestId);
            if (fate == ConsumerHandler.Fate.TOLD) {
                assertTrue(state == RequestState.PAID, "K3: told only what is paid");
            }
            if (fate == ConsumerHandler.Fate.RECLAIMED) {
                assertTrue(state == RequestState.REFUNDED, "K3: reclaimed only what is refunded");
            }
        }
    }

    /// @notice K5: from any state, every question ends and everybody has what is his.
    function afterInvariant() external {
        consumer.setBroken(false);
        vm.warp(block.timestamp + 2 days);
        vm.roll(block.number + 1);
        uint256 count = handler.allQuestions().length;
        for (uint256 i = 0; i < count; ++i) {
            handler.reclaimOne(i);
            handler.deliverOne(i);
            handler.collectOne(i);
        }
        handler.withdraw(0);
        handler.withdraw(1);
        if (handler.free() != 0) consumer.withdrawFree(handler.free(), owners[0]);
        if (handler.compensations(owners[2]) != 0) consumer.withdrawOwnCompensation(owners[0]);
        for (uint256 i = 0; i < count; ++i) {
            assertFalse(consumer.isAwaited(handler.allQuestions()[i].requestId), "K5: every question ends");
        }
        assertEq(market.balanceOf(address(consumer)), 0, "K5: nothing is left at the market");
        assertEq(token.balanceOf(address(consumer)), 0, "K5: nor here");
        assertEq(staking.creditOf(address(consumer)), 0, "K5: nor at the staking contract");
    }

    /// @notice A run that does nothing proves nothing.
    function test_theConsumerHandlerReachesEveryOutcome() external {
        string[15] memory outcomes = [
            "asked",
            "asked for itself",
            "told by callback",
            "told by delivery",
            "paid and not told",
            "missed",
            "refunded outside",
            "reclaimed",
            "cancelled",
            "refund withdrawn",
            "compensation withdrawn",
            "intruded",
            "locked for less",
            "taken over",
            "change collected"
        ];
        uint256[15] memory reached;
        bytes4[] memory selectors = handler.actions();
        for (uint256 round = 0; round < 8; ++round) {
            setUp();
            for (uint256 i = 0; i < 150; ++i) {
                uint256 dice = uint256(keccak256(abi.encode(round, i)));
                bytes memory arguments = abi.encode(dice >> 8 & 1, dice >> 16, dice >> 32);
                if (selectors[dice % 16] != handler.breakOrMend.selector) {
                    arguments = abi.encode(dice >> 8, dice >> 16, dice >> 32);
                }
                (bool success,) = address(handler).call(bytes.concat(selectors[dice % 16], arguments));
                assertTrue(success, "an action failed");
            }
            for (uint256 i = 0; i < 15; ++i) {
                reached[i] += handler.countOf(outcomes[i]);
            }
            this.invariant_K1_K2_moneyIsSomebodys();
            this.invariant_K3_K4_eachQuestionEndsOnce();
            this.afterInvariant();
        }
        for (uint256 i = 0; i < 15; ++i) {
            assertTrue(reached[i] != 0, string.concat("never reached: ", outcomes[i]));
        }
    }
}
