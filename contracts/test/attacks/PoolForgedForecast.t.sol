// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceReceiver} from "../../src/interfaces/IInferenceReceiver.sol";
import {IRequestingConsumer} from "../../src/interfaces/IRequestingConsumer.sol";
import {RequestParams} from "../../src/types/MarketTypes.sol";
import {PoolNetwork} from "../PoolNetwork.t.sol";

/// @notice Forecasts that the pool did not ask for: made up, proven for an input of the attacker's choice, or answers
/// of former questions again.
contract PoolForgedForecastAttack is PoolNetwork {
    function test_attack_aStrangersAnswer() external {
        quietHours();
        uint256 requestId = requestForecast();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IInferenceReceiver.InferenceReceiver_NotMarket.selector, stranger));
        pool.onInference(requestId, volatilityVersion, address(pool), 0, 0, hex"00000000");
        assertEq(pool.fee(), 3000, "not believed");
    }

    /// @notice A real proof of the real model, for eight stormy hours that never were here.
    function test_attack_aProofForAnotherInput() external {
        RequestParams memory params = paramsFor(volatilityVersion, volatility, 1);
        (params.callback, params.callbackGas) = (address(pool), 400_000);
        answer(open(params), 1);
        assertEq(pool.fee(), 3000, "not asked for");
    }

    function test_attack_aReplayedForecast() external {
        quietHours();
        uint256 requestId = requestForecast();
        answer(requestId, 0);
        bytes memory output = volatility.cases[0].output;
        bytes memory refusal =
            abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotAwaited.selector, requestId);
        vm.warp(block.timestamp + 4 * PERIOD);
        vm.expectRevert(refusal);
        pool.deliver(requestId, output);
        vm.prank(address(market));
        vm.expectRevert(refusal);
        pool.onInference(requestId, volatilityVersion, address(pool), 0, 0, output);
        assertEq(pool.fee(), 3000, "grown old, and not renewed");
    }
}
