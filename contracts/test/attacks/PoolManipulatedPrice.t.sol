// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {PoolNetwork} from "../PoolNetwork.t.sol";

/// @notice The pool makes the model's input itself, from its own prices. Somebody with any amount of capital moves them
/// to get the fee that he wants.
contract PoolManipulatedPriceAttack is PoolNetwork {
    /// @notice There and back within a block: the price stood for no time, so the input is the same to the bit.
    function test_attack_withinABlock() external {
        quietHours();
        uint256 snapshot = vm.snapshotState();
        bytes32 honest = market.requestOf(requestForecast()).inputBinding;
        vm.revertToState(snapshot);
        uint256 out = swapAs(trader, true, 400_000e6);
        swapAs(trader, false, out);
        bytes32 manipulated = market.requestOf(requestForecast()).inputBinding;
        assertEq(manipulated, honest, "nothing that ends within a block is seen");
    }

    /// @notice Just before the question, held until it is asked in the next block: one second of an hour that is not
    /// closed yet. The input is of closed hours alone.
    function test_attack_justBeforeTheQuestion() external {
        quietHours();
        vm.warp(block.timestamp + PERIOD / 2);
        bytes32 honest = keccak256(volatility.cases[0].input);
        swapAs(trader, true, 400_000e6);
        nextBlock();
        assertEq(market.requestOf(requestForecast()).inputBinding, honest, "closed hours do not change");
    }

    /// @notice Whoever holds the price off for a whole hour, with the loss that arbitrage brings him, moves the fee
    /// within its bounds and no further, until the next honest hours.
    function test_attack_heldForAnHour() external {
        quietHours();
        swapAs(trader, true, 400_000e6);
        vm.warp(block.timestamp + PERIOD);
        uint256 requestId = requestForecast();
        assertTrue(
            market.requestOf(requestId).inputBinding != keccak256(volatility.cases[0].input), "a whole hour is seen"
        );
        // The worst that a model could say to it, in either direction.
        vm.prank(address(market));
        pool.onInference(requestId, volatilityVersion, address(pool), 0, 0, hex"7fffffff");
        assertEq(pool.fee(), 20_000, "the highest fee");
        vm.warp(block.timestamp + PERIOD);
        requestId = requestForecast();
        vm.prank(address(market));
        pool.onInference(requestId, volatilityVersion, address(pool), 0, 0, hex"80000000");
        assertEq(pool.fee(), 500, "the lowest fee");
        vm.warp(block.timestamp + 4 * PERIOD);
        assertEq(pool.fee(), 3000, "and nothing of it stays");
    }

    /// @notice A question that nobody will answer, for no price at all, does not keep another from asking.
    function test_attack_aQuestionThatBlocks() external {
        quietHours();
        vm.prank(stranger);
        pool.requestForecast(0, type(uint88).max);
        answer(requestForecast(), 0);
        assertEq(pool.fee(), 500 + 2159, "answered");
    }

    /// @notice The forecast of a calm time kept back, to be shown in the storm: it holds from when it was asked, not
    /// from when it came.
    function test_attack_aKeptBackForecast() external {
        quietHours();
        uint256 start = block.timestamp;
        uint256 requestId = requestForecast();
        vm.warp(start + PERIOD - 2 minutes);
        lockBy(executor, requestId);
        nextBlock();
        vm.warp(start + PERIOD);
        fulfillBy(executor, requestId, volatility, 0);
        vm.warp(start + 4 * PERIOD - 1);
        assertEq(pool.fee(), 500 + 2159, "its last second");
        vm.warp(start + 4 * PERIOD);
        assertEq(pool.fee(), 3000, "three periods after it was asked");
    }
}
